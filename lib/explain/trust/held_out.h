/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few masks beside a balanced design, on which an estimate is tried before it is believed.
 *
 * On a design, combinations of zones look like others, or like nothing: a fit may then predict every row that it did
 * not see, or a class seem constant, and be wrong of half of the masks that the design does not have. A random mask
 * tells.
 */
#ifndef XPL_EXPLAIN_HELD_OUT_H
#define XPL_EXPLAIN_HELD_OUT_H

#include "lib/explain/designs/sample.h"
#include "lib/explain/fitting/fit.h"
#include "lib/explain/fitting/surrogate.h"

struct xpl_held_out {
    xpl_mask masks[XPL_HELD_OUT_MASKS];
    double weight[XPL_HELD_OUT_MASKS]; /* the kernel's */
    double *scores;                    /* n_kept of the sample x XPL_HELD_OUT_MASKS */
};

/**
 * Draws masks that were not scored by now, and scores them. There must be that many. XPL_DEADLINE and other errors are
 * those of the scoring.
 */
enum xpl_status xpl_held_out_score(struct xpl_sample *sample, const uint8_t seed[XPL_HASH_BYTES],
                                   struct xpl_held_out **ret, struct xpl_error *err);

/** Weighted mean square of what a surrogate of that kept class gets wrong of them. */
double xpl_held_out_mistakes(const struct xpl_held_out *held_out, uint32_t position,
                             const struct xpl_surrogate *surrogate);

/** The same of a linear fit. */
double xpl_held_out_mistakes_of_fit(const struct xpl_held_out *held_out, uint32_t position, uint32_t n_segments,
                                    const struct xpl_fit_result *fit);

/** Weighted mean square of the distances of that class's scores from `centre`. */
double xpl_held_out_variance(const struct xpl_held_out *held_out, uint32_t position, double centre);

#endif
