/* SPDX-License-Identifier: Apache-2.0 */
#include "db/automatic.h"

#define HOUR_US ((int64_t)3600 * 1000000)
#define DAY_H   24

int64_t xpl_hour_of(int64_t now_us)
{
    return now_us / HOUR_US;
}

static void read_total(struct xpl_row *row, void *out)
{
    struct xpl_automatic_count *count = out;

    count->explanations = xpl_row_int(row, "explanations");
    count->model_calls = xpl_row_int(row, "model_calls");
    count->over_budget = xpl_row_int(row, "over_budget");
    count->queue_full = xpl_row_int(row, "queue_full");
    count->not_possible = xpl_row_int(row, "not_possible");
}

static void read_count(struct xpl_row *row, void *out)
{
    struct xpl_automatic_count *count = out;

    read_total(row, out);
    count->rule = xpl_row_text(row, "rule");
    count->in_hour = xpl_row_int(row, "in_hour");
}

enum xpl_status xpl_automatic_counts(struct xpl_db *db, struct xpl_arena *arena, const char *subscription_id,
                                     int64_t hour, struct xpl_automatic_count **ret, size_t *ret_count,
                                     struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT rule, CASE WHEN hour = ?2 THEN in_hour ELSE 0 END AS in_hour, explanations,"
                             " model_calls, over_budget, queue_full, not_possible FROM automatic_counts"
                             " WHERE subscription_id = ?1 AND hour / 24 = ?2 / 24 ORDER BY rule");

    xpl_bind_text(query, subscription_id);
    xpl_bind_int(query, hour);
    return xpl_fetch_all(query, arena, read_count, sizeof **ret, XPL_AUTOMATIC_MAX_COUNTS, ret, ret_count, err);
}

enum xpl_status xpl_automatic_total(struct xpl_db *db, int64_t hour, struct xpl_automatic_count *ret,
                                    struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query =
        xpl_db_query(db, "SELECT COALESCE(SUM(explanations), 0) AS explanations,"
                         " COALESCE(SUM(model_calls), 0) AS model_calls,"
                         " COALESCE(SUM(over_budget), 0) AS over_budget, COALESCE(SUM(queue_full), 0) AS queue_full,"
                         " COALESCE(SUM(not_possible), 0) AS not_possible"
                         " FROM automatic_counts WHERE hour / 24 = ? / 24");

    xpl_bind_int(query, hour);
    return xpl_fetch_one(query, NULL, read_total, ret, err);
}

/* Rules that have done nothing today, renamed ones among them, leave nothing behind. */
static enum xpl_status forget_earlier_days(struct xpl_db *db, const char *subscription_id, int64_t hour,
                                           struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    deletion = xpl_db_query(db, "DELETE FROM automatic_counts WHERE subscription_id = ? AND hour < ?");

    xpl_bind_text(deletion, subscription_id);
    xpl_bind_int(deletion, hour - hour % DAY_H);
    return xpl_run(deletion, NULL, err);
}

enum xpl_status xpl_automatic_add(struct xpl_db *db, const char *subscription_id, int64_t hour,
                                  const struct xpl_automatic_count *more, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    upsert = xpl_db_query(
        db, "INSERT INTO automatic_counts (subscription_id, rule, hour, in_hour, explanations, model_calls,"
            " over_budget, queue_full, not_possible) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (subscription_id, rule) DO UPDATE SET hour = excluded.hour,"
            " in_hour = excluded.in_hour + CASE WHEN hour = excluded.hour THEN in_hour ELSE 0 END,"
            " explanations = explanations + excluded.explanations, model_calls = model_calls + excluded.model_calls,"
            " over_budget = over_budget + excluded.over_budget, queue_full = queue_full + excluded.queue_full,"
            " not_possible = not_possible + excluded.not_possible");
    enum xpl_status st = forget_earlier_days(db, subscription_id, hour, err);

    if (st)
        return st;
    xpl_bind_text(upsert, subscription_id);
    xpl_bind_text(upsert, more->rule);
    xpl_bind_int(upsert, hour);
    xpl_bind_int(upsert, more->in_hour);
    xpl_bind_int(upsert, more->explanations);
    xpl_bind_int(upsert, more->model_calls);
    xpl_bind_int(upsert, more->over_budget);
    xpl_bind_int(upsert, more->queue_full);
    xpl_bind_int(upsert, more->not_possible);
    return xpl_run(upsert, NULL, err);
}

enum xpl_status xpl_automatic_expected(struct xpl_db *db, const char *subscription_id, const char *rule, int64_t *ret,
                                       struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT COALESCE(SUM(expected_calls), 0) FROM explanation_tasks"
                             " WHERE state IN ('queued', 'leased') AND subscription_id = ?1"
                             " AND (?2 IS NULL OR rule = ?2)");

    xpl_bind_text(query, subscription_id);
    xpl_bind_text(query, rule);
    return xpl_fetch_int(query, ret, err);
}
