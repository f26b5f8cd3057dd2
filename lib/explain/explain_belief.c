/* SPDX-License-Identifier: Apache-2.0 */
/* How far what fits and surrogates say of themselves is believed: as far as masks they did not learn from bear it out.
 */
#include <math.h>

#include "lib/explain/designs/octacode.h"
#include "lib/explain/explain_run.h"
#include "lib/explain/trust/stopping.h"

#define LEARNT     4.0  /* by how much one more stage may make its squared mistakes smaller, */
#define BEYOND     10.0 /* and the first one those of the linear fit, */
#define BEYOND_FEW 3.0  /* or one of fewer masks than the code has */
#define FEW_MASKS  4.0  /* and those on a few masks may turn out so much larger than they are */
#define ADDS_UP    0.95 /* a linear fit with this Q2 is believed, or nothing is */
#define THE_SAME   1e-8 /* squares of differences that batches and rounding make */

/* Mean squares of mistakes as a share of those of the linear fit. */
static double share_of_linear(const struct xpl_run *run, const struct xpl_estimate *estimate, double mean_square)
{
    double weights = 0, linear = (1 - estimate->q2) * estimate->linear.variation;

    for (size_t i = 0; i < run->fit->rows.n; i++)
        weights += run->fit->weight[i];
    return linear > 0 ? fmin(mean_square * weights / linear, 1) : 0;
}

static double held_out_share(const struct xpl_run *run, uint32_t rank, const struct xpl_estimate *estimate)
{
    double mistakes = xpl_held_out_mistakes(run->held_out, run->sample->explained[rank], estimate->surrogate);

    return share_of_linear(run, estimate, mistakes) / FEW_MASKS;
}

/* Random masks in blocks of a code: two blocks may hide the same. */
static bool has_random_blocks(const struct xpl_run *run)
{
    return run->design->mode == XPL_DESIGN_ADAPTIVE && run->design->n_segments > XPL_FIELD_SEGMENTS;
}

/* By the rows of the last stage, which the surrogate before did not know. */
static double new_rows_share(const struct xpl_run *run, uint32_t rank, const struct xpl_estimate *before,
                             const struct xpl_estimate *estimate)
{
    struct xpl_stopping rule = {run->design, run->stages, run->fit, run->in->params.confidence};
    const double *scores = xpl_sample_scores(run->sample, run->sample->explained[rank]);

    if (!before || !before->surrogate || has_random_blocks(run))
        return 1 / (run->fit->rows.n < XPL_OCTACODE_WORDS ? BEYOND_FEW : BEYOND);
    return share_of_linear(run, estimate, xpl_mistakes_on_new_rows(&rule, before, scores)) / LEARNT;
}

/* Of all masks, and of draws as those of lime, nothing is claimed. */
static bool has_claims(const struct xpl_run *run, const struct xpl_estimate *estimate)
{
    return estimate->surrogate && !xpl_run_last_stage(run)->exact;
}

/* On a code, combinations look like others; single random pairs speak for the masks that they are not. */
static bool may_be_fooled(const struct xpl_run *run)
{
    return run->design->mode == XPL_DESIGN_ARRAY || has_random_blocks(run);
}

/*
 * Scores masks to try estimates on, once, when the budget has that many calls left: when they contradict what seemed
 * enough, the last stage may no longer fit.
 */
static enum xpl_status hold_out(struct xpl_run *run, struct xpl_error *err)
{
    struct xpl_error inner = {0};
    enum xpl_status st;

    if (run->held_out || xpl_run_left(run) < XPL_HELD_OUT_MASKS)
        return XPL_OK;
    xpl_run_plan(run, run->sample->n, XPL_HELD_OUT_MASKS);
    st = xpl_held_out_score(run->sample, run->result->seed, &run->held_out, &inner);
    if (st == XPL_DEADLINE) /* nothing was tried: what was scored is told as such */
        return XPL_OK;
    return st ? xpl_fail_field(err, st, inner.field, "%s", inner.message) : XPL_OK;
}

/* What the masks held out say of an estimate that they contradict: the share of the scores' variance it gets wrong. */
static double contradict(const struct xpl_run *run, uint32_t rank, struct xpl_estimate *estimate)
{
    uint32_t position = run->sample->explained[rank], d = run->design->n_segments;
    double weights = 0, variance, promised, mistakes;

    for (size_t i = 0; i < run->fit->rows.n; i++)
        weights += run->fit->weight[i];
    variance = fmax(estimate->linear.variation / weights,
                    xpl_held_out_variance(run->held_out, position, estimate->linear.mean));
    if (estimate->surrogate) {
        promised = estimate->left_out_variance;
        mistakes = xpl_held_out_mistakes(run->held_out, position, estimate->surrogate);
    } else {
        promised = estimate->linear.constant ? 0 : (1 - estimate->q2) * estimate->linear.variation / weights;
        mistakes = xpl_held_out_mistakes_of_fit(run->held_out, position, d, &estimate->linear);
    }
    if (mistakes <= FEW_MASKS * promised + THE_SAME)
        return 0;
    xpl_estimate_contradict(estimate, run->fit, mistakes, variance);
    return mistakes / variance;
}

/* A design of fewer masks than the code has, and an array of more zones, can hide what zones do together. */
static bool hides_much(const struct xpl_run *run)
{
    return may_be_fooled(run) &&
           (run->fit->rows.n < XPL_OCTACODE_WORDS || run->design->n_segments > XPL_FIELD_SEGMENTS);
}

/* By the masks held out, once there are any; else a surrogate by `share`. */
static void judge(struct xpl_run *run, uint32_t rank, double share, struct xpl_estimate *estimate)
{
    double contradicted = 0;

    if (has_claims(run, estimate)) {
        share = run->held_out ? held_out_share(run, rank, estimate) : share;
        xpl_estimate_doubt(estimate, run->design->n_segments, share);
    }
    if (run->held_out)
        contradicted = contradict(run, rank, estimate);
    estimate->untried = !run->held_out && hides_much(run);
    if (rank == 0) {
        run->doubt = share;
        run->contradicted = contradicted;
    }
}

static bool says_nothing(const struct xpl_run *run)
{
    return xpl_run_last_stage(run)->exact || xpl_run_is_reference(run);
}

enum xpl_status xpl_run_doubt(struct xpl_run *run, uint32_t rank, const struct xpl_estimate *before, bool decides,
                              struct xpl_estimate *estimate, struct xpl_error *err)
{
    bool tells_itself = estimate->linear.constant || estimate->q2 >= ADDS_UP;
    double claimed = 0, share = 0;
    enum xpl_status st;

    if (rank == 0)
        run->doubt = run->contradicted = 0;
    if (says_nothing(run))
        return XPL_OK;
    if (has_claims(run, estimate)) {
        share = new_rows_share(run, rank, before, estimate);
        claimed = share_of_linear(run, estimate, estimate->left_out_variance);
    }
    if (decides && may_be_fooled(run) && (tells_itself || claimed < share) && (st = hold_out(run, err)))
        return st;
    judge(run, rank, share, estimate);
    return XPL_OK;
}

void xpl_run_doubt_other(struct xpl_run *run, uint32_t rank, struct xpl_estimate *estimate)
{
    if (!says_nothing(run))
        judge(run, rank, run->doubt, estimate);
}
