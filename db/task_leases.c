/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker does with a task it has leased, and what becomes of leases nobody holds. */
#include "db/tasks.h"

static enum xpl_status must_change(struct xpl_stmt *update, struct xpl_error *err)
{
    int64_t changed;
    enum xpl_status st = xpl_run(update, &changed, err);

    if (st)
        return st;
    return changed ? XPL_OK : xpl_fail(err, XPL_CONFLICT, "the task is no longer this worker's");
}

/* Ends the lease of this very attempt. */
static enum xpl_status end_lease(struct xpl_db *db, const char *id, int64_t attempt, int64_t now, const char *state,
                                 const char *error_code, const char *error_message, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    update = xpl_db_query(db, "UPDATE explanation_tasks SET state = ?, updated_at = ?, error_code = ?,"
                              " error_message = ?, lease_owner = NULL, lease_until = NULL"
                              " WHERE id = ? AND state = 'leased' AND attempt = ?");

    xpl_bind_text(update, state);
    xpl_bind_int(update, now);
    xpl_bind_text(update, error_code);
    xpl_bind_text(update, error_message);
    xpl_bind_text(update, id);
    xpl_bind_int(update, attempt);
    return must_change(update, err);
}

enum xpl_status xpl_task_finish(struct xpl_db *db, const char *id, int64_t attempt, int64_t now,
                                const struct xpl_task_result *result, struct xpl_error *err)
{
    enum xpl_status st;

    if ((st = end_lease(db, id, attempt, now, "finished", NULL, NULL, err)) ||
        (result->prediction && (st = xpl_record_set_prediction(db, id, result->prediction, err))))
        return st;
    return xpl_explanation_insert(db, id, now, result, err);
}

enum xpl_status xpl_task_fail(struct xpl_db *db, const char *id, int64_t attempt, int64_t now, const char *error_code,
                              const char *error_message, struct xpl_error *err)
{
    return end_lease(db, id, attempt, now, "error", error_code, error_message, err);
}

enum xpl_status xpl_task_renew(struct xpl_db *db, const char *id, int64_t attempt, int64_t lease_until,
                               struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    update = xpl_db_query(db, "UPDATE explanation_tasks SET lease_until = ?"
                              " WHERE id = ? AND state = 'leased' AND attempt = ?");

    xpl_bind_int(update, lease_until);
    xpl_bind_text(update, id);
    xpl_bind_int(update, attempt);
    return must_change(update, err);
}

enum xpl_status xpl_task_requeue(struct xpl_db *db, const char *id, int64_t attempt, int64_t run_at,
                                 struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    update = xpl_db_query(db, "UPDATE explanation_tasks SET state = 'queued', lease_owner = NULL, lease_until = NULL,"
                              " retries = retries + 1, run_at = ? WHERE id = ? AND state = 'leased' AND attempt = ?");

    xpl_bind_int(update, run_at);
    xpl_bind_text(update, id);
    xpl_bind_int(update, attempt);
    return must_change(update, err);
}

enum xpl_status xpl_task_release(struct xpl_db *db, const char *id, int64_t attempt, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    update = xpl_db_query(db, "UPDATE explanation_tasks SET state = 'queued', lease_owner = NULL, lease_until = NULL,"
                              " started_at = NULL WHERE id = ? AND state = 'leased' AND attempt = ?");

    xpl_bind_text(update, id);
    xpl_bind_int(update, attempt);
    return must_change(update, err);
}

enum xpl_status xpl_tasks_take_back(struct xpl_db *db, int64_t expired_by, int64_t now, const char *error_code,
                                    struct xpl_tasks_taken_back *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    give_up = xpl_db_query(db, "UPDATE explanation_tasks SET state = 'error', crashes = crashes + 1, updated_at = ?,"
                               " lease_owner = NULL, lease_until = NULL, error_code = ?,"
                               " error_message = 'the daemon ended unexpectedly three times during this explanation'"
                               " WHERE state = 'leased' AND lease_until <= ? AND crashes + 1 >= ?");
    XPL_AUTO(xpl_stmt)
    requeue = xpl_db_query(db, "UPDATE explanation_tasks SET state = 'queued', crashes = crashes + 1,"
                               " lease_owner = NULL, lease_until = NULL, started_at = NULL"
                               " WHERE state = 'leased' AND lease_until <= ?");
    enum xpl_status st;

    xpl_bind_int(give_up, now);
    xpl_bind_text(give_up, error_code);
    xpl_bind_int(give_up, expired_by);
    xpl_bind_int(give_up, XPL_TASK_MAX_CRASHES);
    if ((st = xpl_run(give_up, &ret->ended, err)))
        return st;
    xpl_bind_int(requeue, expired_by);
    return xpl_run(requeue, &ret->requeued, err);
}

enum xpl_status xpl_tasks_next_run(struct xpl_db *db, int64_t now, int64_t *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT COALESCE(MIN(run_at), 0) FROM explanation_tasks"
                             " WHERE state = 'queued' AND run_at > ?");

    xpl_bind_int(query, now);
    return xpl_fetch_int(query, ret, err);
}
