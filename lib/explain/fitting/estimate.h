/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The weights of one class, from the rows scored so far: the linear fit of the design, and the surrogate's weights
 * corrected by what the surrogate got wrong (a control variate), blended by how much either is wrong.
 *
 * The weights that lime estimates are linear in the function: beta = A f over all 2^d masks (Garreau & Mardaoui 2021).
 * With a surrogate g, beta = A g + A (f - g); the first part is known, the second is estimated on the rows, with
 * predictions that did not see them. Where the surrogate is good the second part is small, and few rows will do. On a
 * balanced design that second part is what rows of high order alias to; A g alone errs in other ways, and the mean of
 * both is better than either (docs/accuracy.md).
 */
#ifndef XPL_EXPLAIN_ESTIMATE_H
#define XPL_EXPLAIN_ESTIMATE_H

#include "lib/explain/fitting/confidence.h"
#include "lib/explain/fitting/fit.h"
#include "lib/explain/fitting/surrogate.h"

/*
 * Below this Q2 of the linear fit zones act together, and a surrogate is believed less, as it is of a model that
 * answers nothing but 0 and 1: its mistakes are alike wherever the answer changes, and add up. When Q2 is small and it
 * explains more than the second figure it is not believed at all: a design of few rows may have made the pattern (a
 * parity of zones).
 */
#define XPL_DOUBTFUL_Q2 0.2
#define XPL_TOO_GOOD_Q2 0.99

struct xpl_estimate {
    struct xpl_fit_result linear;
    double q2;                             /* of the linear fit; NAN when constant */
    double coefficients[XPL_FIT_MAX_SIZE]; /* intercept, then one weight per superpixel */
    double standard_errors[XPL_MAX_SEGMENTS];
    double linear_squares[XPL_MAX_SEGMENTS]; /* of those of the linear fit alone */
    double surrogate_q2;      /* how well rows are predicted that the surrogate did not see; NAN without one */
    double unseen;            /* how far a weight may be off by what no row has shown */
    double error;             /* that is to be expected: the length of the difference from the truth */
    double lime_error;        /* the same that lime's 5000 random samples are to be expected to have */
    double left_out_variance; /* weighted mean of the squares of these mistakes */
    const struct xpl_surrogate *surrogate; /* in the caller's arena; NULL without one */
    bool doubtful;                         /* the surrogate is to be believed less */
    bool with_field;                       /* the blend and the surrogate's own weights together, */
    double field_share;                    /* so much of the latter */
    bool untried;                          /* on masks beside a design that is too small to speak for itself */
};

/**
 * What stands for all 2^d masks where they are too many to look at: the rows of the largest orthogonal array. *ret is
 * NULL up to XPL_FIELD_SEGMENTS superpixels, which need none. One serves all classes.
 */
enum xpl_status xpl_estimate_whole(struct xpl_arena *arena, uint32_t n_segments, double kernel_width,
                                   struct xpl_fit **ret, struct xpl_error *err);

struct xpl_estimate_rows {
    const struct xpl_fit *fit;   /* without repeats or ridge, when there is a surrogate */
    const struct xpl_fit *whole; /* see xpl_estimate_whole */
    bool with_surrogate;         /* false: the linear fit alone */
    enum xpl_design_mode mode;   /* how the rows were chosen */
    bool exact;                  /* they are all there are */
    struct xpl_blocks further;   /* that may be scored next, */
    double enough;               /* unless the linear fit has this Q2 */
};

/**
 * `scores` are probabilities, one per row of the fit. Cost: that of the surrogate, and above XPL_FIELD_SEGMENTS
 * superpixels of its predictions for the rows of the largest array.
 */
enum xpl_status xpl_estimate_class(struct xpl_arena *arena, const struct xpl_estimate_rows *rows, const double *scores,
                                   struct xpl_estimate *ret, struct xpl_error *err);

/**
 * Where an estimate rests on a surrogate: takes the squares of its mistakes for at least this share of those of the
 * linear fit, however small they are on the rows it knows. 0 to 1.
 */
void xpl_estimate_doubt(struct xpl_estimate *estimate, uint32_t n_segments, double share);

/**
 * Where few rows of a balanced design make nearly all mistakes of the linear fit (a rare jump), the surrogate has
 * learnt from these few when there is a jump, and may be wrong of it though it predicts each of them by the others.
 * Makes the standard errors as large as that; `error`, which decides about going on, stays.
 */
void xpl_estimate_rare(const struct xpl_estimate_rows *rows, const double *scores, struct xpl_estimate *estimate);

/**
 * Other masks than the rows of `fit` contradict what the estimate says of them: the mean square of its mistakes there
 * is `mistakes`, that of the scores around their mean `variance`. Its fidelity becomes what is left, no class is
 * constant any more, and the standard errors are at least those of rows with such mistakes.
 */
void xpl_estimate_contradict(struct xpl_estimate *estimate, const struct xpl_fit *fit, double mistakes,
                             double variance);

/** What those of Shapley values from so many rows, chosen in that way, are those of. */
enum xpl_interval_kind xpl_estimate_shapley_kind(enum xpl_design_mode mode, bool exact, size_t n);

/** What the standard errors of an estimate of these rows are those of. */
enum xpl_interval_kind xpl_estimate_interval_kind(const struct xpl_estimate_rows *rows,
                                                  const struct xpl_estimate *estimate);

/** What may be said of each weight: arrays of n_segments. */
struct xpl_intervals {
    double *low, *high;
    enum xpl_decision *decisions;
};

/**
 * Fills the arrays of `ret`, which are the caller's. `looks`: how often it may be looked whether all is decided; the
 * decisions are then as sure together as one of them alone would be (Bonferroni). 0 = decisions are single ones.
 */
void xpl_estimate_intervals(const struct xpl_estimate *estimate, uint32_t n_segments, double confidence,
                            enum xpl_interval_kind kind, uint32_t looks, struct xpl_intervals *ret);

#endif
