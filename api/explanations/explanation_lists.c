/* SPDX-License-Identifier: Apache-2.0 */
/* Explanation tasks as a table: filters and pages. */
#include <string.h>

#include "api/explanations/explanation_tasks.h"
#include "api/export.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/paging.h"
#include "db/tasks.h"
#include "lib/base/time.h"

#define DEFAULT_LIMIT    100
#define MAX_LIMIT        1000
#define MAX_FILTER_BYTES 16384

const char *xpl_task_state_name(enum xpl_task_state state)
{
    switch (state) {
    case XPL_TASK_QUEUED:
    case XPL_TASK_LEASED:
        return "in_progress";
    case XPL_TASK_FINISHED:
        return "finished";
    case XPL_TASK_ERROR:
        return "error";
    }
    return "";
}

static json_t *row_view(const struct xpl_task *task)
{
    char created[XPL_TIME_TEXT_SIZE], updated[XPL_TIME_TEXT_SIZE];

    return json_pack("[s, s, s, s, s, s, s, s?]", task->id, task->scoring_id, task->subscription_id, "lime",
                     xpl_task_state_name(task->state), task->created_by, xpl_time_format(task->created_at, created),
                     task->updated_at ? xpl_time_format(task->updated_at, updated) : NULL);
}

static const char *query_or_null(const struct xpl_call *call, const char *name)
{
    const char *value = xpl_call_query(call, name);

    return value && *value ? value : NULL;
}

static enum xpl_status check_statuses(const char *list, struct xpl_error *err)
{
    static const char *const statuses[] = {"in_progress", "finished", "error", NULL};

    while (list && *list) {
        size_t length = strcspn(list, ","), i = 0;

        while (statuses[i] && (strlen(statuses[i]) != length || memcmp(statuses[i], list, length) != 0))
            i++;
        if (!statuses[i])
            return xpl_fail_field(err, XPL_BAD_FIELD, "status", "\"%.40s\" is not one of in_progress, finished, error",
                                  list);
        list += length + (list[length] == ',');
    }
    return XPL_OK;
}

/* A scoring id without a row names row 1, as it does when an explanation is asked for. */
static enum xpl_status with_rows(struct xpl_call *call, const char **list, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) text = xpl_buf_new(MAX_FILTER_BYTES);

    if (!*list)
        return XPL_OK;
    for (const char *id = *list; text && *id;) {
        size_t length = strcspn(id, ",");

        xpl_buf_printf(text, "%s%.*s,%.*s-1", text->length ? "," : "", (int)length, id, (int)length, id);
        id += length + (id[length] == ',');
    }
    if (!text || text->failed || !(*list = xpl_arena_string(call->arena, text->data)))
        return xpl_fail_field(err, XPL_BAD_FIELD, "scoring_id", "is longer than %d bytes", MAX_FILTER_BYTES);
    return XPL_OK;
}

static enum xpl_status read_selection(struct xpl_call *call, struct xpl_task_query *query, struct xpl_error *err)
{
    enum xpl_status st;

    *query = (struct xpl_task_query){.data_mart_id = call->data_mart_id,
                                     .subscription_id = query_or_null(call, "subscription_id"),
                                     .scoring_id = query_or_null(call, "scoring_id"),
                                     .status = query_or_null(call, "status")};
    st = check_statuses(query->status, err);
    return st ? st : with_rows(call, &query->scoring_id, err);
}

static enum xpl_status read_page(struct xpl_call *call, struct xpl_task_query *query, struct xpl_error *err)
{
    enum xpl_status st;

    if ((st = xpl_query_int(call, "offset", 0, INT64_MAX, 0, &query->offset, err)) ||
        (st = xpl_query_int(call, "limit", 0, INT32_MAX, DEFAULT_LIMIT, &query->limit, err)) ||
        (st = xpl_query_int(call, "after", 0, INT64_MAX, 0, &query->part.after, err)))
        return st;
    query->part.last = INT64_MAX;
    if (query->limit > MAX_LIMIT)
        query->limit = MAX_LIMIT;
    return XPL_OK;
}

/* A full page may have another one behind it. */
static enum xpl_status add_next(struct xpl_call *call, const struct xpl_task_query *query, const struct xpl_task *tasks,
                                size_t n, json_t *answer, struct xpl_error *err)
{
    const char *after, *next;

    if (n == 0 || n < (size_t)query->limit)
        return XPL_OK;
    after = xpl_arena_printf(call->arena, "%lld", (long long)tasks[n - 1].seq);
    next = after ? xpl_next_page(call, after, 0) : NULL;
    if (!next || json_object_set_new(answer, "next", json_loads(next, 0, NULL)))
        return xpl_no_memory(err);
    return XPL_OK;
}

enum xpl_answered xpl_explanation_tasks_list(struct xpl_call *call)
{
    struct xpl_task_query query;
    struct xpl_error err = {0};
    struct xpl_task *tasks;
    int64_t total;
    json_t *rows, *answer;
    size_t n;

    if (read_selection(call, &query, &err))
        return xpl_reply_error(call, &err);
    if (xpl_export_wanted(call))
        return xpl_tasks_export(call, &query);
    if (read_page(call, &query, &err) || xpl_tasks_list(call->db, call->arena, &query, &tasks, &n, &err) ||
        xpl_tasks_count(call->db, &query, &total, &err))
        return xpl_reply_error(call, &err);
    rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, row_view(&tasks[i]));
    answer = json_pack("{s:I, s:I, s:I, s:[s, s, s, s, s, s, s, s], s:o}", "total_count", (json_int_t)total, "limit",
                       (json_int_t)query.limit, "offset", (json_int_t)query.offset, "explanation_fields",
                       "explanation_task_id", "scoring_id", "subscription_id", "explanation_type", "status",
                       "created_by", "created_at", "updated_at", "explanation_values", rows);
    if (add_next(call, &query, tasks, n, answer, &err)) {
        json_decref(answer);
        return xpl_reply_error(call, &err);
    }
    return xpl_reply_json(call, 200, answer);
}
