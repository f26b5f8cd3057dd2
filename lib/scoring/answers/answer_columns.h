/* SPDX-License-Identifier: Apache-2.0 */
/* Tables with a column for each class: {"fields":["prediction","P(cat)","P(dog)"],"values":[["cat",0.9,0.1]]}. */
#ifndef XPL_SCORING_ANSWER_COLUMNS_H
#define XPL_SCORING_ANSWER_COLUMNS_H

#include <stdbool.h>

#include "lib/base/arena.h"
#include "lib/base/text.h"

/**
 * The rows of such a table as objects with the probabilities of all classes, written into `arena`. Columns are of
 * classes when two or more have a class in their names, or when all that there are have 1 as the sum of the first row.
 */
bool xpl_answer_columns_gather(struct xpl_arena *arena, struct xpl_text fields, struct xpl_text values,
                               struct xpl_text *ret);

#endif
