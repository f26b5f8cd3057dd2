/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local linear model: weighted least squares of a class's scores on the masks' bits, with an intercept.
 *
 * A row's weight is LIME's image kernel of the share of superpixels shown (Ribeiro, Singh, Guestrin 2016; the limit it
 * estimates: Garreau & Mardaoui 2021). The weights of one class are linear in its scores, so one factorisation gives an
 * operator that serves all classes. Sums run in a fixed order.
 */
#ifndef XPL_EXPLAIN_FIT_H
#define XPL_EXPLAIN_FIT_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/explain/designs/mask.h"

#define XPL_FIT_MAX_SIZE     (XPL_MAX_SEGMENTS + 1)
#define XPL_FIT_KERNEL_WIDTH 0.25 /* what lime uses for images */

/** The rows of the regression. */
struct xpl_fit_rows {
    const xpl_mask *masks;
    const uint32_t *repeats; /* how often each row counts; NULL = once */
    size_t n;
    uint32_t n_segments;
    double ridge;        /* penalty of the squared weights, not of the intercept; 0 = none */
    double kernel_width; /* 0 = XPL_FIT_KERNEL_WIDTH */
};

/** What all classes share. */
struct xpl_fit {
    struct xpl_fit_rows rows;
    uint32_t size;    /* n_segments + 1: coefficient 0 is the intercept */
    double *weight;   /* n: the kernel, one repeat's worth */
    double *operator; /* n x size: row i = w_i G^-1 x_i; coefficients = sum of repeats x operator x score */
    double *leverage; /* n: h_i = w_i x_i' G^-1 x_i */
};

/** The linear model of one class. */
struct xpl_fit_result {
    double coefficients[XPL_FIT_MAX_SIZE]; /* intercept, then one weight per superpixel */
    double mean;                           /* weighted mean of the scores */
    double variation;                      /* weighted sum of squares around it */
    double r2;                             /* NAN when constant */
    bool constant;                         /* the scores do not vary: all weights are 0 */
};

/** exp(-(1 - sqrt(shown / n_segments))^2 / (2 width^2)): lime's kernel on the cosine distance to "all on". */
double xpl_fit_kernel(uint32_t shown, uint32_t n_segments, double width);

/** The width of the rows' kernel. */
static inline double xpl_fit_kernel_width(const struct xpl_fit_rows *rows)
{
    return rows->kernel_width > 0 ? rows->kernel_width : XPL_FIT_KERNEL_WIDTH;
}

/** Factors the normal equations of `rows`, which are borrowed. XPL_INTERNAL when the rows do not determine a model. */
enum xpl_status xpl_fit_factor(struct xpl_arena *arena, const struct xpl_fit_rows *rows, struct xpl_fit **ret,
                               struct xpl_error *err);

/** Fits one class: `scores` has one entry per row. */
void xpl_fit_solve(const struct xpl_fit *fit, const double *scores, struct xpl_fit_result *ret);

/** The linear model's value for a mask. */
double xpl_fit_predict(const struct xpl_fit_result *result, uint32_t n_segments, xpl_mask mask);

/** How often a row counts. */
static inline double xpl_fit_repeats(const struct xpl_fit *fit, size_t row)
{
    return fit->rows.repeats ? (double)fit->rows.repeats[row] : 1.0;
}

#endif
