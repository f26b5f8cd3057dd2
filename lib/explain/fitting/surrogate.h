/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guess of the whole function from the masks that were scored: a Gaussian process on {0,1}^d, in logits (process.h),
 * or in probabilities where these are hardly ever other than 0 and 1.
 *
 * How much each superpixel counts for how alike two masks are, and the noise, are found by maximum likelihood: gradient
 * steps of the resilient kind (Riedmiller & Braun 1993), from the first-order effects on. The mean at all 2^d masks is
 * one product with a Kronecker matrix. What it says of a row it learnt from is said without that row, so that its
 * mistakes are those of a prediction.
 */
#ifndef XPL_EXPLAIN_SURROGATE_H
#define XPL_EXPLAIN_SURROGATE_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/explain/designs/mask.h"
#include "lib/explain/fitting/field.h"
#include "lib/explain/params.h"

struct xpl_surrogate {
    size_t n;
    double *left_out; /* n: the prediction of each row by the others (of rows it did not learn from: by those) */
    double *field;    /* 2^d: the predicted score of each mask; NULL above XPL_FIELD_SEGMENTS superpixels */
    double *doubt;    /* d: standard errors of the values of `field`, as the process has them; NULL without a field */
    double *gains;    /* how much each further block would take off the sum of its squares; NULL without a field */
    size_t n_gains;   /* as many as further blocks were given, 0 without a field */
    /* what it predicts with where there is no field */
    const xpl_mask *masks; /* n_learnt of the caller's */
    size_t n_learnt;
    double *alpha;  /* n_learnt */
    double *tables; /* products of decays over each eight bits of a mask, 256 a piece */
    uint32_t n_tables;
    double sum, mean, deviation;
    bool hard; /* learnt in probabilities */
};

/** Blocks of masks, one behind the other. */
struct xpl_blocks {
    const xpl_mask *masks; /* count x size */
    size_t count, size;
};

/** Rows of one class. */
struct xpl_surrogate_rows {
    const xpl_mask *masks; /* distinct; the larger the blocks they are made of (cosets.h), the more it learns from */
    const double *scores;  /* probabilities */
    size_t n;
    uint32_t n_segments;                 /* 2 to XPL_MAX_SEGMENTS */
    double kernel_width;                 /* of the weights that `doubt` is about, */
    const struct xpl_field_takes *takes; /* or other values; NULL = the weights */
    struct xpl_blocks further;           /* that may be scored next; may be none */
};

/**
 * *ret is NULL when the scores do not vary. The result lives in `arena` and borrows the masks; `scratch` is not needed
 * afterwards. Cost: a millisecond at 256 rows of the code, a tenth of a second at most.
 */
enum xpl_status xpl_surrogate_fit(struct xpl_arena *arena, struct xpl_arena *scratch,
                                  const struct xpl_surrogate_rows *rows, struct xpl_surrogate **ret,
                                  struct xpl_error *err);

/** Scores that all lie near 0 or near 1, where logits are cut off, are learnt stretched: from + score / scale is what
 * they were. */
struct xpl_stretch {
    double from, scale;
};

/** Writes n scores as they are to be learnt; as they are when they do not all lie there. */
struct xpl_stretch xpl_surrogate_stretch(const double *scores, size_t n, double *ret_scores);

/** The predicted score of a mask: a look at the field, or a sum over the rows it learnt from. */
double xpl_surrogate_at(const struct xpl_surrogate *surrogate, xpl_mask mask);

/** Weighted mean square of what it gets wrong of n masks whose scores are known. */
double xpl_surrogate_mistakes(const struct xpl_surrogate *surrogate, const xpl_mask *masks, const double *scores,
                              const double *weights, size_t n);

#endif
