/* SPDX-License-Identifier: Apache-2.0 */
/* Payload logging in the form of v1, and what was logged as a table. */
#include <stdio.h>
#include <string.h>

#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/records/record_batch.h"
#include "api/records/record_views.h"
#include "api/v1/v1.h"
#include "db/record_query.h"
#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"

#define PAGE_MAX     1000
#define DEFAULT_PAGE 10

/* ---- logging ---- */

static bool minimal_wanted(const struct xpl_call *call)
{
    const char *prefer = xpl_call_header(call, "Prefer");

    return prefer && strstr(prefer, "return=minimal");
}

/* The subscription that one transaction names: it must be that of those before. */
static enum xpl_status take_subscription(struct xpl_text transaction, size_t index, struct xpl_text *first,
                                         struct xpl_error *err)
{
    struct xpl_text id;
    char field[48];

    snprintf(field, sizeof field, "[%zu].subscription_id", index);
    if (!xpl_json_member(transaction, "subscription_id", &id) || !xpl_json_text_is_string(id))
        return xpl_fail_field(err, XPL_BAD_FIELD, field, "is missing");
    if (first->ptr && (id.length != first->length || memcmp(id.ptr, first->ptr, id.length) != 0))
        return xpl_fail_field(err, XPL_BAD_FIELD, field,
                              "differs from that of the first transaction: "
                              "log each subscription with a request of its own");
    *first = id;
    return XPL_OK;
}

/* The one subscription that all transactions name. */
static enum xpl_status subscription_of(struct xpl_call *call, const char **ret, struct xpl_error *err)
{
    struct xpl_text body = xpl_text_without_mark(xpl_call_body(call)), transaction, id = {0};
    enum xpl_status st = xpl_json_check(body.ptr, body.length, &xpl_records_limits, err);
    struct xpl_json_scan scan;
    bool more;

    if (st)
        return st;
    body = xpl_text_trim(body);
    if (!xpl_json_text_is_array(body))
        return xpl_fail(err, XPL_BAD_FIELD, "the body must be an array of scored transactions");
    xpl_json_rescan_start(&scan, body, err);
    xpl_json_enter_array(&scan);
    for (size_t i = 0; i < XPL_MAX_TRANSACTIONS && (st = xpl_json_next_element(&scan, &more)) == XPL_OK && more; i++)
        if ((st = xpl_json_skip(&scan, &transaction)) || (st = take_subscription(transaction, i, &id, err)))
            return st;
    if (st)
        return st;
    if (!id.ptr)
        return xpl_fail(err, XPL_BAD_FIELD, "the body holds no transaction");
    *ret = xpl_arena_string_n(call->arena, id.ptr + 1, id.length - 2);
    return *ret ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    struct xpl_record_batch *batch = arg;
    const char *request_id;
    enum xpl_status st = xpl_record_batch_store(db, call, batch, &request_id, err);
    json_t *ids;

    if (st)
        return st;
    if (minimal_wanted(call)) {
        xpl_reply_bytes(call, 204, NULL, xpl_text_of(""));
        return XPL_OK;
    }
    ids = json_array();
    for (size_t i = 0; i < batch->n; i++)
        for (uint32_t k = 0; k < batch->prepared[i].n_records; k++)
            json_array_append_new(ids, json_string(batch->prepared[i].records[k].scoring_id));
    xpl_reply_json(call, 202,
                   json_pack("{s:s, s:s, s:o}", "state", "active", "request_id", request_id, "scoring_ids", ids));
    return XPL_OK;
}

enum xpl_answered xpl_v1_scoring_payloads_add(struct xpl_call *call)
{
    struct xpl_record_batch *batch = XPL_NEW(call->arena, struct xpl_record_batch);
    struct xpl_transaction *transactions;
    const char *subscription_id;
    struct xpl_error err = {0};
    size_t n;

    if (!batch)
        return xpl_reply_json(call, 503, NULL);
    if (xpl_v1_enter(call, &err) || xpl_call_check_json_type(call, &err) ||
        subscription_of(call, &subscription_id, &err) ||
        xpl_record_batch_of_subscription(call, subscription_id, batch, &err) ||
        xpl_records_read(call, xpl_call_body(call), &transactions, &n, &err) ||
        xpl_record_batch_prepare(call, batch, transactions, n, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_add, batch, call->body.length);
}

/* ---- the table ---- */

/* Without the image: the SDK takes a string for a file of another kind, and a page of images would be too large. */
static struct xpl_record_view table_view(void)
{
    struct xpl_record_view view = xpl_record_view_default();

