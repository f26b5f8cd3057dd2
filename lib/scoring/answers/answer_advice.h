/* SPDX-License-Identifier: Apache-2.0 */
/* What is said about answers whose probabilities are not found: what nearly was one, and which setting helps. */
#ifndef XPL_SCORING_ANSWER_ADVICE_H
#define XPL_SCORING_ANSWER_ADVICE_H

#include <stdbool.h>

#include "lib/base/status.h"
#include "lib/base/text.h"

/**
 * Whether an object (or the only object in it) has several numbers that would be a map of classes if their sum were 1;
 * `err` is then XPL_MODEL_BAD_ANSWER and names the member that is too much.
 */
bool xpl_answer_advise(struct xpl_text object, struct xpl_error *err);

#endif
