/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading probabilities out of what a model answered, or out of a logged response.
 *
 * Shapes (this version): WML v4 {"predictions":[{"fields","values"}]}, plain {"fields","values"} with "labels"? at the
 * top (custom engines). The probability column is, in this order: the one named by the subscription's
 * probability_fields, "probability", "probabilities", the only column that is an array of numbers. An array [p] or a
 * bare number p of a single-sigmoid model counts as [1 - p, p].
 */
#ifndef XPL_SCORING_ANSWER_H
#define XPL_SCORING_ANSWER_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/base/text.h"

struct xpl_answer_hints {
    const char *const *probability_fields; /* may be NULL */
    size_t n_probability_fields;
    const char *prediction_field; /* may be NULL */
};

struct xpl_answer {
    uint32_t n_rows, n_classes;
    double *probabilities; /* n_rows x n_classes */
    const char *
        *labels; /* n_classes, sorted (class index = position in the sorted list), or NULL when none were said */
    const char **predictions; /* n_rows: JSON text of the prediction column's scalar, NULL where there is none */
};

/**
 * `n_rows` rows and, when `n_classes` is not 0, that many classes are required; XPL_MODEL_BAD_ANSWER otherwise, for
 * NaN, infinity, numbers outside [0, 1] by more than 1e-3, or when nothing was found (the message says what was looked
 * for).
 */
enum xpl_status xpl_answer_read(struct xpl_arena *arena, struct xpl_text text, const struct xpl_answer_hints *hints,
                                uint32_t n_rows, uint32_t n_classes, struct xpl_answer **ret, struct xpl_error *err);

#endif
