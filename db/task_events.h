/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened to explanations, in order: the log behind streams of events.
 *
 * Triggers of the schema write it, in the transaction that changes a task's state; a deleted task takes its events
 * along and leaves, unless it had ended, its cancellation. The last XPL_TASK_EVENTS_KEPT are kept.
 */
#ifndef XPL_DB_TASK_EVENTS_H
#define XPL_DB_TASK_EVENTS_H

#include "db/db.h"

#define XPL_TASK_EVENTS_KEPT 100000 /* as in the trigger task_events_kept */

struct xpl_task_event {
    int64_t seq; /* grows for ever */
    const char *data_mart_id, *subscription_id, *task_id, *scoring_id;
    const char *state; /* "queued", "in_progress", "finished", "error", "cancelled" */
    const char *error_code, *error_message;
    int64_t at; /* microseconds */
};

/** Whether a task changes no more after this state. */
bool xpl_task_state_is_last(const char *state);

/** The number of the newest event there ever was; 0 = none yet. */
enum xpl_status xpl_task_events_newest(struct xpl_db *db, int64_t *ret, struct xpl_error *err);

/** The first events behind `after`, at most `max`: all, of one task, of one subscription. */
enum xpl_status xpl_task_events_all(struct xpl_db *db, struct xpl_arena *arena, int64_t after, size_t max,
                                    struct xpl_task_event **ret, size_t *ret_count, struct xpl_error *err);
enum xpl_status xpl_task_events_of_task(struct xpl_db *db, struct xpl_arena *arena, const char *task_id, int64_t after,
                                        size_t max, struct xpl_task_event **ret, size_t *ret_count,
                                        struct xpl_error *err);
enum xpl_status xpl_task_events_of_subscription(struct xpl_db *db, struct xpl_arena *arena, const char *subscription_id,
                                                int64_t after, size_t max, struct xpl_task_event **ret,
                                                size_t *ret_count, struct xpl_error *err);

#endif
