/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XPL_API_SCORING_HINTS_H
#define XPL_API_SCORING_HINTS_H

#include <jansson.h>

#include "lib/base/arena.h"
#include "lib/scoring/answer.h"

/** What a subscription's asset_properties say about its model's answers; texts are copied into `arena`. */
enum xpl_status xpl_scoring_hints(struct xpl_arena *arena, const json_t *subscription, struct xpl_answer_hints *ret,
                                  struct xpl_error *err);

#endif
