/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures that show weights, not only which zones have one: signed heat maps, tinted zones, outlines, and the same as
 * SVG with the numbers in it.
 *
 * Colours are the two ends of ColorBrewer's diverging schemes PuOr and PRGn, which people with any of the common colour
 * vision deficiencies can tell apart. The scale is symmetric: the largest |weight| of the class has the full colour, on
 * either side. A zone whose interval includes 0 has no colour: which sign it has is not known.
 */
#ifndef XPL_EXPLAIN_OVERLAY_H
#define XPL_EXPLAIN_OVERLAY_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/status.h"
#include "lib/explain/superpixels/segment.h"
#include "lib/image/pixels.h"

enum xpl_colour_map {
    XPL_MAP_BLUE_ORANGE, /* blue speaks for the class, orange against it */
    XPL_MAP_GREEN_PURPLE /* green for, purple against */
};

enum xpl_backdrop {
    XPL_BACKDROP_ORIGINAL,
    XPL_BACKDROP_GREY,
    XPL_BACKDROP_BLACK,
    XPL_BACKDROP_TRANSPARENT /* drawn as the original, with an alpha channel beside it */
};

/** How a picture of weights is drawn. */
struct xpl_overlay {
    enum xpl_colour_map map;
    enum xpl_backdrop backdrop;
    double alpha; /* 0 to 1: of the colour, where it is strongest */
    double clip;  /* 0 to 1: weights below this share of the largest are left out */
};

/** What is drawn: one class of an explanation. Borrowed. */
struct xpl_weighted_zones {
    const struct xpl_pixels *image;
    const struct xpl_segments *segments; /* height, width, count, labels */
    const double *weights;
    const double *low, *high; /* their intervals; NULL: all weights are sure */
};

/** Each zone in the colour of its sign, the stronger the larger its weight: height x width x 3. */
enum xpl_status xpl_overlay_heatmap(struct xpl_arena *arena, const struct xpl_weighted_zones *zones,
                                    const struct xpl_overlay *style, uint8_t **ret_rgb, struct xpl_error *err);

/** Each zone that has a weight in the colour of its sign, all equally strong. */
enum xpl_status xpl_overlay_signs(struct xpl_arena *arena, const struct xpl_weighted_zones *zones,
                                  const struct xpl_overlay *style, uint8_t **ret_rgb, struct xpl_error *err);

/** The zones that speak for the class as they are, the rest faded to white. */
enum xpl_status xpl_overlay_masked(struct xpl_arena *arena, const struct xpl_weighted_zones *zones,
                                   const struct xpl_overlay *style, uint8_t **ret_rgb, struct xpl_error *err);

/** The backdrop alone. */
enum xpl_status xpl_overlay_backdrop(struct xpl_arena *arena, const struct xpl_weighted_zones *zones,
                                     const struct xpl_overlay *style, uint8_t **ret_rgb, struct xpl_error *err);

/** Each pixel becomes `scale` x `scale` of them. */
enum xpl_status xpl_overlay_enlarge(struct xpl_arena *arena, const uint8_t *rgb, uint32_t height, uint32_t width,
                                    uint32_t scale, uint8_t **ret_rgb, struct xpl_error *err);

/**
 * Draws the borders of the zones into a picture enlarged by `scale`, each side in the colour of its zone. `alpha`,
 * unless it is NULL, is made opaque there.
 */
void xpl_overlay_borders(const struct xpl_weighted_zones *zones, const struct xpl_overlay *style, uint32_t scale,
                         uint8_t *rgb, uint8_t *alpha);

/** The alpha channel of a picture enlarged by `scale`: each zone has that of `opacity`, 0 to 1, one per zone. */
enum xpl_status xpl_overlay_alpha(struct xpl_arena *arena, const struct xpl_weighted_zones *zones,
                                  const double *opacity, uint32_t scale, uint8_t **ret_alpha, struct xpl_error *err);

/** How strong each zone's colour is in a heat map, 0 to 1, or (`even`) in a picture of signs; one per zone. */
void xpl_overlay_shares(const struct xpl_weighted_zones *zones, const struct xpl_overlay *style, bool even,
                        double *ret);

/**
 * A strip of `width` x *ret_height pixels with the scale of the colours and its numbers, to stand below a picture;
 * `even`: with what the two colours mean, below a picture of signs. XPL_NOT_AVAILABLE: there is no font.
 */
enum xpl_status xpl_overlay_legend(struct xpl_arena *arena, const struct xpl_weighted_zones *zones,
                                   const struct xpl_overlay *style, bool even, uint32_t width, uint8_t **ret_rgb,
                                   uint32_t *ret_height, struct xpl_error *err);

/**
 * An SVG document: the backdrop, a path for each zone with its weight as its title, and, when `legend`, the scale with
 * numbers. The intervals are needed.
 */
enum xpl_status xpl_overlay_svg(struct xpl_arena *arena, const struct xpl_weighted_zones *zones,
                                const struct xpl_overlay *style, uint32_t scale, bool legend, struct xpl_buf *out,
                                struct xpl_error *err);

/** Digits behind the point with which weights are written when `largest` is the largest |weight|: 4, of tiny ones more.
 */
int xpl_weight_decimals(double largest);

#endif
