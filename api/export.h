/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists without pages: with `Accept: application/x-ndjson` all records or explanations that match leave as lines of
 * JSON, in the order in which they were made, in bounded memory.
 */
#ifndef XPL_API_EXPORT_H
#define XPL_API_EXPORT_H

#include "api/call.h"
#include "db/tasks.h"

/** Whether the client asks for lines instead of a page. */
bool xpl_export_wanted(const struct xpl_call *call);

/** The records of the data set in the path that the query selects, a line each as in the list. */
enum xpl_answered xpl_records_export(struct xpl_call *call);

/** The tasks that `query` selects, a line each as GET of the task has it; `includes` may ask for the attributions. */
enum xpl_answered xpl_tasks_export(struct xpl_call *call, const struct xpl_task_query *query);

#endif
