/* SPDX-License-Identifier: Apache-2.0 */
/* What every answer must be before it is looked into. */
#ifndef XPL_SCORING_ANSWER_CHECK_H
#define XPL_SCORING_ANSWER_CHECK_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/base/text.h"

/** Sound JSON in which no object has a member twice: XPL_BAD_JSON, XPL_MODEL_BAD_ANSWER. `arena` is for working in. */
enum xpl_status xpl_answer_check(struct xpl_arena *arena, struct xpl_text text, struct xpl_error *err);

#endif
