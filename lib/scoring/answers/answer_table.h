/* SPDX-License-Identifier: Apache-2.0 */
/* Where an answer has its rows: the part of reading it that knows the families of model servers. */
#ifndef XPL_SCORING_ANSWER_TABLE_H
#define XPL_SCORING_ANSWER_TABLE_H

#include <stdbool.h>

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/base/text.h"
#include "lib/scoring/model_hints.h"

enum xpl_answer_kind {
    XPL_ANSWER_ROWS, /* an array with a row for each image */
    XPL_ANSWER_ONE,  /* the row of the only image */
    XPL_ANSWER_FLAT  /* one list with the numbers of all images */
};

struct xpl_answer_table {
    enum xpl_answer_kind kind;
    struct xpl_text values;
    struct xpl_text fields, labels; /* ptr NULL = not there */
    const char *row_path;           /* within each row; NULL = none */
    bool unsure;                    /* a list of classes may be one of all classes or one of all images */
    bool loose;                     /* whether loose items count, too (answer_items.h) */
    struct xpl_text whole;          /* the text that all of this is in: the answer, or what a string of it holds */
};

/**
 * `text` was checked; `loose` as in the table. XPL_MODEL_BAD_ANSWER when nothing was found. An answer inside of a JSON
 * string, or of a list of them, is unescaped into `arena`.
 */
enum xpl_status xpl_answer_table_find(struct xpl_arena *arena, struct xpl_text text,
                                      const struct xpl_answer_hints *hints, uint32_t n_rows, bool loose,
                                      struct xpl_answer_table *ret, struct xpl_error *err);

/**
 * The tensor of an Open Inference answer that has the probabilities, with the classes of another one where that has
 * them; false when `outputs` is no list of tensors.
 */
bool xpl_answer_tensor_find(struct xpl_arena *arena, struct xpl_text outputs, const struct xpl_answer_hints *hints,
                            uint32_t n_rows, struct xpl_answer_table *ret);

/** Likewise one of strings "score:index:name"; its rows are written into `arena`. */
bool xpl_answer_tensor_classes(struct xpl_arena *arena, struct xpl_text outputs, uint32_t n_rows,
                               struct xpl_answer_table *ret);

/**
 * Follows a path such as "outputs.scores", "data[0].probs" or "results[*].p" ("$." before it does not matter) up to its
 * end or to [*], behind which `*ret_rest` begins. False when there is nothing at it.
 */
bool xpl_answer_follow(struct xpl_text value, const char *path, struct xpl_text *ret, const char **ret_rest);

/** Whether a path is one. */
bool xpl_answer_path_is_sound(const char *path);

#endif
