/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures of a finished explanation, drawn when they are asked for: from the logged image and the stored attributions,
 * without a call of the model.
 */
#include <string.h>

#include "api/explanation_tasks.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "db/records.h"
#include "lib/base/text.h"
#include "lib/explain/render.h"
#include "lib/image/encode.h"
#include "lib/scoring/request.h"

#define MAX_CLASS 99999

static const char *const panes[] = {"positive", "negative", "original", "sheet"};
enum pane_kind {
    PANE_POSITIVE,
    PANE_NEGATIVE,
    PANE_ORIGINAL,
    PANE_SHEET,
    N_PANES
};

struct picture {
    struct xpl_pixels *image;
    struct xpl_segments segments; /* height, width, count and labels */
    double *weights;
    bool binary;
};

static enum xpl_status read_pane(const struct xpl_call *call, enum pane_kind *ret, struct xpl_error *err)
{
    const char *name = xpl_call_query(call, "pane");

    *ret = PANE_SHEET;
    for (int i = 0; name && i < N_PANES; i++) {
        if (strcmp(panes[i], name) == 0) {
            *ret = (enum pane_kind)i;
            return XPL_OK;
        }
    }
    return name ? xpl_fail_field(err, XPL_BAD_FIELD, "pane",
                                 "\"%.40s\" is not one of positive, negative, original, sheet", name)
                : XPL_OK;
}

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
    const json_t *weights = json_object_get(class_view, "weights");
    uint32_t d = p->segments.count;

    if (json_array_size(weights) != d)
        return damaged(err);
    if (!(p->weights = XPL_NEW_ARRAY(call->arena, double, d)))
        return xpl_no_memory(err);
    for (uint32_t j = 0; j < d; j++)
        p->weights[j] = json_number_value(json_array_get(weights, j));
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

static enum xpl_status draw_pane(struct xpl_arena *arena, const struct picture *p, enum pane_kind kind, uint8_t **ret,
                                 struct xpl_error *err)
{
    struct xpl_pane pane;
    enum xpl_status st = XPL_OK;

    if (kind == PANE_POSITIVE)
        st = xpl_pane_of(arena, p->weights, p->segments.count, 1, &pane, err);
    else if (kind == PANE_NEGATIVE && p->binary)
        st = xpl_pane_complement(arena, p->weights, p->segments.count, &pane, err);
    else if (kind == PANE_NEGATIVE)
        st = xpl_pane_of(arena, p->weights, p->segments.count, -1, &pane, err);
    if (st)
        return st;
    return xpl_render_pane(arena, p->image, &p->segments, kind == PANE_ORIGINAL ? NULL : &pane, ret, err);
}

static enum xpl_status draw(struct xpl_arena *arena, const struct picture *p, enum pane_kind kind, uint8_t **ret_png,
                            size_t *ret_length, struct xpl_error *err)
{
    static const enum pane_kind order[] = {PANE_ORIGINAL, PANE_POSITIVE, PANE_NEGATIVE};
    uint32_t height = p->image->height, width = p->image->width;
    uint8_t *pictures[XPL_COUNT(order)], *rgb;
    enum xpl_status st = XPL_OK;

    if (kind != PANE_SHEET) {
        if ((st = draw_pane(arena, p, kind, &rgb, err)))
            return st;
        return xpl_encode_png(arena, rgb, height, width, ret_png, ret_length, err);
    }
    for (size_t i = 0; !st && i < XPL_COUNT(order); i++)
        st = draw_pane(arena, p, order[i], &pictures[i], err);
    if (st || (st = xpl_render_sheet(arena, (const uint8_t *const *)pictures, XPL_COUNT(order), height, width, &rgb,
                                     &height, &width, err)))
        return st;
    return xpl_encode_png(arena, rgb, height, width, ret_png, ret_length, err);
}

/* A picture is drawn from what never changes, by a program that may. The class is part of the tag when it is one. */
static const char *etag_of(struct xpl_call *call, const struct xpl_task *task, enum pane_kind kind)
{
    const char *class_text = xpl_call_query(call, "class");
    int64_t class_index = -1;

    if (class_text && !xpl_parse_int(class_text, 0, MAX_CLASS, &class_index))
        return NULL;
    return xpl_arena_printf(call->arena, "\"%s-%s%lld-%s\"", task->id, panes[kind], (long long)class_index,
                            EXPLAIND_VERSION);
}

enum xpl_answered xpl_explanation_task_image(struct xpl_call *call)
{
    struct picture picture = {0};
    struct xpl_error err = {0};
    struct xpl_task task;
    enum pane_kind kind;
    const char *etag;
    uint8_t *png;
    size_t length;

    if (read_pane(call, &kind, &err) || xpl_task_find_finished(call, &task, &err))
        return xpl_reply_error(call, &err);
    etag = etag_of(call, &task, kind);
    if (etag && xpl_call_has_current(call, etag))
        return xpl_reply_not_modified(call, etag);
    if (load(call, &task, &picture, &err) || draw(call->arena, &picture, kind, &png, &length, &err))
        return xpl_reply_error(call, &err);
    xpl_reply_etag(call, etag);
    return xpl_reply_bytes(call, 200, "image/png", (struct xpl_text){(const char *)png, length});
}
