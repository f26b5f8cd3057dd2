/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guess of the whole function from the masks that were scored: a Gaussian process on {0,1}^d, in logits.
 *
 * kernel(z, z') = 1 + exp(-sum of theta_j over the superpixels in which z and z' differ), theta_j in proportion to the
 * first-order effect of superpixel j, with one scale and one noise found by maximum likelihood on a small grid
 * (Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006, chapters 2 and 5). The mean at all 2^d masks
 * is one product with a Kronecker matrix. What it says of a row is always said without that row, so that its mistakes
 * are those of a prediction.
 */
#ifndef XPL_EXPLAIN_SURROGATE_H
#define XPL_EXPLAIN_SURROGATE_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/explain/explain.h"

#define XPL_SURROGATE_ROWS 512u /* it learns from these first rows; the cost grows with their cube */

struct xpl_surrogate {
    double *field;    /* 2^d: the predicted score of each mask */
    double *left_out; /* n: the prediction of each row by the others (of rows beyond the first 512: by those) */
};

/**
 * `scores` are probabilities, n of them, one per mask; 2 <= n_segments <= XPL_MAX_SEGMENTS. *ret is NULL when the
 * scores do not vary. All memory is taken from `arena`.
 */
enum xpl_status xpl_surrogate_fit(struct xpl_arena *arena, const xpl_mask *masks, const double *scores, size_t n,
                                  uint32_t n_segments, struct xpl_surrogate **ret, struct xpl_error *err);

#endif
