/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How faithful an explanation is, from the scores that are there already.
 */
#ifndef XPL_EXPLAIN_QUALITY_H
#define XPL_EXPLAIN_QUALITY_H

#include "lib/base/arena.h"
#include "lib/explain/designs/mask_set.h"
#include "lib/explain/explain.h"
#include "lib/explain/fitting/surrogate.h"

/** Finds the row of a mask. */
struct xpl_quality_index {
    struct xpl_mask_set rows;
    uint32_t n_segments;
};

enum xpl_status xpl_quality_index_build(struct xpl_arena *arena, const xpl_mask *masks, size_t n, uint32_t n_segments,
                                        struct xpl_quality_index *ret, struct xpl_error *err);

/** The score of a mask, NAN when it was not scored. */
double xpl_quality_score_of(const struct xpl_quality_index *index, const double *scores, xpl_mask mask);

/**
 * From the class's weights: the areas under the score while superpixels are switched off one by one, from "all on", the
 * largest weight first, and while they are switched on, from "all off" (Petsiuk 2018, RISE), over the share switched.
 * Masks on the way that were not scored are taken from the surrogate; without one the area is NAN.
 */
void xpl_quality_aucs(const struct xpl_quality_index *index, const double *scores,
                      const struct xpl_surrogate *surrogate, struct xpl_class_explanation *explained);

/** (f(all on) - f(all off)) - sum of weights; NAN unless both were scored. */
double xpl_quality_sum_gap(const struct xpl_quality_index *index, const double *scores, const double *weights);

/** How much of the highest of `n` scores, none below 0, is lost at the lowest: 0 to 1. */
double xpl_quality_change(const double *scores, size_t n);

/** Whether n scores of two classes always make up 1, but for rounding: both are then the same function. */
bool xpl_quality_mirrored(const double *one, const double *other, size_t n);

/**
 * Sets verdict, reason and weight_error from r2 (exact) or q2, weights, intervals, `constant`, `change`,
 * `change_of_other` and `noise_share`.
 */
enum xpl_status xpl_quality_judge(struct xpl_arena *arena, struct xpl_class_explanation *explained, uint32_t n_segments,
                                  struct xpl_error *err);

#endif
