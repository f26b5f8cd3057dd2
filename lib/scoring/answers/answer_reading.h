/* SPDX-License-Identifier: Apache-2.0 */
/* The reading of an answer (answer.c), as far as what its classes are called has a part in it. */
#ifndef XPL_SCORING_ANSWER_READING_H
#define XPL_SCORING_ANSWER_READING_H

#include "lib/scoring/answers/answer.h"
#include "lib/scoring/answers/answer_labels.h"
#include "lib/scoring/answers/answer_row.h"

struct reading {
    struct xpl_arena *arena;
    const struct xpl_answer_hints *hints;
    struct xpl_answer_table table;
    struct xpl_answer_columns columns;
    struct xpl_class_names classes; /* n = 0: they have no names */
    const uint32_t *order;          /* where the i-th of the answer's own labels stands; NULL: at i */
    struct xpl_answer *answer;
    double *scratch;    /* n_classes */
    bool one_number;    /* a sigmoid: the probability of the second class */
    bool named_rows;    /* every row names its classes */
    struct xpl_text at; /* what is being read, for the message when that fails */
    struct xpl_error *err;
};

/** What the first row says about the names of `n` classes: r->classes, r->order, r->named_rows. */
enum xpl_status xpl_reading_use_names(struct reading *r, const struct xpl_answer_row *row, uint32_t n);

/** The names that a row brings along, in its own order. */
enum xpl_status xpl_reading_row_labels(struct reading *r, const struct xpl_answer_row *row, uint32_t n,
                                       const char ***ret_list);

/** The indexes of classes; XPL_MODEL_BAD_ANSWER for a name that is none. */
enum xpl_status xpl_reading_find_order(struct reading *r, const char *const *list, uint32_t n, uint32_t *order);

#endif
