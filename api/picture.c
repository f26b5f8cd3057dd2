/* SPDX-License-Identifier: Apache-2.0 */
#include "api/picture.h"

#include "api/json_spec.h"
#include "lib/explain/render.h"
#include "lib/image/encode.h"

#define LEAST_SIDE 256u

static enum xpl_status draw_pane(struct xpl_arena *arena, const struct xpl_picture *p, enum xpl_picture_kind kind,
                                 uint8_t **ret, struct xpl_error *err)
{
    struct xpl_pane pane;
    enum xpl_status st = XPL_OK;

    if (kind == XPL_PICTURE_POSITIVE)
        st = xpl_pane_of(arena, p->weights, p->segments.count, 1, &pane, err);
    else if (kind == XPL_PICTURE_NEGATIVE && p->binary)
        st = xpl_pane_complement(arena, p->weights, p->segments.count, &pane, err);
    else if (kind == XPL_PICTURE_NEGATIVE)
        st = xpl_pane_of(arena, p->weights, p->segments.count, -1, &pane, err);
    if (st)
        return st;
    return xpl_render_pane(arena, p->image, &p->segments, kind == XPL_PICTURE_ORIGINAL ? NULL : &pane, ret, err);
}

/* A picture and its size. */
struct drawing {
    uint8_t *rgb;
    uint32_t height, width;
};

static enum xpl_status draw_sheet(struct xpl_arena *arena, const struct xpl_picture *p, struct drawing *ret,
                                  struct xpl_error *err)
{
    static const enum xpl_picture_kind order[] = {XPL_PICTURE_ORIGINAL, XPL_PICTURE_POSITIVE, XPL_PICTURE_NEGATIVE};
    uint8_t *pictures[XPL_COUNT(order)];
    enum xpl_status st = XPL_OK;

    for (size_t i = 0; !st && i < XPL_COUNT(order); i++)
        st = draw_pane(arena, p, order[i], &pictures[i], err);
    return st ? st
              : xpl_render_sheet(arena, (const uint8_t *const *)pictures, XPL_COUNT(order), p->image->height,
                                 p->image->width, &ret->rgb, &ret->height, &ret->width, err);
}

/* Before it is enlarged. */
static enum xpl_status draw_plain(struct xpl_arena *arena, const struct xpl_picture *p,
                                  const struct xpl_picture_query *q, uint8_t **ret, struct xpl_error *err)
{
    struct xpl_weighted_zones zones = {p->image, &p->segments, p->weights};

    switch (q->kind) {
    case XPL_PICTURE_BOTH:
        return xpl_overlay_signs(arena, &zones, &q->overlay, ret, err);
    case XPL_PICTURE_HEATMAP:
        return xpl_overlay_heatmap(arena, &zones, &q->overlay, ret, err);
    case XPL_PICTURE_OUTLINE:
        return xpl_overlay_backdrop(arena, &zones, &q->overlay, ret, err);
    case XPL_PICTURE_MASKED:
    case XPL_PICTURE_PERTINENT_POSITIVE:
    case XPL_PICTURE_PERTINENT_NEGATIVE:
        return xpl_overlay_masked(arena, &zones, &q->overlay, ret, err);
    case XPL_PICTURE_POSITIVE:
    case XPL_PICTURE_NEGATIVE:
    case XPL_PICTURE_ORIGINAL:
    case XPL_PICTURE_SHEET:
        break;
    }
    return draw_pane(arena, p, q->kind, ret, err);
}

/* The panes of the original have the size of the image; pictures for people are not smaller than 256 pixels. */
static enum xpl_status choose_scale(const struct xpl_picture *p, const struct xpl_picture_query *q, uint32_t *ret,
                                    struct xpl_error *err)
{
    uint32_t side = p->image->height > p->image->width ? p->image->height : p->image->width;
    bool as_it_is = q->kind <= XPL_PICTURE_ORIGINAL || side >= LEAST_SIDE;

    *ret = q->scale ? q->scale : as_it_is ? 1 : (LEAST_SIDE + side - 1) / side;
    return side * *ret <= XPL_IMAGE_MAX_SIDE
               ? XPL_OK
               : xpl_fail_field(err, XPL_BAD_FIELD, "scale", "makes %u pixels a side; the limit is %u", side * *ret,
                                XPL_IMAGE_MAX_SIDE);
}

static enum xpl_status draw(struct xpl_arena *arena, const struct xpl_picture *p, const struct xpl_picture_query *q,
                            struct drawing *ret, struct xpl_error *err)
{
    struct xpl_weighted_zones zones = {p->image, &p->segments, p->weights};
    uint32_t scale;
    uint8_t *plain;
    enum xpl_status st;

    if (q->kind == XPL_PICTURE_SHEET)
        return draw_sheet(arena, p, ret, err);
    if ((st = choose_scale(p, q, &scale, err)) || (st = draw_plain(arena, p, q, &plain, err)))
        return st;
    *ret = (struct drawing){plain, p->image->height * scale, p->image->width * scale};
    if (scale > 1 && (st = xpl_overlay_enlarge(arena, plain, p->image->height, p->image->width, scale, &ret->rgb, err)))
        return st;
    if (q->kind >= XPL_PICTURE_BOTH && q->kind != XPL_PICTURE_HEATMAP)
        xpl_overlay_borders(&zones, &q->overlay, scale, ret->rgb);
    return XPL_OK;
}

enum xpl_status xpl_picture_png(struct xpl_arena *arena, const struct xpl_picture *picture,
                                const struct xpl_picture_query *query, uint8_t **ret_png, size_t *ret_length,
                                struct xpl_error *err)
{
    struct drawing drawing;
    enum xpl_status st = draw(arena, picture, query, &drawing, err);

    return st ? st : xpl_encode_png(arena, drawing.rgb, drawing.height, drawing.width, ret_png, ret_length, err);
}

enum xpl_status xpl_picture_svg(struct xpl_arena *arena, const struct xpl_picture *picture,
                                const struct xpl_picture_query *query, struct xpl_buf *out, struct xpl_error *err)
{
    struct xpl_weighted_zones zones = {picture->image, &picture->segments, picture->weights};
    uint32_t scale;
    enum xpl_status st = choose_scale(picture, query, &scale, err);

    return st ? st
              : xpl_overlay_svg(arena, &zones, &query->overlay, picture->low, picture->high, scale, query->legend, out,
                                err);
}
