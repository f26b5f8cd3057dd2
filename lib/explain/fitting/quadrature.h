/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a process (process.h) is sure of the weights, and how much surer each of some further blocks of masks would
 * make it (Bayesian quadrature; O'Hagan 1991). Private to surrogate.c.
 *
 * The weights are sums of b(mask) x logit(mask) to first order, and logits are known as far as the process is sure of
 * them. What a block would tell depends on its masks alone, not on their scores.
 */
#ifndef XPL_EXPLAIN_QUADRATURE_H
#define XPL_EXPLAIN_QUADRATURE_H

#include "lib/explain/fitting/field.h"
#include "lib/explain/fitting/process.h"
#include "lib/explain/fitting/surrogate.h"

struct xpl_quadrature {
    struct xpl_process *process; /* solved */
    const xpl_mask *masks;       /* that were scored: first those it learnt from, in the order of its rows */
    size_t n_masks;
    const double *field; /* 2^d: the predicted scores */
    bool hard;           /* of a process in probabilities, not in logits */
    const struct xpl_field_takes *takes;
    struct xpl_blocks further;
};

/**
 * Variances of the weights, d of them, in units of the process's own, in logits as it has them. And per further block
 * how much smaller their sum would be; 0 where that cannot be told, because it is not made of blocks like the
 * process's.
 */
enum xpl_status xpl_quadrature_run(struct xpl_arena *scratch, const struct xpl_quadrature *q, double *ret_variances,
                                   double *ret_gains, struct xpl_error *err);

#endif
