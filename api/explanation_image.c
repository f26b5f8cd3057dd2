/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures of a finished explanation, drawn when they are asked for: from the logged image and the stored attributions,
 * without a call of the model.
 */
#include <string.h>

#include "api/explanation_tasks.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/picture_query.h"
#include "db/records.h"
#include "lib/base/text.h"
#include "lib/explain/render.h"
#include "lib/image/encode.h"
#include "lib/scoring/request.h"

#define MAX_CLASS     99999
#define LEAST_SIDE    256u
#define MAX_SVG_BYTES ((size_t)64 << 20)

struct picture {
    struct xpl_pixels *image;
    struct xpl_segments segments; /* height, width, count and labels */
    double *weights, *low, *high;
    bool binary;
};

static enum xpl_status load_image(struct xpl_call *call, const struct xpl_task *task, struct xpl_pixels **ret,
                                  struct xpl_error *err)
{
    struct xpl_request *request;
    struct xpl_record record;
    struct xpl_text text;
    enum xpl_status st;

    if ((st = xpl_record_get(call->db, call->arena, call->data_mart_id, NULL, task->record_id, &record, err)) ||
        (st = xpl_payload_load(call->db, call->arena, record.payload_id, &text, NULL, err)) ||
        (st = xpl_request_read(call->arena, text, &request, err)))
        return st;
    return xpl_request_pixels(call->arena, request, (uint32_t)record.image_index, ret, err);
}

static enum xpl_status damaged(struct xpl_error *err)
{
    return xpl_fail(err, XPL_STORAGE_FAILED, "the stored attributions are damaged");
}

static enum xpl_status read_labels(struct xpl_call *call, const json_t *attributions, struct picture *p,
                                   struct xpl_error *err)
{
    const json_t *runs = xpl_json_at(attributions, "entity.segmentation.labels.runs");
    size_t n = (size_t)p->image->height * p->image->width, at = 0, i;
    json_t *run;

    p->segments.height = p->image->height;
    p->segments.width = p->image->width;
    p->segments.count = (uint32_t)json_integer_value(xpl_json_at(attributions, "entity.segmentation.count"));
    if (!(p->segments.labels = XPL_NEW_ARRAY(call->arena, uint16_t, n)))
        return xpl_no_memory(err);
    json_array_foreach(runs, i, run)
    {
        json_int_t label = json_integer_value(json_array_get(run, 0)),
                   length = json_integer_value(json_array_get(run, 1));

        if (label < 0 || label >= p->segments.count || length < 1 || (uint64_t)length > n - at)
            return damaged(err);
        for (json_int_t k = 0; k < length; k++)
            p->segments.labels[at++] = (uint16_t)label;
    }
    return at == n ? XPL_OK : damaged(err);
}

/* The class of the query, or the most probable one. */
static enum xpl_status find_class(const struct xpl_call *call, const json_t *classes, const json_t **ret,
                                  struct xpl_error *err)
{
    const char *wanted = xpl_call_query(call, "class");
    json_t *element;
    int64_t ignored;
    size_t i;

    *ret = json_array_get(classes, 0);
    if (!wanted)
        return *ret ? XPL_OK : damaged(err);
    if (!xpl_parse_int(wanted, 0, MAX_CLASS, &ignored))
        return xpl_fail_field(err, XPL_BAD_FIELD, "class", "\"%.40s\" is not the index of a class", wanted);
    json_array_foreach(classes, i, element)
    {
        *ret = element;
        if (strcmp(json_string_value(json_object_get(element, "value")), wanted) == 0)
            return XPL_OK;
    }
    return xpl_fail(err, XPL_NOT_FOUND, "class %.40s was not explained", wanted);
}

static enum xpl_status read_weights(struct xpl_call *call, const json_t *class_view, struct picture *p,
                                    struct xpl_error *err)
{
    const json_t *weights = json_object_get(class_view, "weights"),
                 *intervals = json_object_get(class_view, "intervals");
    uint32_t d = p->segments.count;

    if (d < 2 || d > XPL_MAX_SEGMENTS || json_array_size(weights) != d || json_array_size(intervals) != d)
        return damaged(err);
    p->weights = XPL_NEW_ARRAY(call->arena, double, d);
    p->low = XPL_NEW_ARRAY(call->arena, double, d);
    p->high = XPL_NEW_ARRAY(call->arena, double, d);
    if (!p->weights || !p->low || !p->high)
        return xpl_no_memory(err);
    for (uint32_t j = 0; j < d; j++) {
        const json_t *interval = json_array_get(intervals, j);

        p->weights[j] = json_number_value(json_array_get(weights, j));
        p->low[j] = json_number_value(json_array_get(interval, 0));
        p->high[j] = json_number_value(json_array_get(interval, 1));
    }
    return XPL_OK;
}

