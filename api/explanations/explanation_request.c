/* SPDX-License-Identifier: Apache-2.0 */
#include "api/explanations/explanation_request.h"

#include <string.h>

#include "api/handlers.h"
#include "api/json_spec.h"
#include "lib/base/json_scan.h"

#define IMAGES "input_rows"

struct members {
    const char *subscription_id;
    json_t *scoring_ids, *explanation_types, *parameters;
};

static enum xpl_status read_types(const json_t *types, struct xpl_explanation_request *ret, struct xpl_error *err)
{
    json_t *element;
    size_t i;

    ret->has_types = types != NULL;
    json_array_foreach(types, i, element)
    {
        bool lime = strcmp(json_string_value(element), "lime") == 0;

        if (!lime && strcmp(json_string_value(element), "contrastive") != 0)
            return xpl_fail_field(err, XPL_BAD_FIELD, "explanation_types", "\"%.40s\" is not lime or contrastive",
                                  json_string_value(element));
        *(lime ? &ret->lime : &ret->contrastive) = true;
    }
    return XPL_OK;
}

/* ---- the images apart from the rest ---- */

/* One pass over the body: `images` is the text of input_rows (empty when there is none), `rest` gets all other members.
 */
static enum xpl_status split_members(struct xpl_json_scan *scan, struct xpl_text *images, struct xpl_buf *rest)
{
    struct xpl_text name, value;
    const char *separator = "{";
    enum xpl_status st;
    bool more;

    if ((st = xpl_json_enter_object(scan)))
        return st;
    while ((st = xpl_json_next_member(scan, &name, &more)) == XPL_OK && more) {
        if ((st = xpl_json_skip(scan, &value)))
            return st;
        if (xpl_text_equal(name, IMAGES)) {
            if (images->length)
                return xpl_fail_field(scan->err, XPL_BAD_JSON, IMAGES, "comes twice");
            *images = value;
            continue;
        }
        xpl_buf_printf(rest, "%s\"%.*s\":", separator, (int)name.length, name.ptr);
        xpl_buf_append(rest, value.ptr, value.length);
        separator = ",";
    }
    xpl_buf_string(rest, *separator == '{' ? "{}" : "}");
    return st ? st : xpl_json_end(scan);
}

static enum xpl_status split(struct xpl_call *call, struct xpl_text *images, json_t **ret_rest, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) rest = xpl_buf_new(call->body.length + sizeof "{}");
    struct xpl_json_scan scan;
    enum xpl_status st;

    if (!rest)
        return xpl_no_memory(err);
    xpl_json_scan_start(&scan, call->body.data, call->body.length, &xpl_records_limits, err);
    if ((st = split_members(&scan, images, rest)))
        return st;
    return rest->failed ? xpl_no_memory(err)
                        : xpl_call_json_part(call, (struct xpl_text){rest->data, rest->length}, ret_rest, err);
}

/* A body without images is read as any other, with its byte positions in errors. */
static enum xpl_status read_body(struct xpl_call *call, struct xpl_text *images, json_t **ret_rest,
                                 struct xpl_error *err)
{
    if (call->body.length && memmem(call->body.data, call->body.length, "\"" IMAGES "\"", sizeof IMAGES + 1))
        return split(call, images, ret_rest, err);
    return xpl_call_json(call, ret_rest, err);
}

/* ---- members ---- */

static enum xpl_status read_members(const json_t *body, struct members *ret, struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_ARRAY_FIELD(struct members, scoring_ids, .min = 1, .max = XPL_TASKS_PER_REQUEST, .strings = true),
        XPL_JSON_ARRAY_FIELD(struct members, explanation_types, .min = 1, .max = 10, .strings = true),
        XPL_JSON_STRING(struct members, subscription_id, .min = 1, .max = 256),
        XPL_JSON_OBJECT_FIELD(struct members, parameters),
    };

    return xpl_json_read(body, fields, XPL_COUNT(fields), ret, err);
}

static enum xpl_status read_rows(struct xpl_call *call, struct xpl_text images, struct xpl_explanation_request *ret,
                                 struct xpl_error *err)
{
    struct xpl_error inner = {0};
    enum xpl_status st;

    if (images.length == 0 || xpl_text_equal(images, "null"))
        return XPL_OK;
    if (*images.ptr != '[')
        return xpl_fail_field(err, XPL_BAD_FIELD, IMAGES, "must be an array of records");
    if ((st = xpl_records_read_rows(call, images, &ret->rows, &ret->n_rows, &inner))) {
        xpl_error_prefix(&inner, IMAGES);
        return xpl_fail_field(err, st, inner.field, "%s", inner.message);
    }
    if (ret->n_rows > 0 && !ret->subscription_id)
        return xpl_fail_field(err, XPL_BAD_FIELD, "subscription_id", "is needed with " IMAGES);
    return XPL_OK;
}

enum xpl_status xpl_explanation_request_read(struct xpl_call *call, struct xpl_explanation_request *ret,
                                             struct xpl_error *err)
{
    struct xpl_text images = {0};
    struct members members = {0};
    enum xpl_status st;

    *ret = (struct xpl_explanation_request){0};
    if ((st = read_body(call, &images, &ret->body, err)) || (st = read_members(ret->body, &members, err)) ||
        (st = read_types(members.explanation_types, ret, err)))
        return st;
    ret->scoring_ids = members.scoring_ids;
    ret->parameters = members.parameters;
    ret->subscription_id = members.subscription_id;
    if ((st = read_rows(call, images, ret, err)))
        return st;
    if (!ret->scoring_ids && ret->n_rows == 0)
        return xpl_fail_field(err, XPL_BAD_FIELD, "scoring_ids", "is missing");
    return XPL_OK;
}
