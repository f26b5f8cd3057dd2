/* SPDX-License-Identifier: Apache-2.0 */
/* Asking for one explanation in another form than that of POST /v2/explanation_tasks. */
#ifndef XPL_API_EXPLANATION_ASK_H
#define XPL_API_EXPLANATION_ASK_H

#include "api/call.h"

/** Answers once the task is queued, on the writer. */
typedef void (*xpl_asked_fn)(struct xpl_call *call, const char *task_id);

/** `subscription_id` NULL = the one that logged it; `field` is what errors call the scoring id. */
enum xpl_answered xpl_explanation_ask(struct xpl_call *call, const char *scoring_id, const char *subscription_id,
                                      const char *field, xpl_asked_fn reply);

#endif
