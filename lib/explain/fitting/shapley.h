/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapley values of superpixels from scored masks: how the difference between "all on" and "all off" is shared out
 * among them when each is switched on in every possible order (Shapley 1953).
 *
 * With all 2^d masks they are exact. With fewer, the surrogate (surrogate.h) stands for the masks that were not scored:
 * all of them where it has a field, else those of orders drawn at random, each with its reverse (Mitchell, Cooper,
 * Frank & Holmes 2022, "Sampling permutations for Shapley value estimation"). The weighted least squares of KernelSHAP
 * (Lundberg & Lee 2017) wants few or nearly all superpixels shown, which designs for LIME's weights hardly have: its
 * errors on the same masks are two to ten times as large.
 *
 * How far the values may be off follows from how far the process behind the surrogate is sure of the masks that were
 * not scored (quadrature.h), since the values are linear in the function.
 */
#ifndef XPL_EXPLAIN_SHAPLEY_H
#define XPL_EXPLAIN_SHAPLEY_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/explain/designs/mask.h"
#include "lib/explain/fitting/estimate.h"

struct xpl_shapley {
    double values[XPL_MAX_SEGMENTS]; /* the sum is f(all on) - f(all off) */
    double base;                     /* f(all off) */
    double errors[XPL_MAX_SEGMENTS]; /* standard errors of the values; 0 when exact */
    double unseen;                   /* how far they may be off by what no mask has shown (confidence.h) */
    bool has_errors;                 /* they are known: all masks were scored, or the surrogate has a field */
    bool exact;
    double *left_out; /* n: what the surrogate says of each scored mask by the others; NULL when exact */
};

/**
 * n distinct masks with their scores, "all on" and "all off" among them; 2 <= n_segments <= XPL_MAX_SEGMENTS.
 * XPL_NOT_AVAILABLE: one of these two is missing, or the masks say too little. Cost: that of the surrogate, and some
 * tenth of a second more above XPL_FIELD_SEGMENTS superpixels.
 */
enum xpl_status xpl_shapley_values(struct xpl_arena *arena, const xpl_mask *masks, const double *scores, size_t n,
                                   uint32_t n_segments, struct xpl_shapley *ret, struct xpl_error *err);

/**
 * Takes the mean square of the surrogate's mistakes for at least what is known of the explanation that the rows are of:
 * `doubt` and `contradicted` as in struct xpl_explanation. The errors become at least those that such mistakes make,
 * and `unseen` is found.
 */
enum xpl_status xpl_shapley_doubt(struct xpl_arena *arena, const struct xpl_fit_rows *rows, const double *scores,
                                  double doubt, double contradicted, struct xpl_shapley *shapley,
                                  struct xpl_error *err);

/** What may be said of each value; has_errors must be true. `kind` is one of the two of Shapley values, or exact. */
void xpl_shapley_intervals(const struct xpl_shapley *shapley, uint32_t n_segments, double confidence,
                           enum xpl_interval_kind kind, struct xpl_intervals *ret);

/** Which share of what varies among n scores such predictions get right; NaN when nothing varies. */
double xpl_shapley_q2(const double *scores, const double *left_out, size_t n);

#endif