static bool is_binary(const json_t *attributions)
{
    return json_is_true(xpl_json_at(attributions, "entity.model.binary"));
}

static enum xpl_status load(struct xpl_call *call, const struct xpl_task *task, struct picture *p,
                            struct xpl_error *err)
{
    XPL_AUTO_JSON attributions = NULL;
    const json_t *class_view = NULL;
    const char *text;
    enum xpl_status st;

    if ((st = load_image(call, task, &p->image, err)) ||
        (st = xpl_explanation_attributions(call->db, call->arena, task->id, &text, err)))
        return st;
    attributions = json_loads(text, 0, NULL);
    p->binary = is_binary(attributions);
    if ((st = read_labels(call, attributions, p, err)) ||
        (st = find_class(call, xpl_json_at(attributions, "entity.classes"), &class_view, err)))
        return st;
    return read_weights(call, class_view, p, err);
}

static enum xpl_status draw_pane(struct xpl_arena *arena, const struct picture *p, enum xpl_picture_kind kind,
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

static enum xpl_status draw_sheet(struct xpl_arena *arena, const struct picture *p, struct drawing *ret,
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
static enum xpl_status draw_plain(struct xpl_arena *arena, const struct picture *p, const struct xpl_picture_query *q,
                                  uint8_t **ret, struct xpl_error *err)
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
static enum xpl_status choose_scale(const struct picture *p, const struct xpl_picture_query *q, uint32_t *ret,
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

static enum xpl_status draw(struct xpl_arena *arena, const struct picture *p, const struct xpl_picture_query *q,
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

static enum xpl_answered reply_png(struct xpl_call *call, const struct picture *p, const struct xpl_picture_query *q,
                                   const char *etag)
{
    struct xpl_error err = {0};
    struct drawing drawing;
    uint8_t *png;
    size_t length;

    if (draw(call->arena, p, q, &drawing, &err) ||
        xpl_encode_png(call->arena, drawing.rgb, drawing.height, drawing.width, &png, &length, &err))
        return xpl_reply_error(call, &err);
    xpl_reply_etag(call, etag);
    return xpl_reply_bytes(call, 200, "image/png", (struct xpl_text){(const char *)png, length});
}

static enum xpl_answered reply_svg(struct xpl_call *call, const struct picture *p, const struct xpl_picture_query *q,
                                   const char *etag)
{
    struct xpl_weighted_zones zones = {p->image, &p->segments, p->weights};
    XPL_AUTO(xpl_buf) out = xpl_buf_new(MAX_SVG_BYTES);
    struct xpl_error err = {0};
    uint32_t scale;
    const char *copy;

    if (!out)
        return xpl_reply_json(call, 503, NULL);
    if (choose_scale(p, q, &scale, &err) ||
        xpl_overlay_svg(call->arena, &zones, &q->overlay, p->low, p->high, scale, q->legend, out, &err))
        return xpl_reply_error(call, &err);
    if (!(copy = xpl_arena_copy(call->arena, out->data, out->length)))
        return xpl_reply_json(call, 503, NULL);
    xpl_reply_etag(call, etag);
    return xpl_reply_bytes(call, 200, "image/svg+xml", (struct xpl_text){copy, out->length});
}

/* A picture is drawn from what never changes, by a program that may. The class is part of the tag when it is one. */
static const char *etag_of(struct xpl_call *call, const struct xpl_task *task, const struct xpl_picture_query *query)
{
    const char *class_text = xpl_call_query(call, "class"), *tag = xpl_picture_query_tag(call->arena, query);
    int64_t class_index = -1;

    if (!tag || (class_text && !xpl_parse_int(class_text, 0, MAX_CLASS, &class_index)))
        return NULL;
    return xpl_arena_printf(call->arena, "\"%s-%s-%lld-%s\"", task->id, tag, (long long)class_index, EXPLAIND_VERSION);
}

enum xpl_answered xpl_explanation_task_image(struct xpl_call *call)
{
    struct xpl_picture_query query;
    struct picture picture = {0};
    struct xpl_error err = {0};
    struct xpl_task task;
    const char *etag;

    if (xpl_picture_query_read(call, &query, &err) || xpl_task_find_finished(call, &task, &err))
        return xpl_reply_error(call, &err);
    etag = etag_of(call, &task, &query);
    if (etag && xpl_call_has_current(call, etag))
        return xpl_reply_not_modified(call, etag);
    if (load(call, &task, &picture, &err))
        return xpl_reply_error(call, &err);
    return query.svg ? reply_svg(call, &picture, &query, etag) : reply_png(call, &picture, &query, etag);
}
