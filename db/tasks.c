/* SPDX-License-Identifier: Apache-2.0 */
#include "db/tasks.h"

#include <string.h>

static const char *const state_names[] = {"queued", "leased", "finished", "error"};

static enum xpl_task_state state_of(const char *name)
{
    for (size_t i = 0; name && i < sizeof state_names / sizeof *state_names; i++)
        if (strcmp(state_names[i], name) == 0)
            return (enum xpl_task_state)i;
    return XPL_TASK_ERROR;
}

void xpl_task_read(struct xpl_row *row, void *out)
{
    struct xpl_task *task = out;
    struct xpl_blob hash = xpl_row_blob(row, "parameters_hash");

    task->seq = xpl_row_int(row, "seq");
    task->id = xpl_row_text(row, "id");
    task->data_mart_id = xpl_row_text(row, "data_mart_id");
    task->subscription_id = xpl_row_text(row, "subscription_id");
    task->deployment_id = xpl_row_text(row, "deployment_id");
    task->record_id = xpl_row_text(row, "record_id");
    task->scoring_id = xpl_row_text(row, "scoring_id");
    task->transaction_id = xpl_row_text(row, "transaction_id");
    task->parameters = xpl_row_text(row, "parameters");
    if (hash.length == sizeof task->parameters_hash)
        memcpy(task->parameters_hash, hash.data, hash.length);
    task->state = state_of(xpl_row_text(row, "state"));
    task->attempt = xpl_row_int(row, "attempt");
    task->crashes = xpl_row_int(row, "crashes");
    task->retries = xpl_row_int(row, "retries");
    task->priority = xpl_row_int(row, "priority");
    task->rule = xpl_row_text(row, "rule");
    task->expected_calls = xpl_row_int(row, "expected_calls");
    task->error_code = xpl_row_text(row, "error_code");
    task->error_message = xpl_row_text(row, "error_message");
    task->trace_id = xpl_row_text(row, "trace_id");
    task->traceparent = xpl_row_text(row, "traceparent");
    task->created_at = xpl_row_int(row, "created_at");
    task->started_at = xpl_row_int(row, "started_at");
    task->updated_at = xpl_row_int(row, "updated_at");
    task->created_by = xpl_row_text(row, "created_by");
}

enum xpl_status xpl_task_insert(struct xpl_db *db, const struct xpl_task *task, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    insert = xpl_db_query(db, "INSERT INTO explanation_tasks (id, data_mart_id, subscription_id, deployment_id,"
                              " record_id, scoring_id, transaction_id, parameters, parameters_hash, state, run_at,"
                              " priority, rule, expected_calls, trace_id, traceparent, created_at, created_by)"
                              " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?)");

    xpl_bind_text(insert, task->id);
    xpl_bind_text(insert, task->data_mart_id);
    xpl_bind_text(insert, task->subscription_id);
    xpl_bind_text(insert, task->deployment_id);
    xpl_bind_text(insert, task->record_id);
    xpl_bind_text(insert, task->scoring_id);
    xpl_bind_text(insert, task->transaction_id);
    xpl_bind_text(insert, task->parameters);
    xpl_bind_blob(insert, (struct xpl_blob){task->parameters_hash, sizeof task->parameters_hash});
    xpl_bind_int(insert, task->created_at);
    xpl_bind_int(insert, task->priority);
    xpl_bind_text(insert, task->rule);
    xpl_bind_int(insert, task->expected_calls);
    xpl_bind_text(insert, task->trace_id);
    xpl_bind_text(insert, task->traceparent);
    xpl_bind_int(insert, task->created_at);
    xpl_bind_text(insert, task->created_by);
    return xpl_run(insert, NULL, err);
}

static void read_id(struct xpl_row *row, void *out)
{
    *(const char **)out = xpl_row_text(row, "id");
}

enum xpl_status xpl_task_find_open(struct xpl_db *db, struct xpl_arena *arena, const char *record_id,
                                   const uint8_t parameters_hash[XPL_HASH_BYTES], const char **ret_id,
                                   struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT id FROM explanation_tasks WHERE record_id = ? AND parameters_hash = ?"
                             " AND state IN ('queued', 'leased') ORDER BY seq LIMIT 1");

    xpl_bind_text(query, record_id);
    xpl_bind_blob(query, (struct xpl_blob){parameters_hash, XPL_HASH_BYTES});
    return xpl_fetch_one(query, arena, read_id, ret_id, err);
}

