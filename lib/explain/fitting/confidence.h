/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How sure the weights are: leave-one-out residuals of the linear model, without a further model call.
 */
#ifndef XPL_EXPLAIN_CONFIDENCE_H
#define XPL_EXPLAIN_CONFIDENCE_H

#include "lib/explain/explain.h"
#include "lib/explain/fitting/fit.h"

/**
 * Leave-one-out Q2 of a fit that is not constant: how additive the class is in the superpixels, as far as the rows say.
 * NAN for a constant one.
 */
double xpl_confidence_q2(const struct xpl_fit *fit, const double *scores, const struct xpl_fit_result *result);

/**
 * Kurtosis of a fit's leave-one-out residuals, at most n: 3 where they come from many small causes, n / m where m rows
 * have nearly all of them (a rare jump). 0 for a fit without mistakes.
 */
double xpl_confidence_kurtosis(const struct xpl_fit *fit, const double *scores, const struct xpl_fit_result *result);

/** Leave-one-out residuals: what each row's score is away from the fit of the others. One per row. */
void xpl_confidence_residuals(const struct xpl_fit *fit, const double *scores, const struct xpl_fit_result *result,
                              double *ret);

/**
 * Squared sandwich standard errors of the weights (MacKinnon & White 1985, HC3), from residuals that did not see their
 * rows: n_segments of them into `ret`. Returns their sum.
 */
double xpl_confidence_spread(const struct xpl_fit *fit, const double *residuals, double *ret);

/**
 * How far a weight may be off by what no row has shown, for a function that is nearly always at one of two values (a
 * decision tree, a saturated model): rows without a surprise then tell little about how rare surprises are, and
 * residuals nothing. By the rule of three (Hanley & Lippman-Hand 1983) masks with the other value have a share of 3 / n
 * at most among those that were not scored, and each moves a weight by up to 2 (1 / (4 v) of the two values' distance,
 * v = 1/8). 0 for other functions.
 */
double xpl_confidence_unseen(const struct xpl_fit *fit, const double *scores);

/** What the standard errors are those of. */
enum xpl_interval_kind {
    XPL_INTERVAL_EXACT,        /* nothing: all masks were scored */
    XPL_INTERVAL_RANDOM,       /* independent draws */
    XPL_INTERVAL_DESIGN,       /* the linear fit of a balanced design, whose error is smaller */
    XPL_INTERVAL_SURROGATE,    /* a blend with the surrogate on such a design, */
    XPL_INTERVAL_FIELD,        /* and the surrogate's own weights with it */
    XPL_INTERVAL_ADAPTIVE,     /* such a blend on random masks, whose number depends on the scores */
    XPL_INTERVAL_SMALL_DESIGN, /* a balanced design of fewer than 256 rows, where its standard errors are too small */
    XPL_INTERVAL_SHAPLEY,      /* Shapley values of masks that were predicted, */
    XPL_INTERVAL_SHAPLEY_FEW,  /* and those from such a small design */
};

/**
 * What to multiply a standard error with for half an interval: the normal quantile of (1 + confidence) / 2, times a
 * factor of the kind, as measured (docs/explanations.md: the intervals then cover at least what they say).
 */
double xpl_confidence_factor(double confidence, enum xpl_interval_kind kind);

/** What an interval weight +- half_width says; `largest` = the largest |weight| of the class. */
enum xpl_decision xpl_confidence_decide(double weight, double half_width, double largest);

#endif
