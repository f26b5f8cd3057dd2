/* SPDX-License-Identifier: Apache-2.0 */
#include "db/task_events.h"

#include <string.h>

#define SELECT_EVENTS                                                                                                  \
    "SELECT seq, data_mart_id, subscription_id, task_id, scoring_id, state, error_code, error_message, at"             \
    " FROM task_events WHERE "

bool xpl_task_state_is_last(const char *state)
{
    return strcmp(state, "queued") != 0 && strcmp(state, "in_progress") != 0;
}

static void read_event(struct xpl_row *row, void *out)
{
    struct xpl_task_event *event = out;

    event->seq = xpl_row_int(row, "seq");
    event->data_mart_id = xpl_row_text(row, "data_mart_id");
    event->subscription_id = xpl_row_text(row, "subscription_id");
    event->task_id = xpl_row_text(row, "task_id");
    event->scoring_id = xpl_row_text(row, "scoring_id");
    event->state = xpl_row_text(row, "state");
    event->error_code = xpl_row_text(row, "error_code");
    event->error_message = xpl_row_text(row, "error_message");
    event->at = xpl_row_int(row, "at");
}

enum xpl_status xpl_task_events_newest(struct xpl_db *db, int64_t *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'task_events'), 0)");

    return xpl_fetch_int(query, ret, err);
}

enum xpl_status xpl_task_events_all(struct xpl_db *db, struct xpl_arena *arena, int64_t after, size_t max,
                                    struct xpl_task_event **ret, size_t *ret_count, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, SELECT_EVENTS "seq > ? ORDER BY seq");

    xpl_bind_int(query, after);
    return xpl_fetch_all(query, arena, read_event, sizeof **ret, max, ret, ret_count, err);
}

enum xpl_status xpl_task_events_of_task(struct xpl_db *db, struct xpl_arena *arena, const char *task_id, int64_t after,
                                        size_t max, struct xpl_task_event **ret, size_t *ret_count,
                                        struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, SELECT_EVENTS "task_id = ? AND seq > ? ORDER BY seq");

    xpl_bind_text(query, task_id);
    xpl_bind_int(query, after);
    return xpl_fetch_all(query, arena, read_event, sizeof **ret, max, ret, ret_count, err);
}

enum xpl_status xpl_task_events_of_subscription(struct xpl_db *db, struct xpl_arena *arena, const char *subscription_id,
                                                int64_t after, size_t max, struct xpl_task_event **ret,
                                                size_t *ret_count, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, SELECT_EVENTS "subscription_id = ? AND seq > ? ORDER BY seq");

    xpl_bind_text(query, subscription_id);
    xpl_bind_int(query, after);
    return xpl_fetch_all(query, arena, read_event, sizeof **ret, max, ret, ret_count, err);
}
