/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations by transaction: what an application keeps is the transaction id of its scoring call. */
#include <string.h>

#include "api/configuration/resource.h"
#include "api/explanations/explanation_tasks.h"
#include "api/handlers.h"
#include "api/json_text.h"
#include "api/records/record_views.h"
#include "lib/base/text.h"

#define MAX_EXPLANATIONS 20
#define MAX_TASKS        1000

/* The records of one subscription: of the one asked for, or of the only one there is. */
static enum xpl_status choose_subscription(const char *wanted, struct xpl_record *records, size_t *n,
                                           struct xpl_error *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < *n; i++) {
        if (wanted ? strcmp(records[i].subscription_id, wanted) == 0
                   : strcmp(records[i].subscription_id, records[0].subscription_id) == 0)
            records[kept++] = records[i];
        else if (!wanted)
            return xpl_fail_field(err, XPL_BAD_FIELD, "subscription_id",
                                  "is needed: several subscriptions logged this transaction id");
    }
    *n = kept;
    return XPL_OK;
}

/* The records of a transaction; the id of one of its rows names the transaction, too. */
static enum xpl_status find(struct xpl_call *call, struct xpl_record **ret, size_t *ret_n, struct xpl_error *err)
{
    const char *id = call->path_params[0], *wanted = xpl_call_query(call, "subscription_id");
    struct xpl_record *exact;
    enum xpl_status st;
    size_t n;

    st = xpl_records_by_transaction(call->db, call->arena, call->data_mart_id, id, ret, ret_n, err);
    if (!st && *ret_n == 0) {
        st = xpl_records_by_scoring_id(call->db, call->arena, call->data_mart_id, NULL, id, &exact, &n, err);
        if (!st && n > 0)
            st = xpl_records_by_transaction(call->db, call->arena, call->data_mart_id, exact[0].transaction_id, ret,
                                            ret_n, err);
    }
    if (st || (st = choose_subscription(wanted && *wanted ? wanted : NULL, *ret, ret_n, err)))
        return st;
    return *ret_n ? XPL_OK : xpl_resource_missing("transaction", id, err);
}

/* The tasks of the transaction that a record belongs to. */
static struct xpl_task_query tasks_of(const struct xpl_record *record, int64_t offset, int64_t limit)
{
    return (struct xpl_task_query){.data_mart_id = record->data_mart_id,
                                   .subscription_id = record->subscription_id,
                                   .transaction_id = record->transaction_id,
                                   .offset = offset,
                                   .limit = limit};
}

/* A string as JSON; "null" without memory. */
static const char *quoted(struct xpl_call *call, const char *text)
{
    XPL_AUTO_JSON string = json_string(text);
    const char *json = string ? xpl_json_text(call->arena, string) : NULL;

    return json ? json : "null";
}

static enum xpl_status append_records(struct xpl_call *call, const struct xpl_record *records, size_t n,
                                      struct xpl_error *err)
{
    struct xpl_record_view view = xpl_record_view_default();

    for (size_t i = 0; i < n; i++) {
        enum xpl_status st;

        if (i)
            xpl_buf_string(&call->out, ",");
        if ((st = xpl_record_append(call, &call->out, &records[i], &view, err)))
            return st;
    }
    return call->out.failed ? xpl_no_memory(err) : XPL_OK;
}

static enum xpl_status build_transaction(struct xpl_call *call, struct xpl_error *err)
{
    struct xpl_buf *out = &call->out;
    struct xpl_task_query query;
    struct xpl_record *records;
    struct xpl_task *tasks;
    size_t n, n_tasks;
    enum xpl_status st;

    if ((st = find(call, &records, &n, err)))
        return st;
    query = tasks_of(&records[0], 0, MAX_TASKS);
    if ((st = xpl_tasks_list(call->db, call->arena, &query, &tasks, &n_tasks, err)))
        return st;
    xpl_buf_clear(out);
    xpl_buf_printf(out, "{\"transaction_id\":%s,\"subscription_id\":\"%s\",\"records\":[",
                   quoted(call, records[0].transaction_id), records[0].subscription_id);
    if ((st = append_records(call, records, n, err)))
        return st;
    xpl_buf_string(out, "],\"explanation_task_ids\":[");
    for (size_t i = 0; i < n_tasks; i++)
        xpl_buf_printf(out, "%s\"%s\"", i ? "," : "", tasks[i].id);
    return xpl_buf_string(out, "]}") ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_answered reply_built(struct xpl_call *call)
{
    return xpl_reply_json_text(call, 200, (struct xpl_text){call->out.data, call->out.length});
}

enum xpl_answered xpl_transactions_get(struct xpl_call *call)
{
    struct xpl_error err = {0};

    return build_transaction(call, &err) ? xpl_reply_error(call, &err) : reply_built(call);
}

/* ---- explanations ---- */

static enum xpl_status append_task(struct xpl_call *call, const struct xpl_task *task, struct xpl_error *err)
{
    const char *text;
    json_t *view;
    enum xpl_status st;

    if (task->state == XPL_TASK_FINISHED) {
        if ((st = xpl_explanation_answer(call->db, call->arena, task->id, &text, err)))
            return st;
    } else {
        view = xpl_task_view_now(call, task);
        text = view ? xpl_json_text(call->arena, view) : NULL;
        json_decref(view);
    }
    return text && xpl_buf_string(&call->out, text) ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status build_explanations(struct xpl_call *call, struct xpl_error *err)
{
    struct xpl_task_query query;
    struct xpl_record *records;
    struct xpl_task *tasks;
    int64_t offset, limit, total;
    size_t n, n_tasks;
    enum xpl_status st;

    if ((st = xpl_query_int(call, "offset", 0, INT64_MAX, 0, &offset, err)) ||
        (st = xpl_query_int(call, "limit", 0, INT32_MAX, MAX_EXPLANATIONS, &limit, err)) ||
        (st = find(call, &records, &n, err)))
        return st;
    query = tasks_of(&records[0], offset, limit < MAX_EXPLANATIONS ? limit : MAX_EXPLANATIONS);
    if ((st = xpl_tasks_list(call->db, call->arena, &query, &tasks, &n_tasks, err)) ||
        (st = xpl_tasks_count(call->db, &query, &total, err)))
        return st;
    xpl_buf_clear(&call->out);
    xpl_buf_printf(
        &call->out, "{\"transaction_id\":%s,\"total_count\":%lld,\"limit\":%lld,\"offset\":%lld,\"explanations\":[",
        quoted(call, records[0].transaction_id), (long long)total, (long long)query.limit, (long long)offset);
    for (size_t i = 0; i < n_tasks; i++) {
        if (i)
            xpl_buf_string(&call->out, ",");
        if ((st = append_task(call, &tasks[i], err)))
            return st;
    }
    return xpl_buf_string(&call->out, "]}") ? XPL_OK : xpl_no_memory(err);
}

enum xpl_answered xpl_transaction_explanations(struct xpl_call *call)
{
    struct xpl_error err = {0};

    return build_explanations(call, &err) ? xpl_reply_error(call, &err) : reply_built(call);
}
