/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of a row, and what makes probabilities of them. */
#ifndef XPL_SCORING_ANSWER_NUMBERS_H
#define XPL_SCORING_ANSWER_NUMBERS_H

#include "lib/base/status.h"
#include "lib/base/text.h"
#include "lib/scoring/model_hints.h"

/** The numbers of a row's items (answer_items.h) into `out`: at most `max`. XPL_MODEL_BAD_ANSWER for something else,
 * which `*ret_value` is then. */
enum xpl_status xpl_answer_numbers(struct xpl_text probabilities, double *out, uint32_t max, uint32_t *ret_n,
                                   struct xpl_text *ret_value, struct xpl_error *err);

/**
 * Makes probabilities of `n` numbers and checks them: finite and within [0, 1], up to float32 rounding. Without an
 * activation, several numbers whose sum is 100 are percentages.
 */
enum xpl_status xpl_answer_activate(enum xpl_activation activation, double *x, uint32_t n, struct xpl_error *err);

#endif