enum xpl_status xpl_task_get(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id, const char *id,
                             struct xpl_task *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT " XPL_TASK_COLUMNS " FROM explanation_tasks WHERE id = ? AND data_mart_id = ?");

    xpl_bind_text(query, id);
    xpl_bind_text(query, data_mart_id);
    return xpl_fetch_one(query, arena, xpl_task_read, ret, err);
}

enum xpl_status xpl_task_promote(struct xpl_db *db, const char *id, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    update = xpl_db_query(db, "UPDATE explanation_tasks SET priority = 0 WHERE id = ? AND priority > 0");

    xpl_bind_text(update, id);
    return xpl_run(update, NULL, err);
}

enum xpl_status xpl_task_delete(struct xpl_db *db, const char *id, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) deletion = xpl_db_query(db, "DELETE FROM explanation_tasks WHERE id = ?");

    xpl_bind_text(deletion, id);
    return xpl_run(deletion, NULL, err);
}

enum xpl_status xpl_tasks_queued(struct xpl_db *db, const char *subscription_id, int64_t *ret_all,
                                 int64_t *ret_of_subscription, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    all = xpl_db_query(db, "SELECT COUNT(*) FROM explanation_tasks WHERE state IN ('queued', 'leased')");
    XPL_AUTO(xpl_stmt)
    own = xpl_db_query(db, "SELECT COUNT(*) FROM explanation_tasks WHERE state IN ('queued', 'leased')"
                           " AND subscription_id = ?");
    enum xpl_status st = xpl_fetch_int(all, ret_all, err);

    if (st)
        return st;
    xpl_bind_text(own, subscription_id);
    return xpl_fetch_int(own, ret_of_subscription, err);
}

/* ---- workers ---- */

/* Looks at the first queued task of each deployment, from one to the next by the index: thousands that wait behind one
 * deployment cost nothing. */
enum xpl_status xpl_task_claim(struct xpl_db *db, struct xpl_arena *arena, const char *owner, int64_t now,
                               int64_t lease_until, struct xpl_task *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    update = xpl_db_query(
        db, "UPDATE explanation_tasks SET state = 'leased', attempt = attempt + 1, lease_owner = ?1, lease_until = ?3,"
            " started_at = COALESCE(started_at, ?2)"
            " WHERE seq = (WITH RECURSIVE heads (seq) AS ("
            "     SELECT (SELECT t.seq FROM explanation_tasks t WHERE t.state = 'queued'"
            "       ORDER BY t.data_mart_id, t.deployment_id, t.priority, t.seq LIMIT 1)"
            "     UNION ALL"
            "     SELECT COALESCE((SELECT t.seq FROM explanation_tasks t WHERE t.state = 'queued'"
            "         AND t.data_mart_id = h.data_mart_id AND t.deployment_id > h.deployment_id"
            "         ORDER BY t.deployment_id, t.priority, t.seq LIMIT 1),"
            "       (SELECT t.seq FROM explanation_tasks t WHERE t.state = 'queued' AND t.data_mart_id > h.data_mart_id"
            "         ORDER BY t.data_mart_id, t.deployment_id, t.priority, t.seq LIMIT 1))"
            "     FROM heads JOIN explanation_tasks h ON h.seq = heads.seq)"
            "   SELECT t.seq FROM heads JOIN explanation_tasks t ON t.seq = heads.seq WHERE t.run_at <= ?2"
            "   AND NOT EXISTS (SELECT 1 FROM explanation_tasks l WHERE l.state = 'leased'"
            "     AND l.data_mart_id = t.data_mart_id AND l.deployment_id = t.deployment_id)"
            "   ORDER BY t.priority, t.seq LIMIT 1)"
            " RETURNING " XPL_TASK_COLUMNS);

    xpl_bind_text(update, owner);
    xpl_bind_int(update, now);
    xpl_bind_int(update, lease_until);
    return xpl_fetch_one(update, arena, xpl_task_read, ret, err);
}
