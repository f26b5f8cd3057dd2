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
 */
#ifndef XPL_EXPLAIN_SHAPLEY_H
#define XPL_EXPLAIN_SHAPLEY_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/explain/designs/mask.h"

struct xpl_shapley {
    double values[XPL_MAX_SEGMENTS]; /* the sum is f(all on) - f(all off) */
    double base;                     /* f(all off) */
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

/** Which share of what varies among n scores such predictions get right; NaN when nothing varies. */
double xpl_shapley_q2(const double *scores, const double *left_out, size_t n);

#endif
