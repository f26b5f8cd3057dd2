/* SPDX-License-Identifier: Apache-2.0 */
#include "api/records/record_views.h"

#include <string.h>

#include "api/configuration/resource.h"
#include "api/json_text.h"
#include "lib/base/time.h"

const char *const xpl_record_view_names[XPL_VIEW_N_COLUMNS + 1] = {
    [XPL_VIEW_SCORING_ID] = "scoring_id",
    [XPL_VIEW_TRANSACTION_ID] = "transaction_id",
    [XPL_VIEW_SCORING_TIMESTAMP] = "scoring_timestamp",
    [XPL_VIEW_DEPLOYMENT_ID] = "deployment_id",
    [XPL_VIEW_ASSET_REVISION] = "asset_revision",
    [XPL_VIEW_USER_ID] = "user_id",
    [XPL_VIEW_RESPONSE_TIME] = "response_time",
    [XPL_VIEW_PREDICTION] = "prediction",
    [XPL_VIEW_PROBABILITY] = "probability",
    [XPL_VIEW_PREDICTION_PROBABILITY] = "prediction_probability",
    [XPL_VIEW_SCORING_INPUT] = "scoring_input",
};

struct xpl_record_view xpl_record_view_default(void)
{
    struct xpl_record_view view = {.annotations = true};

    for (int i = 0; i < XPL_VIEW_SCORING_INPUT; i++)
        view.shown[i] = true;
    return view;
}

enum xpl_record_view_column xpl_record_view_column_of(const char *name, size_t length)
{
    int i = 0;

    while (i < XPL_VIEW_N_COLUMNS && !xpl_text_equal((struct xpl_text){name, length}, xpl_record_view_names[i]))
        i++;
    return (enum xpl_record_view_column)i;
}

/* Appends a small JSON value and drops it. */
static enum xpl_status append_json(struct xpl_call *call, struct xpl_buf *out, json_t *value, struct xpl_error *err)
{
    const char *text = value ? xpl_json_text(call->arena, value) : NULL;

    json_decref(value);
    return text && xpl_buf_string(out, text) ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status append_image(struct xpl_call *call, struct xpl_buf *out, const struct xpl_record *record,
                                    struct xpl_error *err)
{
    struct xpl_text request;
    enum xpl_status st = xpl_payload_load(call->db, call->arena, record->payload_id, &request, NULL, err);
    const char *image, *open = "", *close = "";

