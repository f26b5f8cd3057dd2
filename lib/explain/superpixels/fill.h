/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hidden superpixel shows, in the model's own value range and number type: integers stay integers. A fourth
 * channel (alpha) always keeps its mean over the superpixel.
 */
#ifndef XPL_EXPLAIN_FILL_H
#define XPL_EXPLAIN_FILL_H

#include "lib/base/arena.h"
#include "lib/base/hash.h"
#include "lib/base/status.h"
#include "lib/explain/params.h"
#include "lib/explain/superpixels/segment.h"
#include "lib/image/pixels.h"

/**
 * The picture of all segments switched off: height x width x channels values.
 *   mean    the segment's mean colour
 *   black   the smallest value of the range
 *   colour  params->fill_colour, scaled to the range; its luminance for one channel
 *   blur    the image itself, blurred by about a tenth of its shorter side (three box filters; Wells 1986)
 *   image   `background`, another image of the same height, width and channels; NULL for all others
 *   noise   every value drawn evenly from the range, by `seed`
 */
enum xpl_status xpl_fill_image(struct xpl_arena *arena, const struct xpl_pixels *image,
                               const struct xpl_segments *segments, const struct xpl_explain_params *params,
                               const uint8_t seed[XPL_HASH_BYTES], const struct xpl_pixels *background,
                               struct xpl_pixels **ret, struct xpl_error *err);

/** What became of a fill in an image; all zero at first. */
struct xpl_fill_effect {
    bool replaced;        /* another one was needed: see xpl_fill_visible */
    enum xpl_fill asked;  /* instead of this one */
    uint32_t n_unchanged; /* segments that look the same when they are hidden */
};

/**
 * The same, but nobody learns anything from images that are all alike: where `mean` or `blur` change nothing (areas of
 * one colour), grey takes their place, or black where all is grey, and params->fill says so. XPL_BAD_FIELD when any
 * other fill changes nothing. `effect` may be of the same image cut otherwise before.
 */
enum xpl_status xpl_fill_visible(struct xpl_arena *arena, const struct xpl_pixels *image,
                                 const struct xpl_segments *segments, struct xpl_explain_params *params,
                                 const uint8_t seed[XPL_HASH_BYTES], const struct xpl_pixels *background,
                                 struct xpl_pixels **ret, struct xpl_fill_effect *effect, struct xpl_error *err);

#endif
