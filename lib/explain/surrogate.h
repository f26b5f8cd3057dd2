/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guess of the whole function from the masks that were scored: a Gaussian process on {0,1}^d, in logits.
 *
 * kernel(z, z') = 1 + exp(-sum of theta_j over the superpixels in which z and z' differ), theta_j in proportion to the
 * first-order effect of superpixel j, with one scale and one noise found by maximum likelihood on a small grid
 * (Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006, chapters 2 and 5). The mean at all 2^d masks
 * is one product with a Kronecker matrix. What it says of a row it learnt from is said without that row, so that its
 * mistakes are those of a prediction.
 */
#ifndef XPL_EXPLAIN_SURROGATE_H
#define XPL_EXPLAIN_SURROGATE_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/explain/explain.h"

/* It learns from these first rows; the cost grows with their cube. */
#define XPL_SURROGATE_ROWS      512u
#define XPL_SURROGATE_ROWS_MANY 1024u /* above XPL_FIELD_SEGMENTS superpixels */

struct xpl_surrogate {
    size_t n;
    double *left_out; /* n: the prediction of each row by the others (of rows it did not learn from: by those) */
    double *field;    /* 2^d: the predicted score of each mask; NULL above XPL_FIELD_SEGMENTS superpixels */
    /* what it predicts with where there is no field */
    const xpl_mask *masks; /* n_learnt of the caller's */
    size_t n_learnt;
    double *alpha;  /* n_learnt */
    double *tables; /* products of decays over each eight bits of a mask, 256 a piece */
    uint32_t n_tables;
    double sum, mean, deviation;
};

/**
 * `scores` are probabilities, n of them, one per mask; 2 <= n_segments <= XPL_MAX_SEGMENTS. *ret is NULL when the
 * scores do not vary. The result lives in `arena` and borrows `masks`; `scratch` is not needed afterwards.
 */
enum xpl_status xpl_surrogate_fit(struct xpl_arena *arena, struct xpl_arena *scratch, const xpl_mask *masks,
                                  const double *scores, size_t n, uint32_t n_segments, struct xpl_surrogate **ret,
                                  struct xpl_error *err);

/**
 * The same for more rows, from what was learnt of the first ones: NULL when it would learn from more rows now. What it
 * returns lives in `arena`.
 */
struct xpl_surrogate *xpl_surrogate_extend(struct xpl_arena *arena, const struct xpl_surrogate *before,
                                           const xpl_mask *masks, size_t n, uint32_t n_segments);

/** The predicted score of a mask: a look at the field, or a sum over the rows it learnt from. */
double xpl_surrogate_at(const struct xpl_surrogate *surrogate, xpl_mask mask);

#endif
