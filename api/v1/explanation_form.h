/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations in the two dialects of v1: tasks (2019) and model explanations (2018). */
#ifndef XPL_API_V1_EXPLANATION_FORM_H
#define XPL_API_V1_EXPLANATION_FORM_H

#include "api/call.h"
#include "db/tasks.h"

/**
 * {"metadata","entity"} of 2019, in whatever state the task is. `panes`: with the pictures; without them each class
 * has its value and probability. NULL without memory or with `err` set.
 */
json_t *xpl_v1_task_view(struct xpl_call *call, const struct xpl_task *task, bool panes, struct xpl_error *err);

/** {"metadata":{"request_id"},"entity":{"status","predictions"}} of 2018. */
json_t *xpl_v1_model_explanation_view(struct xpl_call *call, const struct xpl_task *task, struct xpl_error *err);

#endif
