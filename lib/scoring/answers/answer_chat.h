/* SPDX-License-Identifier: Apache-2.0 */
/* What language models that look at images answer: a text, and how probable its first token was. */
#ifndef XPL_SCORING_ANSWER_CHAT_H
#define XPL_SCORING_ANSWER_CHAT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/text.h"
#include "lib/scoring/model_hints.h"

/** The text at the `i`-th of the places where such models have it. `*ret_more` = there is an `i`-th place. */
bool xpl_answer_chat_text(struct xpl_text object, size_t i, struct xpl_text *ret, bool *ret_more);

/**
 * A list of {"label","score"} of what the first token could have been, written into `arena`: without blanks around it
 * and, where the subscription names the classes, of classes only.
 */
bool xpl_answer_chat_tokens(struct xpl_arena *arena, struct xpl_text object, const struct xpl_answer_hints *hints,
                            struct xpl_text *ret);

#endif
