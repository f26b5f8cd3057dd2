/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/trust/stopping.h"

#include <math.h>

#define BROKEN_WORD  4.0  /* how much worse than promised predictions may turn out */
#define EXACT_ENOUGH 2e-3 /* relative error that is no reason to go on */
#define DOUBT        1.3

static const struct xpl_design_stage *last_stage(const struct xpl_stopping *rule)
{
    return &rule->design->stages[rule->stages - 1];
}

double xpl_mistakes_on_new_rows(const struct xpl_stopping *rule, const struct xpl_estimate *before,
                                const double *scores)
{
    size_t first = rule->design->stages[rule->stages - 2].end;

    return xpl_surrogate_mistakes(before->surrogate, rule->design->masks + first, scores + first,
                                  rule->fit->weight + first, last_stage(rule)->end - first);
}

/* Whether what the surrogate of the stage before said of the rows that were new is as good as it promised. */
static bool kept_its_word(const struct xpl_stopping *rule, const struct xpl_estimate *before, const double *scores)
{
    return before->surrogate && xpl_mistakes_on_new_rows(rule, before, scores) <=
                                    BROKEN_WORD * before->left_out_variance + EXACT_ENOUGH * EXACT_ENOUGH;
}

static double norm(const double *weights, uint32_t n)
{
    double sum = 0;

    for (uint32_t j = 0; j < n; j++)
        sum += weights[j] * weights[j];
    return sqrt(sum);
}

/* Better than 5000 random samples are to be expected to be, or nearly exact. */
static bool is_precise(const struct xpl_stopping *rule, const struct xpl_estimate *estimate)
{
    double size = norm(estimate->coefficients + 1, rule->design->n_segments);
    double error = last_stage(rule)->caution * estimate->error;

    if (estimate->doubtful)
        error *= DOUBT;
    return error <= estimate->lime_error || error <= EXACT_ENOUGH * size;
}

static bool is_decided(const struct xpl_stopping *rule, const struct xpl_estimate *estimate)
{
    double low[XPL_MAX_SEGMENTS], high[XPL_MAX_SEGMENTS];
    enum xpl_decision decisions[XPL_MAX_SEGMENTS];

    xpl_estimate_intervals(estimate, rule->design->n_segments, rule->confidence, XPL_INTERVAL_ADAPTIVE,
                           rule->design->n_stages, &(struct xpl_intervals){low, high, decisions});
    for (uint32_t j = 0; j < rule->design->n_segments; j++)
        if (decisions[j] == XPL_OPEN)
            return false;
    return true;
}

/* A constant class needs no more masks. */
bool xpl_is_enough(const struct xpl_stopping *rule, const struct xpl_estimate *before, const struct xpl_estimate *now,
                   const double *scores)
{
    const struct xpl_design_stage *stage = last_stage(rule);

    if (rule->stages == rule->design->n_stages)
        return false; /* there is nothing to go on to */
    if (now->linear.constant)
        return true;
    if (rule->design->mode == XPL_DESIGN_ADAPTIVE)
        return is_decided(rule, now);
    if (now->q2 >= stage->enough)
        return true;
    if (stage->caution <= 0 || now->q2 < stage->least_q2 || !now->surrogate || !is_precise(rule, now))
        return false;
    return !before || kept_its_word(rule, before, scores);
}
