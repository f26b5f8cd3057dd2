/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks on their way into the queue: which record, with which parameters, and whether there is room. */
#ifndef XPL_API_EXPLANATION_PLAN_H
#define XPL_API_EXPLANATION_PLAN_H

#include "api/call.h"
#include "api/explanations/explanation_request.h"
#include "db/records.h"
#include "db/tasks.h"

/** The one record a scoring id names; `subscription_id` NULL = whichever logged it. */
enum xpl_status xpl_explanation_find_record(struct xpl_call *call, const char *scoring_id, const char *subscription_id,
                                            struct xpl_record *ret, struct xpl_error *err);

/**
 * The task that explains `record` with the parameters of its subscription and, over them, those of the request. Reads
 * with call->db. XPL_NOT_ENABLED: the subscription's explanations are off.
 */
enum xpl_status xpl_explanation_plan(struct xpl_call *call, const struct xpl_explanation_request *request,
                                     const struct xpl_record *record, struct xpl_task *ret, struct xpl_error *err);

/**
 * On the writer. A task under way for the same record and parameters is returned again instead of a second one, and
 * needs no longer wait behind others if a rule had asked for it. XPL_TOO_MANY: the queue is full.
 */
enum xpl_status xpl_explanation_queue(struct xpl_db *db, struct xpl_call *call, const struct xpl_task *task,
                                      const char **ret_id, struct xpl_error *err);

#endif
