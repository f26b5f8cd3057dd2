/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures of a finished explanation, drawn when they are asked for: from the logged image and the stored attributions,
 * without a call of the model.
 */
#include <string.h>

#include "api/explanations/explanation_tasks.h"
#include "api/explanations/picture.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/records/record_image.h"
#include "lib/base/text.h"

#define MAX_CLASS 99999

static enum xpl_status load_image(struct xpl_call *call, const struct xpl_task *task, struct xpl_pixels **ret,
                                  struct xpl_error *err)
{
    struct xpl_model_settings model;
    struct xpl_request *request;
    struct xpl_record record;
    enum xpl_status st;

    if ((st = xpl_record_get(call->db, call->arena, call->data_mart_id, NULL, task->record_id, &record, err)) ||
        (st = xpl_model_settings_of_data_set(call->db, call->arena, call->data_mart_id, record.data_set_id, &model,
                                             err)))
        return st;
    return xpl_record_image_load(call->app, call->db, call->arena, &record, &model.request, &request, ret, err);
}

static enum xpl_status damaged(struct xpl_error *err)
{
    return xpl_fail(err, XPL_STORAGE_FAILED, "the stored attributions are damaged");
}

static enum xpl_status read_labels(struct xpl_call *call, const json_t *attributions, struct xpl_picture *p,
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

static enum xpl_status read_weights(struct xpl_call *call, const json_t *class_view, struct xpl_picture *p,
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

/* A set of superpixels of the contrastive explanation, as weights of 1. */
static enum xpl_status read_pertinent(struct xpl_call *call, const json_t *attributions, bool negative,
                                      struct xpl_picture *p, struct xpl_error *err)
{
    const json_t *contrastive = xpl_json_at(attributions, "entity.contrastive");
    const json_t *segments =
        json_object_get(json_object_get(contrastive, negative ? "negative" : "positive"), "segments");
    uint32_t d = p->segments.count;
    json_t *element;
    size_t i;

    if (!json_is_object(contrastive))
        return xpl_fail(err, XPL_NOT_FOUND, "no contrastive explanation was asked for with this task");
    if (!segments)
        return xpl_fail(err, XPL_NOT_FOUND, "no set of zones was found that %s the class",
                        negative ? "changes" : "keeps");
    if (!(p->weights = XPL_NEW_ARRAY(call->arena, double, d)))
        return xpl_no_memory(err);
    json_array_foreach(segments, i, element)
    {
        if (json_integer_value(element) < 0 || json_integer_value(element) >= d)
            return damaged(err);
        p->weights[json_integer_value(element)] = 1;
    }
    return XPL_OK;
}

static enum xpl_status load(struct xpl_call *call, const struct xpl_task *task, enum xpl_picture_kind kind,
                            struct xpl_picture *p, struct xpl_error *err)
{
    bool negative = kind == XPL_PICTURE_PERTINENT_NEGATIVE;
    XPL_AUTO_JSON attributions = NULL;
    const json_t *class_view = NULL;
    const char *text;
    enum xpl_status st;

    if ((st = load_image(call, task, &p->image, err)) ||
        (st = xpl_explanation_attributions(call->db, call->arena, task->id, &text, err)))
        return st;
    attributions = json_loads(text, 0, NULL);
    p->binary = is_binary(attributions);
    if ((st = read_labels(call, attributions, p, err)))
        return st;
    if (negative || kind == XPL_PICTURE_PERTINENT_POSITIVE)
        return read_pertinent(call, attributions, negative, p, err);
    if ((st = find_class(call, xpl_json_at(attributions, "entity.classes"), &class_view, err)))
        return st;
    return read_weights(call, class_view, p, err);
}

static enum xpl_answered reply_png(struct xpl_call *call, const struct xpl_picture *p,
                                   const struct xpl_picture_query *q, const char *etag)
{
    struct xpl_error err = {0};
    uint8_t *png;
    size_t length;

    if (xpl_picture_png(call->arena, p, q, &png, &length, &err))
        return xpl_reply_error(call, &err);
    xpl_reply_etag(call, etag);
    return xpl_reply_bytes(call, 200, "image/png", (struct xpl_text){(const char *)png, length});
}

static enum xpl_answered reply_svg(struct xpl_call *call, const struct xpl_picture *p,
                                   const struct xpl_picture_query *q, const char *etag)
{
    XPL_AUTO(xpl_buf) out = xpl_buf_new(XPL_PICTURE_MAX_SVG);
    struct xpl_error err = {0};
    const char *copy;

    if (!out)
        return xpl_reply_json(call, 503, NULL);
    if (xpl_picture_svg(call->arena, p, q, out, &err))
        return xpl_reply_error(call, &err);
    if (!(copy = xpl_arena_copy(call->arena, out->data, out->length)))
        return xpl_reply_json(call, 503, NULL);
    xpl_reply_etag(call, etag);
    return xpl_reply_bytes(call, 200, "image/svg+xml", (struct xpl_text){copy, out->length});
}

static enum xpl_answered reply_json(struct xpl_call *call, const struct xpl_picture *p,
                                    const struct xpl_picture_query *q, const char *etag)
{
    json_t *view = xpl_picture_json(p, q);

    if (view)
        xpl_reply_etag(call, etag);
    return xpl_reply_json(call, view ? 200 : 503, view);
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
    struct xpl_picture picture = {0};
    struct xpl_error err = {0};
    struct xpl_task task;
    const char *etag;

    if (xpl_picture_query_read(call, &query, &err) || xpl_task_find_finished(call, &task, &err))
        return xpl_reply_error(call, &err);
    etag = etag_of(call, &task, &query);
    if (etag && xpl_call_has_current(call, etag))
        return xpl_reply_not_modified(call, etag);
    if (load(call, &task, query.kind, &picture, &err))
        return xpl_reply_error(call, &err);
    switch (query.format) {
    case XPL_PICTURE_SVG:
        return reply_svg(call, &picture, &query, etag);
    case XPL_PICTURE_JSON:
        return reply_json(call, &picture, &query, etag);
    case XPL_PICTURE_PNG:
        break;
    }
    return reply_png(call, &picture, &query, etag);
}
