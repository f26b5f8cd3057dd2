/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How sure the weights are: leave-one-out residuals of the linear model, without a further model call.
 */
#ifndef XPL_EXPLAIN_CONFIDENCE_H
#define XPL_EXPLAIN_CONFIDENCE_H

#include "lib/explain/fit.h"

/**
 * Leave-one-out Q2 of a fit that is not constant: how additive the class is in the superpixels, as far as the rows say.
 * NAN for a constant one.
 */
double xpl_confidence_q2(const struct xpl_fit *fit, const double *scores, const struct xpl_fit_result *result);

/** Sandwich standard errors of the leave-one-out residuals (MacKinnon & White 1985, HC3); n_segments of them. */
void xpl_confidence_standard_errors(const struct xpl_fit *fit, const double *scores,
                                    const struct xpl_fit_result *result, double *ret);

/**
 * What to multiply a standard error with for half an interval: the normal quantile of (1 + confidence) / 2; for a
 * balanced design x 0.75, because its error is smaller than that of independent draws (measured: it then still covers
 * more than it says).
 */
double xpl_confidence_factor(double confidence, bool balanced);

/** What an interval weight +- half_width says; `largest` = the largest |weight| of the class. */
enum xpl_decision xpl_confidence_decide(double weight, double half_width, double largest);

#endif