    view.annotations = false;
    return view;
}

static const char *type_of(enum xpl_record_view_column column)
{
    switch ((int)column) {
    case XPL_VIEW_SCORING_TIMESTAMP:
        return "timestamp";
    case XPL_VIEW_RESPONSE_TIME:
    case XPL_VIEW_PREDICTION_PROBABILITY:
        return "double";
    case XPL_VIEW_PROBABILITY:
        return "array";
    default:
        return "string";
    }
}

enum xpl_answered xpl_v1_payload_schema_get(struct xpl_call *call)
{
    struct xpl_record_view view = table_view();
    struct xpl_resource subscription;
    XPL_AUTO_JSON fields = json_array();
    struct xpl_error err = {0};

    if (xpl_v1_enter(call, &err) || xpl_v1_find_subscription(call->db, call, &subscription, &err))
        return xpl_reply_error(call, &err);
    for (int i = 0; i < XPL_VIEW_N_COLUMNS; i++)
        if (view.shown[i])
            json_array_append_new(fields,
                                  json_pack("{s:s, s:s, s:b, s:{}}", "name", xpl_record_view_names[i], "type",
                                            type_of((enum xpl_record_view_column)i), "nullable", 1, "metadata"));
    return xpl_reply_json(call, 200,
                          json_pack("{s:o, s:{s:s, s:O}}", "table_name", json_sprintf("Payload_%s", subscription.id),
                                    "table_schema", "type", "struct", "fields", fields));
}

static enum xpl_status read_query(struct xpl_call *call, struct xpl_record_query *query, struct xpl_error *err)
{
    const char *id = xpl_call_query(call, "subscription_id");
    struct xpl_record_batch target;
    enum xpl_status st;

    if (!id || !*id)
        return xpl_fail_field(err, XPL_BAD_FIELD, "subscription_id", "is missing");
    *query = (struct xpl_record_query){0};
    if ((st = xpl_record_batch_of_subscription(call, id, &target, err)) ||
        (st = xpl_query_int(call, "limit", 0, INT32_MAX, DEFAULT_PAGE, &query->limit, err)) ||
        (st = xpl_query_int(call, "offset", 0, INT64_MAX, 0, &query->offset, err)) ||
        (st = xpl_query_time(call, "start", 0, &query->start, err)) ||
        (st = xpl_query_time(call, "end", 0, &query->end, err)))
        return st;
    if (query->limit > PAGE_MAX)
        query->limit = PAGE_MAX;
    query->data_mart_id = call->data_mart_id;
    query->data_set_id = target.data_set_id;
    return XPL_OK;
}

static enum xpl_status append_table(struct xpl_call *call, const struct xpl_record *records, size_t n,
                                    struct xpl_error *err)
{
    struct xpl_record_view view = table_view();
    struct xpl_buf *out = &call->out;
    enum xpl_status st;
    const char *separator = "{\"fields\":[";

    xpl_buf_clear(out);
    for (int i = 0; i < XPL_VIEW_N_COLUMNS; i++) {
        if (!view.shown[i])
            continue;
        xpl_buf_printf(out, "%s\"%s\"", separator, xpl_record_view_names[i]);
        separator = ",";
    }
    xpl_buf_string(out, "],\"values\":[");
    for (size_t i = 0; i < n; i++) {
        xpl_buf_string(out, i ? "," : "");
        if ((st = xpl_record_append_row(call, out, &records[i], &view, err)))
            return st;
    }
    return xpl_buf_string(out, "]") ? XPL_OK : xpl_no_memory(err);
}

enum xpl_answered xpl_v1_scoring_transactions_list(struct xpl_call *call)
{
    struct xpl_record_query query;
    struct xpl_record *records;
    struct xpl_error err = {0};
    int64_t total = 0;
    bool counted;
    size_t n;

    if (xpl_v1_enter(call, &err) || xpl_query_bool(call, "include_total_count", false, &counted, &err) ||
        read_query(call, &query, &err) || xpl_records_list(call->db, call->arena, &query, &records, &n, &err) ||
        append_table(call, records, n, &err) || (counted && xpl_records_count(call->db, &query, &total, &err)))
        return xpl_reply_error(call, &err);
    if (counted)
        xpl_buf_printf(&call->out, ",\"total_count\":%lld", (long long)total);
    if (!xpl_buf_string(&call->out, "}"))
        return xpl_reply_json(call, 503, NULL);
    return xpl_reply_json_text(call, 200, (struct xpl_text){call->out.data, call->out.length});
}
