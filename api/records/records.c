/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what was logged. */
#include <stdlib.h>
#include <string.h>

#include "api/configuration/resource.h"
#include "api/export.h"
#include "api/handlers.h"
#include "api/json_text.h"
#include "api/paging.h"
#include "api/records/record_filters.h"
#include "api/records/record_views.h"
#include "api/records/records.h"
#include "lib/base/text.h"

enum xpl_status xpl_check_data_set(struct xpl_db *db, struct xpl_call *call, struct xpl_error *err)
{
    struct xpl_resource data_set;
    const char *id = call->path_params[0];
    enum xpl_status st = xpl_resource_get(db, call->arena, &xpl_kind_data_set, call->data_mart_id, id, &data_set, err);

    return st == XPL_NOT_FOUND ? xpl_resource_missing("data_set", id, err) : st;
}

static enum xpl_answered reply_built(struct xpl_call *call)
{
    if (call->out.failed)
        return xpl_reply_json(call, 503, NULL);
    return xpl_reply_json_text(call, 200, (struct xpl_text){call->out.data, call->out.length});
}

/* ---- lists ---- */

static enum xpl_status append_dicts(struct xpl_call *call, const struct xpl_record *records, size_t n,
                                    const struct xpl_record_view *view, struct xpl_error *err)
{
    xpl_buf_string(&call->out, "[");
    for (size_t i = 0; i < n; i++) {
        enum xpl_status st;

        if (i)
            xpl_buf_string(&call->out, ",");
        if ((st = xpl_record_append(call, &call->out, &records[i], view, err)))
            return st;
    }
    return xpl_buf_string(&call->out, "]") ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status append_table(struct xpl_call *call, const struct xpl_record *records, size_t n,
                                    const struct xpl_record_view *view, struct xpl_error *err)
{
    struct xpl_buf *out = &call->out;
    const char *separator = "[{\"fields\":[";

    for (int i = 0; i < XPL_VIEW_N_COLUMNS; i++) {
        if (!view->shown[i])
            continue;
        xpl_buf_printf(out, "%s\"%s\"", separator, xpl_record_view_names[i]);
        separator = ",";
    }
    xpl_buf_string(out, "],\"values\":[");
    for (size_t i = 0; i < n; i++) {
        enum xpl_status st;

        if (i)
            xpl_buf_string(out, ",");
        if ((st = xpl_record_append_row(call, out, &records[i], view, err)))
            return st;
    }
    xpl_buf_string(out, "],\"annotations\":[");
    for (size_t i = 0; i < n; i++)
        xpl_buf_printf(out, "%s%s", i ? "," : "",
                       view->annotations && records[i].annotations ? records[i].annotations : "null");
    return xpl_buf_string(out, "]}]") ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status append_total(struct xpl_call *call, const struct xpl_record_query *query, struct xpl_error *err)
{
    enum xpl_status st;
    int64_t total;
    bool wanted;

    if ((st = xpl_query_bool(call, "include_total_count", false, &wanted, err)) || !wanted)
        return st;
    if ((st = xpl_records_count(call->db, query, &total, err)))
        return st;
    return xpl_buf_printf(&call->out, ",\"total_count\":%lld", (long long)total) ? XPL_OK : xpl_no_memory(err);
}

/* A full page may have another one behind it. */
static enum xpl_status append_next(struct xpl_call *call, const struct xpl_record_query *query,
                                   const struct xpl_record *records, size_t n, struct xpl_error *err)
{
    const char *next;

    if (n == 0 || n < (size_t)query->limit)
        return XPL_OK;
    next = xpl_next_page(call, xpl_record_key_text(call, query, &records[n - 1]), query->offset + query->limit);
    return next && xpl_buf_printf(&call->out, ",\"next\":%s", next) ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status list(struct xpl_call *call, struct xpl_error *err)
{
    const char *format = xpl_call_query(call, "format");
    bool table = format && strcmp(format, "list") == 0;
    struct xpl_record_query *query = XPL_NEW(call->arena, struct xpl_record_query);
    struct xpl_record_view view;
    struct xpl_record *records;
    enum xpl_status st;
    size_t n;

    if (!query)
        return xpl_no_memory(err);
    if (format && !table && strcmp(format, "dict") != 0)
        return xpl_fail_field(err, XPL_BAD_FIELD, "format", "\"%.20s\" is neither dict nor list", format);
    if ((st = xpl_check_data_set(call->db, call, err)) || (st = xpl_record_query_read(call, query, &view, err)))
        return st;
    query->data_set_id = call->path_params[0];
    if ((st = xpl_records_list(call->db, call->arena, query, &records, &n, err)))
        return st;
    xpl_buf_clear(&call->out);
    xpl_buf_string(&call->out, "{\"records\":");
    st = table ? append_table(call, records, n, &view, err) : append_dicts(call, records, n, &view, err);
    if (st || (st = append_total(call, query, err)) || (st = append_next(call, query, records, n, err)))
        return st;
    return xpl_buf_string(&call->out, "}") ? XPL_OK : xpl_no_memory(err);
}

enum xpl_answered xpl_records_list_get(struct xpl_call *call)
{
    struct xpl_error err = {0};

    if (xpl_export_wanted(call))
        return xpl_records_export(call);
    return list(call, &err) ? xpl_reply_error(call, &err) : reply_built(call);
}

/* What a record found across data sets says about its own. */
static enum xpl_status append_data_set(struct xpl_call *call, const char *id, struct xpl_error *err)
{
    XPL_AUTO_JSON entity = NULL;
    XPL_AUTO_JSON view = NULL;
    struct xpl_resource data_set;
    const char *text;
    enum xpl_status st;

    if ((st = xpl_resource_get(call->db, call->arena, &xpl_kind_data_set, call->data_mart_id, id, &data_set, err)) ||
        (st = xpl_resource_entity(&data_set, &entity, err)))
        return st;
    view = json_pack("{s:s, s:s, s:O, s:O, s:O}", "id", id, "data_mart_id", call->data_mart_id, "type",
                     json_object_get(entity, "type"), "target", json_object_get(entity, "target"), "data_schema",
                     json_object_get(entity, "data_schema"));
    text = view ? xpl_json_text(call->arena, view) : NULL;
    return text && xpl_buf_string(&call->out, text) ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status append_found(struct xpl_call *call, const struct xpl_record *records, size_t n,
                                    struct xpl_error *err)
{
    struct xpl_record_view view = xpl_record_view_default();
    enum xpl_status st;

    xpl_buf_clear(&call->out);
    xpl_buf_string(&call->out, "{\"data_set_records\":[");
    for (size_t i = 0; i < n; i++) {
        xpl_buf_string(&call->out, i ? ",{\"data_set\":" : "{\"data_set\":");
        if ((st = append_data_set(call, records[i].data_set_id, err)))
            return st;
        xpl_buf_string(&call->out, ",\"records\":");
        if ((st = xpl_record_append(call, &call->out, &records[i], &view, err)))
            return st;
        xpl_buf_string(&call->out, "}");
    }
    return xpl_buf_string(&call->out, "]}") ? XPL_OK : xpl_no_memory(err);
}

/* What a client asks of the records it names. */
struct found {
    struct xpl_record *records;
    size_t n;
    int64_t start, end, limit, offset;
    bool none; /* another type of data set was asked for */
};

static void take(struct found *found, const struct xpl_record *record)
{
    bool inside = record->scoring_timestamp >= found->start &&
                  (found->end == 0 || record->scoring_timestamp < found->end) && !found->none;

    if (inside && found->offset > 0)
        found->offset--;
    else if (inside && (int64_t)found->n < found->limit)
        found->records[found->n++] = *record;
}

static enum xpl_status take_transaction(struct xpl_call *call, const char *id, struct found *found,
                                        struct xpl_error *err)
{
    struct xpl_record *records;
    enum xpl_status st;
    size_t n;

    st = xpl_records_by_transaction(call->db, call->arena, call->data_mart_id, id, &records, &n, err);
    for (size_t i = 0; !st && i < n; i++)
        take(found, &records[i]);
    return st;
}

static enum xpl_status take_record(struct xpl_call *call, const char *id, struct found *found, struct xpl_error *err)
{
    struct xpl_error missing = {0};
    struct xpl_record record;
    enum xpl_status st = xpl_record_get(call->db, call->arena, call->data_mart_id, NULL, id, &record, &missing);

    if (st == XPL_OK)
        take(found, &record);
    return st == XPL_OK || st == XPL_NOT_FOUND ? XPL_OK : xpl_fail(err, st, "%s", missing.message);
}

/* Every id of a comma-separated list, records or transactions. */
static enum xpl_status take_all(struct xpl_call *call, const char *list, bool transactions, struct found *found,
                                struct xpl_error *err)
{
    char *text = xpl_arena_string(call->arena, list), *state = NULL;

    if (!text)
        return xpl_no_memory(err);
    for (char *id = strtok_r(text, ",", &state); id; id = strtok_r(NULL, ",", &state)) {
        enum xpl_status st = transactions ? take_transaction(call, id, found, err) : take_record(call, id, found, err);

        if (st)
            return st;
    }
    return XPL_OK;
}

static enum xpl_status read_found(struct xpl_call *call, struct found *ret, struct xpl_error *err)
{
    const char *type = xpl_call_query(call, "data_set_type");
    enum xpl_status st;

    *ret = (struct found){.none = type && *type && strcmp(type, "payload_logging") != 0};
    if ((st = xpl_query_time(call, "start", 0, &ret->start, err)) ||
        (st = xpl_query_time(call, "end", 0, &ret->end, err)) ||
        (st = xpl_query_int(call, "offset", 0, INT64_MAX, 0, &ret->offset, err)) ||
        (st = xpl_query_int(call, "limit", 0, INT32_MAX, XPL_RECORDS_PAGE_MAX, &ret->limit, err)))
        return st;
    if (ret->limit > XPL_RECORDS_PAGE_MAX)
        ret->limit = XPL_RECORDS_PAGE_MAX;
    ret->records = XPL_NEW_ARRAY(call->arena, struct xpl_record, XPL_RECORDS_PAGE_MAX);
    return ret->records ? XPL_OK : xpl_no_memory(err);
}

enum xpl_answered xpl_data_set_records_list(struct xpl_call *call)
{
    const char *ids = xpl_call_query(call, "record_id"), *transactions = xpl_call_query(call, "transaction_id");
    struct xpl_error err = {0};
    struct found found;

    if (!ids && !transactions)
        xpl_fail_field(&err, XPL_BAD_FIELD, "record_id", "is missing: record_id or transaction_id is needed");
    if (err.status || read_found(call, &found, &err) || take_all(call, ids ? ids : transactions, !ids, &found, &err) ||
        append_found(call, found.records, found.n, &err))
        return xpl_reply_error(call, &err);
    return reply_built(call);
}

/* ---- one record ---- */

enum xpl_status xpl_record_find(struct xpl_db *db, struct xpl_call *call, const char *id, struct xpl_record *ret,
                                struct xpl_error *err)
{
    enum xpl_status st = xpl_check_data_set(db, call, err);

    if (st)
        return st;
    st = xpl_record_get(db, call->arena, call->data_mart_id, call->path_params[0], id, ret, err);
    return st == XPL_NOT_FOUND ? xpl_resource_missing("record", id, err) : st;
}

enum xpl_status xpl_record_reply(struct xpl_db *db, struct xpl_call *call, const struct xpl_record *record,
                                 struct xpl_error *err)
{
    struct xpl_record_view view = xpl_record_view_default();
    enum xpl_status st;

    view.shown[XPL_VIEW_SCORING_INPUT] = true;
    if ((st = xpl_record_view_read_binary_format(call, &view, err)))
        return st;
    call->db = db;
    xpl_buf_clear(&call->out);
    if ((st = xpl_record_append(call, &call->out, record, &view, err)))
        return st;
    reply_built(call);
    return XPL_OK;
}

enum xpl_answered xpl_records_get(struct xpl_call *call)
{
    struct xpl_error err = {0};
    struct xpl_record record;

    if (xpl_record_find(call->db, call, call->path_params[1], &record, &err) ||
        xpl_record_reply(call->db, call, &record, &err))
        return xpl_reply_error(call, &err);
    return XPL_ANSWERED;
}

enum xpl_answered xpl_records_field(struct xpl_call *call)
{
    const char *name = call->path_params[2];
    enum xpl_record_view_column column = xpl_record_view_column_of(name, strlen(name));
    struct xpl_error err = {0};
    struct xpl_record record;

    if (xpl_record_find(call->db, call, call->path_params[1], &record, &err))
        return xpl_reply_error(call, &err);
    if (column == XPL_VIEW_N_COLUMNS) {
        xpl_fail(&err, XPL_NOT_FOUND, "a record has no field `%.60s`", name);
        return xpl_reply_error(call, &err);
    }
    xpl_buf_clear(&call->out);
    if (xpl_record_append_value(call, &call->out, &record, column, false, &err))
        return xpl_reply_error(call, &err);
    return reply_built(call);
}

/* ---- requests ---- */

enum xpl_answered xpl_record_requests_get(struct xpl_call *call)
{
    struct xpl_record_request request;
    struct xpl_error err = {0};
    enum xpl_status st;

    if (xpl_check_data_set(call->db, call, &err))
        return xpl_reply_error(call, &err);
    st = xpl_record_request_get(call->db, call->arena, call->path_params[0], call->path_params[1], &request, &err);
    if (st == XPL_NOT_FOUND)
        xpl_resource_missing("request", call->path_params[1], &err);
    if (st)
        return xpl_reply_error(call, &err);
    return xpl_reply_json(call, 200,
                          json_pack("{s:s, s:s, s:I}", "request_id", request.id, "state", request.state,
                                    "records_count", (json_int_t)request.n_records));
}
