/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether what was scored is enough for a class, or the next stage is to be scored.
 *
 * A balanced design is enough when the zones add up, or when the estimate is to be expected to be as good as that of
 * 5000 random samples. Random pairs are enough when each superpixel is decided: positive, negative or negligible.
 */
#ifndef XPL_EXPLAIN_STOPPING_H
#define XPL_EXPLAIN_STOPPING_H

#include "lib/explain/designs/design.h"
#include "lib/explain/fitting/estimate.h"

struct xpl_stopping {
    const struct xpl_design *design;
    uint32_t stages; /* that were scored, at least 1 */
    const struct xpl_fit *fit;
    double confidence;
};

/**
 * Mean square of what the estimate after the stage before got wrong of the rows that are new, weighted like the fit.
 * The estimate must have a surrogate.
 */
double xpl_mistakes_on_new_rows(const struct xpl_stopping *rule, const struct xpl_estimate *before,
                                const double *scores);

/** `before` is the estimate after the stage before, NULL after the first; `scores` has one entry per row scored. */
bool xpl_is_enough(const struct xpl_stopping *rule, const struct xpl_estimate *before, const struct xpl_estimate *now,
                   const double *scores);

#endif
