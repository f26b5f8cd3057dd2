/* SPDX-License-Identifier: Apache-2.0 */
/* Draws one class of an explanation as it was asked for: what the image operation answers, and what a command writes.
 */
#ifndef XPL_API_PICTURE_H
#define XPL_API_PICTURE_H

#include "api/explanations/picture_query.h"

#define XPL_PICTURE_MAX_SVG ((size_t)64 << 20)

/** What is drawn. Borrowed. */
struct xpl_picture {
    struct xpl_pixels *image;
    struct xpl_segments segments; /* height, width, count and labels */
    double *weights, *low, *high; /* one per segment; low, high NULL: of a set of zones */
    bool binary;                  /* the panes of the two classes complement each other */
};

/** XPL_BAD_FIELD: the scale makes it too large. */
enum xpl_status xpl_picture_png(struct xpl_arena *arena, const struct xpl_picture *picture,
                                const struct xpl_picture_query *query, uint8_t **ret_png, size_t *ret_length,
                                struct xpl_error *err);

/** What the picture shows, for programs that draw it themselves; NULL without memory. */
json_t *xpl_picture_json(const struct xpl_picture *picture, const struct xpl_picture_query *query);

/** The heat map as SVG. */
enum xpl_status xpl_picture_svg(struct xpl_arena *arena, const struct xpl_picture *picture,
                                const struct xpl_picture_query *query, struct xpl_buf *out, struct xpl_error *err);

#endif
