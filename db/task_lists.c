/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks as lists, and how many there are. */
#include <string.h>

#include "db/tasks.h"
#include "db/value_list.h"
#include "lib/base/buf.h"

#define MAX_SQL_BYTES 65536

/* Of the states a client knows, "in_progress" is two of ours. As constants, and not in a list when it is one, so that
 * the index of a state is seen to fit. */
static void append_states(struct xpl_buf *sql, const char *statuses)
{
    static const char *const known[][2] = {{"in_progress", "state IN ('queued', 'leased')"},
                                           {"finished", "state = 'finished'"},
                                           {"error", "state = 'error'"}};
    const char *separator = " AND (";

    while (*statuses) {
        size_t length = strcspn(statuses, ",");

        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            if (strlen(known[i][0]) != length || memcmp(known[i][0], statuses, length) != 0)
                continue;
            xpl_buf_printf(sql, "%s%s", separator, known[i][1]);
            separator = " OR ";
        }
        statuses += length + (statuses[length] == ',');
    }
    xpl_buf_string(sql, strcmp(separator, " OR ") == 0 ? ")" : " AND FALSE");
}

/* Tasks of several subscriptions are not in order in the index by subscription: that of the data mart is read then. */
static void append_where(struct xpl_buf *sql, const char *table, const struct xpl_task_query *query)
{
    xpl_buf_printf(sql, " FROM %s WHERE data_mart_id = ?", table);
    if (query->subscription_id)
        xpl_append_values(sql, strchr(query->subscription_id, ',') ? "subscription_id || ''" : "subscription_id",
                          query->subscription_id);
    if (query->status)
        append_states(sql, query->status);
    if (query->transaction_id)
        xpl_buf_string(sql, " AND transaction_id = ?");
    if (query->scoring_id)
        xpl_append_values(sql, "scoring_id", query->scoring_id);
}

static void bind_where(struct xpl_stmt *stmt, const struct xpl_task_query *query)
{
    xpl_bind_text(stmt, query->data_mart_id);
    if (query->subscription_id)
        xpl_bind_values(stmt, query->subscription_id);
    if (query->transaction_id)
        xpl_bind_text(stmt, query->transaction_id);
    if (query->scoring_id)
        xpl_bind_values(stmt, query->scoring_id);
}

enum xpl_status xpl_tasks_list(struct xpl_db *db, struct xpl_arena *arena, const struct xpl_task_query *query,
                               struct xpl_task **ret, size_t *ret_count, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) sql = xpl_buf_new(MAX_SQL_BYTES);

    if (!sql)
        return xpl_no_memory(err);
    xpl_buf_string(sql, "SELECT " XPL_TASK_COLUMNS);
    append_where(sql, "explanation_tasks", query);
    if (!xpl_buf_string(sql, " AND seq > ? AND seq <= ? ORDER BY seq LIMIT ? OFFSET ?"))
        return xpl_no_memory(err);

    XPL_AUTO(xpl_stmt) stmt = xpl_db_query_once(db, sql->data);
    bind_where(stmt, query);
    xpl_bind_int(stmt, query->part.after);
    xpl_bind_int(stmt, query->part.last ? query->part.last : INT64_MAX);
    xpl_bind_int(stmt, query->limit);
    xpl_bind_int(stmt, query->offset);
    return xpl_fetch_all(stmt, arena, xpl_task_read, sizeof **ret, (size_t)query->limit, ret, ret_count, err);
}

/* All that is asked for by subscription and state is counted already. */
enum xpl_status xpl_tasks_count(struct xpl_db *db, const struct xpl_task_query *query, int64_t *ret,
                                struct xpl_error *err)
{
    bool counted = !query->scoring_id && !query->transaction_id;
    XPL_AUTO(xpl_buf) sql = xpl_buf_new(MAX_SQL_BYTES);

    if (!sql)
        return xpl_no_memory(err);
    xpl_buf_string(sql, counted ? "SELECT COALESCE(SUM(n), 0)" : "SELECT COUNT(*)");
    append_where(sql, counted ? "task_counts" : "explanation_tasks", query);
    if (sql->failed)
        return xpl_no_memory(err);

    XPL_AUTO(xpl_stmt) stmt = xpl_db_query_once(db, sql->data);
    bind_where(stmt, query);
    return xpl_fetch_int(stmt, ret, err);
}

static void read_counts(struct xpl_row *row, void *out)
{
    struct xpl_task_counts *counts = out;

    counts->total = xpl_row_int(row, "total");
    counts->failed = xpl_row_int(row, "failed");
}

enum xpl_status xpl_task_counts_of(struct xpl_db *db, const char *data_mart_id, const char *subscription_id,
                                   struct xpl_task_counts *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT SUM(n) AS total, SUM(CASE WHEN state = 'error' THEN n END) AS failed"
                             " FROM task_counts WHERE data_mart_id = ? AND subscription_id = ?");

    xpl_bind_text(query, data_mart_id);
    xpl_bind_text(query, subscription_id);
    return xpl_fetch_one(query, NULL, read_counts, ret, err);
}
