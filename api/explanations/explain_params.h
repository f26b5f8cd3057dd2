/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON form of an explanation's parameters: in a monitor instance (defaults of a subscription), in a task (one
 * request) and in the answer (what was used). docs/explanations.md, Parameters.
 */
#ifndef XPL_API_EXPLAIN_PARAMS_H
#define XPL_API_EXPLAIN_PARAMS_H

#include <jansson.h>

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/explain/params.h"

/**
 * Lays what `json` (an object or NULL) says over `params`; null puts a member that can be left open back to that. What
 * a later version brings is XPL_NOT_AVAILABLE, what is wrong XPL_BAD_FIELD, with the path below `where`. A label map
 * and the id of a background live in `arena`.
 */
enum xpl_status xpl_explain_params_read(struct xpl_arena *arena, const json_t *json, const char *where,
                                        struct xpl_explain_params *params, struct xpl_error *err);

/** The parameters a task was stored with. XPL_STORAGE_FAILED: the text is damaged. */
enum xpl_status xpl_explain_params_stored(struct xpl_arena *arena, const char *text, struct xpl_explain_params *ret,
                                          struct xpl_error *err);

/** Refuses members that are not parameters, so that a misspelt one is not taken for the default. */
enum xpl_status xpl_explain_params_known(const json_t *json, const char *where, struct xpl_error *err);

/** The opposite: every member with the value in force. NULL without memory. */
json_t *xpl_explain_params_view(const struct xpl_explain_params *params);

#endif
