/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Further figures of how far the weights can be trusted, from scores that are there already.
 */
#ifndef XPL_EXPLAIN_FAITHFULNESS_H
#define XPL_EXPLAIN_FAITHFULNESS_H

#include "lib/explain/fitting/estimate.h"

/**
 * Share of the score's variation over all masks, with LIME's weights, that no additive picture can show: of the scores
 * when `exact` (all masks are rows of the fit), else of the surrogate's field and all that the surrogate does not know,
 * but no more than the linear fit misses; NAN without either and for a constant class.
 */
double xpl_not_additive(const struct xpl_fit *fit, const struct xpl_estimate *estimate, bool exact);

/**
 * Infidelity (Yeh et al. 2019) over the variance: mean square of what the weights say a mask takes away from the whole
 * image less what it does take away, over the rows scored. 0 is perfect, 1 as good as knowing nothing but the mean. NAN
 * for a constant class.
 */
double xpl_infidelity(const struct xpl_fit *fit, const double *scores, const double *weights);

/**
 * How alike the five heaviest superpixels stay when an eighth of the rows is left out (jackknife over eight groups):
 * mean Jaccard index with those of all rows, of the linear fit. 1 is unchanged; NAN with five superpixels or fewer.
 */
double xpl_top_stability(const struct xpl_fit *fit, const double *scores, const struct xpl_fit_result *linear);

#endif
