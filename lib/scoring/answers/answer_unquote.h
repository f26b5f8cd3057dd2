/* SPDX-License-Identifier: Apache-2.0 */
/* Answers whose numbers are written as texts. */
#ifndef XPL_SCORING_ANSWER_UNQUOTE_H
#define XPL_SCORING_ANSWER_UNQUOTE_H

#include "lib/base/arena.h"
#include "lib/base/text.h"

/**
 * An answer with the numbers in place of texts such as "0.25" and "25.0 %", the latter a hundredth unless
 * `keep_percent`; whole ones, which may be names of classes, and the names of members stay. `text` was checked. ptr
 * NULL when there is none of them, or no memory.
 */
struct xpl_text xpl_answer_unquote(struct xpl_arena *arena, struct xpl_text text, bool keep_percent);

#endif
