/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading probabilities out of what a model answered, or out of a logged response.
 *
 * Shapes: WML v4 {"predictions":[{"fields","values"}]}; plain {"fields","values"} with "labels"? at the top (custom
 * engines); {"predictions":[ROW,…]} and {"outputs":…} (KServe V1, TensorFlow Serving, SageMaker); the tensors of the
 * Open Inference Protocol V2; [ROW,…] and {"output":[ROW,…]} (Azure); a bare row for one image. Any of them
 * may be the text of a JSON string or of a list of strings, in a tensor of BYTES, too.
 * A ROW is [p,…], p, an object that holds them ({"probabilities":[…]}, {"probs":[…],"labels":[…]}, {"score":[…],
 * "predicted_label":k}), a map {"cat":p,…}, or a list [{"label","score"},…] (answer_items.h). Where no row is found
 * like this, it is the only place, however deep, in which several classes have a name and a score each.
 *
 * The probability column is, in this order: the one named by the subscription's probability_fields, one of the usual
 * names, the only one that is an array of numbers. An array [p] or a bare number p of a single-sigmoid model counts as
 * [1 - p, p].
 */
#ifndef XPL_SCORING_ANSWER_H
#define XPL_SCORING_ANSWER_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/base/text.h"
#include "lib/scoring/model_hints.h"

struct xpl_answer {
    uint32_t n_rows, n_classes;
    double *probabilities;     /* n_rows x n_classes */
    const char *const *labels; /* n_classes, or NULL when none were said. Of the subscription's class_labels in their
                                  order, else sorted: class index = position in this list */
    uint32_t n_partial;        /* rows that did not name all classes: those left out share what is left of 1 */
    const char **predictions;  /* n_rows: JSON text of the prediction column's scalar, NULL where there is none */
};

/**
 * `n_rows` rows and, when `n_classes` is not 0, that many classes are required; XPL_MODEL_BAD_ANSWER otherwise, for
 * NaN, infinity, numbers outside [0, 1] by more than 1e-3, or when nothing was found (the message says what was looked
 * for).
 */
enum xpl_status xpl_answer_read(struct xpl_arena *arena, struct xpl_text text, const struct xpl_answer_hints *hints,
                                uint32_t n_rows, uint32_t n_classes, struct xpl_answer **ret, struct xpl_error *err);

#endif