    if (st)
        return st;
    if ((uint64_t)record->image_offset + (uint64_t)record->image_length > request.length || record->image_length < 1)
        return xpl_fail(err, XPL_STORAGE_FAILED, "a stored payload is damaged");
    image = request.ptr + record->image_offset;
    if (*image != '[') { /* a part of a tensor's list, or what a string holds */
        bool number = *image == '-' || (*image >= '0' && *image <= '9');

        open = number ? "[" : "\"";
        close = number ? "]" : "\"";
    }
    xpl_buf_string(out, open);
    xpl_buf_append(out, image, (size_t)record->image_length);
    return xpl_buf_string(out, close) ? XPL_OK : xpl_no_memory(err);
}

static bool is_predicted(const struct xpl_record *record)
{
    return strcmp(record->predicted.probabilities, XPL_NO_PROBABILITIES) != 0;
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

enum xpl_status xpl_record_append_value(struct xpl_call *call, struct xpl_buf *out, const struct xpl_record *record,
                                        enum xpl_record_view_column column, bool image_by_reference,
                                        struct xpl_error *err)
{
    const struct xpl_record *r = record;
    char when[XPL_TIME_TEXT_SIZE];

    switch (column) {
    case XPL_VIEW_SCORING_ID:
        return append_json(call, out, json_string(r->scoring_id), err);
    case XPL_VIEW_TRANSACTION_ID:
        return append_json(call, out, json_string(r->transaction_id), err);
    case XPL_VIEW_SCORING_TIMESTAMP:
        return append_json(call, out, json_string(xpl_time_format(r->scoring_timestamp, when)), err);
    case XPL_VIEW_DEPLOYMENT_ID:
        return append_json(call, out, text_or_null(r->deployment_id), err);
    case XPL_VIEW_ASSET_REVISION:
        return append_json(call, out, text_or_null(r->asset_revision), err);
    case XPL_VIEW_USER_ID:
        return append_json(call, out, text_or_null(r->user_id), err);
    case XPL_VIEW_RESPONSE_TIME:
        return append_json(call, out, r->has_response_time ? json_real(r->response_time) : json_null(), err);
    case XPL_VIEW_PREDICTION:
        return xpl_buf_string(out, r->predicted.prediction) ? XPL_OK : xpl_no_memory(err);
    case XPL_VIEW_PROBABILITY:
        return xpl_buf_string(out, r->predicted.probabilities) ? XPL_OK : xpl_no_memory(err);
    case XPL_VIEW_PREDICTION_PROBABILITY:
        return append_json(call, out, is_predicted(r) ? json_real(r->predicted.probability) : json_null(), err);
    case XPL_VIEW_SCORING_INPUT:
        if (!image_by_reference)
            return append_image(call, out, r, err);
        return append_json(call, out,
                           json_pack("{s:o}", "reference",
                                     json_sprintf("/v2/data_sets/%s/records/%s/scoring_input", r->data_set_id, r->id)),
                           err);
    case XPL_VIEW_N_COLUMNS:
        break;
    }
    return XPL_INTERNAL;
}

/* In a list or record an image that was deleted is null; asked for by itself it is an error. */
static enum xpl_status append_shown(struct xpl_call *call, struct xpl_buf *out, const struct xpl_record *record,
                                    enum xpl_record_view_column column, const struct xpl_record_view *view,
                                    struct xpl_error *err)
{
    enum xpl_status st = xpl_record_append_value(call, out, record, column, view->image_by_reference, err);

    if (st != XPL_GONE)
        return st;
    xpl_error_clear(err);
    return xpl_buf_string(out, "null") ? XPL_OK : xpl_no_memory(err);
}

static json_t *metadata(const struct xpl_record *record)
{
    char when[XPL_TIME_TEXT_SIZE];

    return json_pack(
        "{s:s, s:o, s:o, s:s, s:s}", "id", record->id, "crn",
        json_sprintf("crn:v1:bluemix:public:aiopenscale:us-south:a/na:%s:record:%s", record->data_mart_id, record->id),
        "url", json_sprintf("/v2/data_sets/%s/records/%s", record->data_set_id, record->id), "created_at",
        xpl_time_format(record->created_at, when), "created_by", record->created_by);
}

enum xpl_status xpl_record_append(struct xpl_call *call, struct xpl_buf *out, const struct xpl_record *record,
                                  const struct xpl_record_view *view, struct xpl_error *err)
{
    const char *separator = "";
    enum xpl_status st;

    xpl_buf_string(out, "{\"metadata\":");
    if ((st = append_json(call, out, metadata(record), err)))
        return st;
    xpl_buf_string(out, ",\"entity\":{\"values\":{");
    for (int i = 0; i < XPL_VIEW_N_COLUMNS; i++) {
        if (!view->shown[i])
            continue;
        xpl_buf_printf(out, "%s\"%s\":", separator, xpl_record_view_names[i]);
        if ((st = append_shown(call, out, record, (enum xpl_record_view_column)i, view, err)))
            return st;
        separator = ",";
    }
    xpl_buf_printf(out, "},\"annotations\":%s}}",
                   view->annotations && record->annotations ? record->annotations : "null");
    return out->failed ? xpl_no_memory(err) : XPL_OK;
}

enum xpl_status xpl_record_append_row(struct xpl_call *call, struct xpl_buf *out, const struct xpl_record *record,
                                      const struct xpl_record_view *view, struct xpl_error *err)
{
    const char *separator = "[";
    enum xpl_status st;

    for (int i = 0; i < XPL_VIEW_N_COLUMNS; i++) {
        if (!view->shown[i])
            continue;
        xpl_buf_string(out, separator);
        if ((st = append_shown(call, out, record, (enum xpl_record_view_column)i, view, err)))
            return st;
        separator = ",";
    }
    return xpl_buf_string(out, *separator == '[' ? "[]" : "]") ? XPL_OK : xpl_no_memory(err);
}
