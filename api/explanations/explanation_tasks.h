/* SPDX-License-Identifier: Apache-2.0 */
/* What the operations on explanations share. The id is path parameter 0. */
#ifndef XPL_API_EXPLANATION_TASKS_H
#define XPL_API_EXPLANATION_TASKS_H

#include "api/call.h"
#include "db/tasks.h"

/** The task; XPL_NOT_FOUND for an unknown one, or one of another subscription than the query names. */
enum xpl_status xpl_task_find(struct xpl_db *db, struct xpl_call *call, struct xpl_task *ret, struct xpl_error *err);

/** The same, and XPL_CONFLICT when it has not finished. */
enum xpl_status xpl_task_find_finished(struct xpl_call *call, struct xpl_task *ret, struct xpl_error *err);

/** "in_progress", "finished" or "error". */
const char *xpl_task_state_name(enum xpl_task_state state);

/** The view of a task that has not finished, with its progress. NULL without memory. */
json_t *xpl_task_view_now(struct xpl_call *call, const struct xpl_task *task);

#endif
