/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters that each may be so alone, and not together. */
#ifndef XPL_API_EXPLAIN_PARAMS_CHECK_H
#define XPL_API_EXPLAIN_PARAMS_CHECK_H

#include <jansson.h>

#include "lib/base/status.h"
#include "lib/explain/params.h"

/**
 * `params` are those in force once `json` was laid over others. What contradicts itself, or would do nothing, is
 * XPL_BAD_FIELD; what only the image can tell is not looked at.
 */
enum xpl_status xpl_explain_params_check(const json_t *json, const struct xpl_explain_params *params,
                                         struct xpl_error *err);

#endif
