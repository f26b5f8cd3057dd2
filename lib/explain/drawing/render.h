/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures of an explanation.
 */
#ifndef XPL_EXPLAIN_RENDER_H
#define XPL_EXPLAIN_RENDER_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/explain/superpixels/segment.h"
#include "lib/image/pixels.h"

/** Which segments a pane shows. */
struct xpl_pane {
    bool *shown;    /* one per segment */
    uint32_t count; /* how many are shown */
};

/**
 * The segments with positive weight (`sign` > 0) or negative weight (`sign` < 0). |weight| < 1e-9 is none: what is left
 * of a sum that should be zero must not decide about a picture.
 */
enum xpl_status xpl_pane_of(struct xpl_arena *arena, const double *weights, uint32_t n_segments, int sign,
                            struct xpl_pane *ret, struct xpl_error *err);

/** The other segments: what the second pane of a binary model shows. When `pane` is empty by the rule above, so is
 * this. */
enum xpl_status xpl_pane_complement(struct xpl_arena *arena, const double *weights, uint32_t n_segments,
                                    struct xpl_pane *ret, struct xpl_error *err);

/** height x width x 3 bytes: the shown segments' original pixels, black elsewhere; `pane` NULL = the whole image. */
enum xpl_status xpl_render_pane(struct xpl_arena *arena, const struct xpl_pixels *image,
                                const struct xpl_segments *segments, const struct xpl_pane *pane, uint8_t **ret_rgb,
                                struct xpl_error *err);

/**
 * A sheet: `n` pictures of the same size side by side on white with a gap; pictures below 256 px are enlarged by a
 * whole factor (nearest neighbour). Returns height, width and RGB bytes.
 */
enum xpl_status xpl_render_sheet(struct xpl_arena *arena, const uint8_t *const *pictures, uint32_t n, uint32_t height,
                                 uint32_t width, uint8_t **ret_rgb, uint32_t *ret_height, uint32_t *ret_width,
                                 struct xpl_error *err);

#endif
