/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models written in C, to be explained: functions of which superpixels are shown.
 */
#ifndef XPL_TESTS_EXPLAIN_MODELS_H
#define XPL_TESTS_EXPLAIN_MODELS_H

#include "lib/explain/explain.h"

#define SEEN_MASKS 65536u

/** The probability of one class. */
typedef double (*model_fn)(xpl_mask mask, uint32_t class_index);

/** A model and what happened to it. */
struct model {
    model_fn f;
    uint32_t d, n_classes;
    size_t fail_after;                /* masks; the call that would go beyond it fails */
    enum xpl_status fail_with;        /* XPL_OK = never */
    size_t scored, repeated, planned; /* without `checks` */
    size_t checks;                    /* how often "all on" was asked again */
    bool seen_all_on;
    bool seen[SEEN_MASKS];
};

struct xpl_explain_input model_input(struct model *model, struct xpl_segments *segments);

/** Explains a model and asserts that it was asked as often as the explanation says. */
struct xpl_explanation *explain_model(struct xpl_arena *arena, model_fn f, uint32_t d, uint32_t n_classes,
                                      const struct xpl_explain_params *params);

/* Two classes: f and 1 - f. */
double constant(xpl_mask mask, uint32_t class_index);
double additive(xpl_mask mask, uint32_t class_index); /* 0.2 + 0.02 x sum of (j + 1) z_j for even j, minus for odd */
double parity(xpl_mask mask, uint32_t class_index);
double all_of_first_six(xpl_mask mask, uint32_t class_index);
double fourth_superpixel(xpl_mask mask, uint32_t class_index);
double additive_with_pairs(xpl_mask mask, uint32_t class_index); /* Q2 above .8 and below .95 at d = 12 */
double two_pairs(xpl_mask mask, uint32_t class_index);           /* Q2 below .8, and easily learned */
double saturated(xpl_mask mask, uint32_t class_index);           /* 0 or 1 */
double logistic(xpl_mask mask,
                uint32_t class_index); /* of any number of superpixels: every third for, against, nothing */

/** Ten or more classes, 0 and 1 the most probable ones; class 3 is constant, class 4 not additive. */
double many(xpl_mask mask, uint32_t class_index);

#endif
