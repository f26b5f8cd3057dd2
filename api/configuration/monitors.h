/* SPDX-License-Identifier: Apache-2.0 */
/* Switching explanations of a subscription on and off: its monitor instance of `explainability`. */
#ifndef XPL_API_MONITORS_H
#define XPL_API_MONITORS_H

#include "api/call.h"

/** Whether there is one that is enabled. `ret_parameters` (may be NULL) is a new object, {} when there is none. */
enum xpl_status xpl_explainability_get(struct xpl_db *db, struct xpl_call *call, const char *subscription_id,
                                       bool *ret_enabled, json_t **ret_parameters, struct xpl_error *err);

/** On the writer: makes the instance or changes it. `parameters` NULL = as they are. XPL_BAD_FIELD: bad ones. */
enum xpl_status xpl_explainability_set(struct xpl_db *db, struct xpl_call *call, const char *subscription_id,
                                       bool enabled, const json_t *parameters, struct xpl_error *err);

#endif
