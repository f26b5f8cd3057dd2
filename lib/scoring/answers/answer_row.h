/* SPDX-License-Identifier: Apache-2.0 */
/* What the row of one image says: which part of it are the probabilities, which the prediction. */
#ifndef XPL_SCORING_ANSWER_ROW_H
#define XPL_SCORING_ANSWER_ROW_H

#include "lib/scoring/answers/answer_table.h"

#define XPL_MAX_FIELDS 64u

struct xpl_answer_columns {
    struct xpl_text names[XPL_MAX_FIELDS]; /* of "fields" */
    uint32_t n_names;
    uint32_t probability; /* XPL_NO_COLUMN: the row itself is the list of probabilities */
    uint32_t prediction;  /* XPL_NO_COLUMN: there is none */
    uint32_t labels;      /* likewise; of lists with the names of the probabilities of their row */
    bool chosen;
};
#define XPL_NO_COLUMN UINT32_MAX

/** JSON texts; ptr NULL = not there. */
struct xpl_answer_row {
    struct xpl_text probabilities; /* see answer_items.h */
    struct xpl_text labels;        /* the row's own */
    struct xpl_text prediction;    /* a scalar */
};

/** Reads "fields". XPL_MODEL_BAD_ANSWER: not strings, or too many. */
enum xpl_status xpl_answer_columns_read(struct xpl_text fields, struct xpl_answer_columns *ret, struct xpl_error *err);

/** Whether an object says by itself what an image is: probabilities somewhere in it, or the name of a class. */
bool xpl_answer_row_is_one(const struct xpl_answer_table *table, const struct xpl_answer_hints *hints,
                           struct xpl_text object);

/** The parts of one row; the first row that has cells decides which columns are read. */
enum xpl_status xpl_answer_row_read(const struct xpl_answer_table *table, const struct xpl_answer_hints *hints,
                                    struct xpl_text row, struct xpl_answer_columns *columns, struct xpl_answer_row *ret,
                                    struct xpl_error *err);

#endif
