/* SPDX-License-Identifier: Apache-2.0 */
#include "db/inference_events.h"

#define OF_SUBSCRIPTION " WHERE subscription_id = ?1"
#define OLDEST          "FROM inference_events WHERE received_at < ?1 ORDER BY received_at LIMIT 100"
#define MAX_LISTED      1000

enum xpl_status xpl_event_put(struct xpl_db *db, const struct xpl_event *event, bool *ret_new, struct xpl_error *err)
{
    enum xpl_status st;
    int64_t n = 0;

    XPL_AUTO(xpl_stmt)
    put =
        xpl_db_query(db, "INSERT INTO inference_events (subscription_id, data_mart_id, event_id, response, data, size,"
                         " event_time, received_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");

    xpl_bind_text(put, event->subscription_id);
    xpl_bind_text(put, event->data_mart_id);
    xpl_bind_text(put, event->id);
    xpl_bind_int(put, event->response);
    xpl_bind_blob(put, event->data);
    xpl_bind_int(put, (int64_t)event->size);
    xpl_bind_int(put, event->time);
    xpl_bind_int(put, event->received_at);
    st = xpl_run(put, &n, err);
    *ret_new = n > 0;
    return st;
}

struct half {
    struct xpl_blob data;
    int64_t size, time;
};

static void read_half(struct xpl_row *row, void *out)
{
    struct half *half = out;

    half->data = xpl_row_blob(row, "data");
    half->size = xpl_row_int(row, "size");
    half->time = xpl_row_int(row, "event_time");
}

enum xpl_status xpl_event_get(struct xpl_db *db, struct xpl_arena *arena, const char *subscription_id, const char *id,
                              bool response, struct xpl_text *ret, int64_t *ret_time, struct xpl_error *err)
{
    struct half half;
    enum xpl_status st;

    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT data, size, event_time FROM inference_events" OF_SUBSCRIPTION
                             " AND event_id = ?2 AND response = ?3");
    xpl_bind_text(query, subscription_id);
    xpl_bind_text(query, id);
    xpl_bind_int(query, response);
    if ((st = xpl_fetch_one(query, arena, read_half, &half, err)))
        return st;
    *ret_time = half.time;
    return xpl_payload_decompress(arena, half.data, half.size, ret, err);
}

enum xpl_status xpl_event_delete(struct xpl_db *db, const char *subscription_id, const char *id, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "DELETE FROM inference_events" OF_SUBSCRIPTION " AND event_id = ?2");

    xpl_bind_text(query, subscription_id);
    xpl_bind_text(query, id);
    return xpl_run(query, NULL, err);
}

enum xpl_status xpl_events_count(struct xpl_db *db, const char *subscription_id, int64_t max, int64_t *ret,
                                 struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT COUNT(*) FROM (SELECT 1 FROM inference_events" OF_SUBSCRIPTION " LIMIT ?2)");

    xpl_bind_text(query, subscription_id);
    xpl_bind_int(query, max);
    return xpl_fetch_int(query, ret, err);
}

enum xpl_status xpl_event_error_add(struct xpl_db *db, const struct xpl_event_error *error, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    insert = xpl_db_query(db, "INSERT INTO event_errors (data_mart_id, subscription_id, data_set_id, event_id, reason,"
                              " created_at) VALUES (?, ?, ?, ?, ?, ?)");

    xpl_bind_text(insert, error->data_mart_id);
    xpl_bind_text(insert, error->subscription_id);
    xpl_bind_text(insert, error->data_set_id);
    xpl_bind_text(insert, error->event_id);
    xpl_bind_text(insert, error->reason);
    xpl_bind_int(insert, error->created_at);
    return xpl_run(insert, NULL, err);
}

static void read_error(struct xpl_row *row, void *out)
{
    struct xpl_event_error *error = out;

    error->event_id = xpl_row_text(row, "event_id");
    error->reason = xpl_row_text(row, "reason");
    error->created_at = xpl_row_int(row, "created_at");
}

enum xpl_status xpl_event_errors_list(struct xpl_db *db, struct xpl_arena *arena, const char *data_set_id,
                                      int64_t limit, int64_t offset, struct xpl_event_error **ret, size_t *ret_n,
                                      struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT event_id, reason, created_at FROM event_errors WHERE data_set_id = ?"
                             " ORDER BY seq DESC LIMIT ? OFFSET ?");

    xpl_bind_text(query, data_set_id);
    xpl_bind_int(query, limit);
    xpl_bind_int(query, offset);
    return xpl_fetch_all(query, arena, read_error, sizeof **ret, MAX_LISTED, ret, ret_n, err);
}

enum xpl_status xpl_events_oldest(struct xpl_db *db, int64_t *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT COALESCE((SELECT received_at FROM inference_events WHERE received_at > 0"
                             " ORDER BY received_at LIMIT 1), 0)");

    return xpl_fetch_int(query, ret, err);
}

enum xpl_status xpl_events_expire(struct xpl_db *db, int64_t before, int64_t now, int64_t *ret_n, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    insert = xpl_db_query(db, "INSERT INTO event_errors (subscription_id, data_mart_id, data_set_id, event_id, reason,"
                              " created_at) SELECT e.subscription_id, e.data_mart_id, d.id, e.event_id,"
                              " CASE e.response WHEN 1 THEN 'no request came with this response'"
                              " ELSE 'no response came to this request' END, ?2 FROM (SELECT * " OLDEST ") e"
                              " JOIN data_sets d ON d.target_id = e.subscription_id AND d.type = 'payload_logging'");
    enum xpl_status st;

    xpl_bind_int(insert, before);
    xpl_bind_int(insert, now);
    if ((st = xpl_run(insert, NULL, err)))
        return st;
    XPL_AUTO(xpl_stmt)
    delete = xpl_db_query(db, "DELETE FROM inference_events WHERE (subscription_id, event_id, response) IN"
                              " (SELECT subscription_id, event_id, response " OLDEST ")");
    xpl_bind_int(delete, before);
    return xpl_run(delete, ret_n, err);
}
