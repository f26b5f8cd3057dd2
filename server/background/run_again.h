/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XPL_SERVER_RUN_AGAIN_H
#define XPL_SERVER_RUN_AGAIN_H

#include "api/app.h"
#include "db/tasks.h"

/**
 * When a task that failed is to be tried again: after 1, 2, 4, … seconds, half of each at random (of a model that
 * is left alone for a while: at the end of that), if it may recover, explain.retries allows it, and its deadline,
 * counted from its first try, is not over by then. 0 = never.
 */
int64_t xpl_explain_run_again_at(const struct xpl_settings *settings, const struct xpl_task *task, enum xpl_status why,
                                 int64_t now);

#endif
