/* SPDX-License-Identifier: Apache-2.0 */
#include "db/deliveries.h"

#include <string.h>

#define COLUMNS                                                                                                        \
    "d.seq AS seq, d.id AS id, d.data_mart_id AS data_mart_id, d.webhook_id AS webhook_id,"                            \
    " d.subscription_id AS subscription_id, d.task_id AS task_id, d.scoring_id AS scoring_id, d.event AS event,"       \
    " d.error_code AS error_code, d.error_message AS error_message, d.at AS at, d.state AS state,"                     \
    " d.attempts AS attempts, d.next_at AS next_at, d.tried_at AS tried_at, d.reason AS reason"

static void read_delivery(struct xpl_row *row, void *out)
{
    struct xpl_delivery *d = out;
    const char *state = xpl_row_text(row, "state");

    d->seq = xpl_row_int(row, "seq");
    d->id = xpl_row_text(row, "id");
    d->data_mart_id = xpl_row_text(row, "data_mart_id");
    d->webhook_id = xpl_row_text(row, "webhook_id");
    d->event = (struct xpl_task_event){.data_mart_id = d->data_mart_id,
                                       .subscription_id = xpl_row_text(row, "subscription_id"),
                                       .task_id = xpl_row_text(row, "task_id"),
                                       .scoring_id = xpl_row_text(row, "scoring_id"),
                                       .state = xpl_row_text(row, "event"),
                                       .error_code = xpl_row_text(row, "error_code"),
                                       .error_message = xpl_row_text(row, "error_message"),
                                       .at = xpl_row_int(row, "at")};
    d->dead = state && strcmp(state, "dead") == 0;
    d->attempts = xpl_row_int(row, "attempts");
    d->next_at = xpl_row_int(row, "next_at");
    d->tried_at = xpl_row_int(row, "tried_at");
    d->reason = xpl_row_text(row, "reason");
}

/* ---- sending ---- */

static bool is_among(const char *const *ids, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(ids[i], id) == 0)
            return true;
    return false;
}

/* The first of every webhook, by the index: thousands that wait for one cost nothing. */
enum xpl_status xpl_delivery_next(struct xpl_db *db, struct xpl_arena *arena, const char *const *busy, size_t n_busy,
                                  struct xpl_delivery *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT " COLUMNS " FROM webhooks w JOIN webhook_deliveries d ON d.seq ="
                             " (SELECT e.seq FROM webhook_deliveries e WHERE e.webhook_id = w.id"
                             "  AND e.state = 'pending' ORDER BY e.next_at, e.seq LIMIT 1)"
                             " WHERE w.entity ->> '$.enabled' ORDER BY d.next_at, d.seq LIMIT ?");
    struct xpl_delivery *first;
    enum xpl_status st;
    size_t n;

    xpl_bind_int(query, (int64_t)n_busy + 1);
    if ((st = xpl_fetch_all(query, arena, read_delivery, sizeof *first, n_busy + 1, &first, &n, err)))
        return st;
    for (size_t i = 0; i < n; i++) {
        if (!is_among(busy, n_busy, first[i].webhook_id)) {
            *ret = first[i];
            return XPL_OK;
        }
    }
    return XPL_NOT_FOUND;
}

enum xpl_status xpl_delivery_made(struct xpl_db *db, int64_t seq, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) deletion = xpl_db_query(db, "DELETE FROM webhook_deliveries WHERE seq = ?");

    xpl_bind_int(deletion, seq);
    return xpl_run(deletion, NULL, err);
}

enum xpl_status xpl_delivery_failed(struct xpl_db *db, int64_t seq, int64_t now, int64_t next_at, const char *reason,
                                    struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    update = xpl_db_query(db, "UPDATE webhook_deliveries SET attempts = attempts + 1, tried_at = ?, next_at = ?,"
                              " reason = ?, state = ? WHERE seq = ? AND state = 'pending'");

    xpl_bind_int(update, now);
    xpl_bind_int(update, next_at);
    xpl_bind_text(update, reason);
    xpl_bind_text(update, next_at ? "pending" : "dead");
    xpl_bind_int(update, seq);
    return xpl_run(update, NULL, err);
}

enum xpl_status xpl_webhook_disable(struct xpl_db *db, const char *webhook_id, int64_t now, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    update = xpl_db_query(db, "UPDATE webhooks SET entity = json_set(entity, '$.enabled', json('false')),"
                              " modified_at = ?, modified_by = 'explaind' WHERE id = ?");

    xpl_bind_int(update, now);
    xpl_bind_text(update, webhook_id);
    return xpl_run(update, NULL, err);
}

/* ---- looking ---- */

enum xpl_status xpl_deliveries_list(struct xpl_db *db, struct xpl_arena *arena, const struct xpl_delivery_query *query,
                                    struct xpl_delivery **ret, size_t *ret_count, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    stmt = xpl_db_query(db, "SELECT " COLUMNS " FROM webhook_deliveries d WHERE d.webhook_id = ?1"
                            " AND (?2 IS NULL OR d.state = ?2) ORDER BY d.number LIMIT ?3 OFFSET ?4");

    xpl_bind_text(stmt, query->webhook_id);
    xpl_bind_text(stmt, query->state);
    xpl_bind_int(stmt, query->limit);
    xpl_bind_int(stmt, query->offset);
    return xpl_fetch_all(stmt, arena, read_delivery, sizeof **ret, (size_t)query->limit, ret, ret_count, err);
}

static void read_counts(struct xpl_row *row, void *out)
{
    struct xpl_delivery_counts *counts = out;

    counts->pending = xpl_row_int(row, "pending");
    counts->dead = xpl_row_int(row, "dead");
    counts->dropped = xpl_row_int(row, "dropped");
}

enum xpl_status xpl_delivery_counts_of(struct xpl_db *db, const char *webhook_id, struct xpl_delivery_counts *ret,
                                       struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT COUNT(CASE WHEN d.state = 'pending' THEN 1 END) AS pending,"
                             " COUNT(CASE WHEN d.state = 'dead' THEN 1 END) AS dead,"
                             " COALESCE((SELECT dropped FROM webhooks WHERE id = ?1), 0) AS dropped"
                             " FROM webhook_deliveries d WHERE d.webhook_id = ?1");

    xpl_bind_text(query, webhook_id);
    return xpl_fetch_one(query, NULL, read_counts, ret, err);
}

enum xpl_status xpl_deliveries_revive(struct xpl_db *db, const char *webhook_id, const char *delivery_id, int64_t now,
                                      int64_t *ret_count, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    update = xpl_db_query(db, "UPDATE webhook_deliveries SET state = 'pending', attempts = 0, next_at = ?1"
                              " WHERE webhook_id = ?2 AND state = 'dead' AND (?3 IS NULL OR id = ?3)");

    xpl_bind_int(update, now);
    xpl_bind_text(update, webhook_id);
    xpl_bind_text(update, delivery_id);
    return xpl_run(update, ret_count, err);
}
