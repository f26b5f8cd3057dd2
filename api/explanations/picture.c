/* SPDX-License-Identifier: Apache-2.0 */
#include "api/explanations/picture.h"

#include <string.h>

#include "api/json_spec.h"
#include "lib/explain/drawing/render.h"
#include "lib/image/encode.h"

#define LEAST_SIDE 256u
#define TALL       1024u /* no picture is enlarged beyond it for a legend to fit */

static struct xpl_weighted_zones zones_of(const struct xpl_picture *p)
{
    return (struct xpl_weighted_zones){p->image, &p->segments, p->weights, p->low, p->high};
}

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

/* A picture and its size; alpha NULL = opaque. */
struct drawing {
    uint8_t *rgb, *alpha;
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
    struct xpl_weighted_zones zones = zones_of(p);

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

/*
 * The panes of the original have the size of the image; pictures for people are not smaller than 256 pixels, and those
 * of a narrow image with a legend no narrower, unless that makes them very tall.
 */
static enum xpl_status choose_scale(const struct xpl_picture *p, const struct xpl_picture_query *q, uint32_t *ret,
                                    struct xpl_error *err)
{
    uint32_t side = p->image->height > p->image->width ? p->image->height : p->image->width;
    bool as_it_is = q->kind <= XPL_PICTURE_ORIGINAL || side >= LEAST_SIDE;
    uint32_t wide = (LEAST_SIDE + p->image->width - 1) / p->image->width;

    *ret = q->scale ? q->scale : as_it_is ? 1 : (LEAST_SIDE + side - 1) / side;
    if (!q->scale && q->legend && wide > *ret && p->image->height * wide <= TALL)
        *ret = wide;
    return side * *ret <= XPL_IMAGE_MAX_SIDE
               ? XPL_OK
               : xpl_fail_field(err, XPL_BAD_FIELD, "scale", "makes %u pixels a side; the limit is %u", side * *ret,
                                XPL_IMAGE_MAX_SIDE);
}

/* What each zone hides of what will lie behind the picture. */
static void opacities(const struct xpl_picture *p, const struct xpl_picture_query *q, double *ret)
{
    struct xpl_weighted_zones zones = zones_of(p);
    double sign = q->kind == XPL_PICTURE_NEGATIVE ? -1 : 1;

    if (q->kind == XPL_PICTURE_HEATMAP || q->kind == XPL_PICTURE_BOTH) {
        xpl_overlay_shares(&zones, &q->overlay, q->kind == XPL_PICTURE_BOTH, ret);
        return;
    }
    if (q->kind <= XPL_PICTURE_NEGATIVE)
        zones.low = zones.high = NULL; /* these panes show every zone of a sign */
    xpl_overlay_shares(&zones, &(struct xpl_overlay){.alpha = 1, .clip = q->overlay.clip}, true, ret);
    for (uint32_t j = 0; j < p->segments.count; j++)
        if (q->kind == XPL_PICTURE_OUTLINE || sign * p->weights[j] <= 0)
            ret[j] = 0;
}

static enum xpl_status make_transparent(struct xpl_arena *arena, const struct xpl_picture *p,
                                        const struct xpl_picture_query *q, uint32_t scale, struct drawing *ret,
                                        struct xpl_error *err)
{
    struct xpl_weighted_zones zones = zones_of(p);
    double opacity[XPL_MAX_SEGMENTS];

    opacities(p, q, opacity);
    return xpl_overlay_alpha(arena, &zones, opacity, scale, &ret->alpha, err);
}

static enum xpl_status draw(struct xpl_arena *arena, const struct xpl_picture *p, const struct xpl_picture_query *q,
                            struct drawing *ret, struct xpl_error *err)
{
    struct xpl_weighted_zones zones = zones_of(p);
    uint32_t scale;
    uint8_t *plain;
    enum xpl_status st;

    if (q->kind == XPL_PICTURE_SHEET)
        return draw_sheet(arena, p, ret, err);
    if ((st = choose_scale(p, q, &scale, err)) || (st = draw_plain(arena, p, q, &plain, err)))
        return st;
    *ret = (struct drawing){plain, NULL, p->image->height * scale, p->image->width * scale};
    if (scale > 1 && (st = xpl_overlay_enlarge(arena, plain, p->image->height, p->image->width, scale, &ret->rgb, err)))
        return st;
    if (q->overlay.backdrop == XPL_BACKDROP_TRANSPARENT && (st = make_transparent(arena, p, q, scale, ret, err)))
        return st;
    if (q->kind >= XPL_PICTURE_BOTH && q->kind != XPL_PICTURE_HEATMAP)
        xpl_overlay_borders(&zones, &q->overlay, scale, ret->rgb, ret->alpha);
    return XPL_OK;
}

/* Below the picture. */
static enum xpl_status add_legend(struct xpl_arena *arena, const struct xpl_picture *p,
                                  const struct xpl_picture_query *q, struct drawing *drawing, struct xpl_error *err)
{
    struct xpl_weighted_zones zones = zones_of(p);
    size_t n = (size_t)drawing->height * drawing->width, strip;
    uint8_t *legend, *rgb, *alpha;
    uint32_t height;
    enum xpl_status st;

    if (drawing->width < LEAST_SIDE)
        return xpl_fail_field(err, XPL_BAD_FIELD, "legend",
                              "needs a picture of at least %u pixels across, this one has %u: ask for a larger scale",
                              LEAST_SIDE, drawing->width);
    if ((st = xpl_overlay_legend(arena, &zones, &q->overlay, q->kind == XPL_PICTURE_BOTH, drawing->width, &legend,
                                 &height, err)))
        return st;
    strip = (size_t)height * drawing->width;
    rgb = XPL_NEW_ARRAY(arena, uint8_t, (n + strip) * 3);
    alpha = XPL_NEW_ARRAY(arena, uint8_t, n + strip);
    if (!rgb || !alpha)
        return xpl_no_memory(err);
    memcpy(rgb, drawing->rgb, n * 3);
    memcpy(rgb + n * 3, legend, strip * 3);
    if (drawing->alpha)
        memcpy(alpha, drawing->alpha, n);
    memset(alpha + n, 255, strip);
    *drawing = (struct drawing){rgb, drawing->alpha ? alpha : NULL, drawing->height + height, drawing->width};
    return XPL_OK;
}

enum xpl_status xpl_picture_png(struct xpl_arena *arena, const struct xpl_picture *picture,
                                const struct xpl_picture_query *query, uint8_t **ret_png, size_t *ret_length,
                                struct xpl_error *err)
{
    struct drawing d = {0};
    enum xpl_status st = draw(arena, picture, query, &d, err);

    if (!st && query->legend)
        st = add_legend(arena, picture, query, &d, err);
    if (st)
        return st;
    return d.alpha ? xpl_encode_png_alpha(arena, d.rgb, d.alpha, d.height, d.width, ret_png, ret_length, err)
                   : xpl_encode_png(arena, d.rgb, d.height, d.width, ret_png, ret_length, err);
}

enum xpl_status xpl_picture_svg(struct xpl_arena *arena, const struct xpl_picture *picture,
                                const struct xpl_picture_query *query, struct xpl_buf *out, struct xpl_error *err)
{
    struct xpl_weighted_zones zones = zones_of(picture);
    uint32_t scale;
    enum xpl_status st = choose_scale(picture, query, &scale, err);

    return st ? st : xpl_overlay_svg(arena, &zones, &query->overlay, scale, query->legend, out, err);
}
