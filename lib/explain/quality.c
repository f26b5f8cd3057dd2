/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/quality.h"

#include <math.h>

#define HIGH 0.95
#define MEDIUM 0.8
#define NO_WEIGHT 1e-9

const char *xpl_verdict_name(enum xpl_verdict_level level)
{
    switch (level) {
    case XPL_VERDICT_HIGH:
        return "high";
    case XPL_VERDICT_MEDIUM:
        return "medium";
    case XPL_VERDICT_LOW:
        return "low";
    }
    return "";
}

static bool nothing_matters(const struct xpl_class_explanation *c, uint32_t n)
{
    for (uint32_t j = 0; j < n; j++)
        if (fabs(c->weights[j]) >= NO_WEIGHT)
            return false;
    return true;
}

static enum xpl_verdict_level level_of(double fidelity)
{
    if (fidelity >= HIGH)
        return XPL_VERDICT_HIGH;
    return fidelity >= MEDIUM ? XPL_VERDICT_MEDIUM : XPL_VERDICT_LOW;
}

void xpl_judge(struct xpl_arena *arena, struct xpl_class_explanation *c, uint32_t n_segments)
{
    static const char *const consequences[] = {
        "the zones tell nearly all of what the model does with this image",
        "the zones tell most of what the model does with this image; the rest comes from combinations of zones",
        "the model judges combinations of zones that no picture of single zones can show: do not rely on it"};
    double fidelity = c->exact ? c->r2 : c->q2;

    if (c->constant || nothing_matters(c, n_segments)) {
        c->verdict = XPL_VERDICT_LOW;
        c->reason = "no zone matters: the probability does not change when parts of the image are hidden";
        return;
    }
    c->verdict = level_of(fidelity);
    c->reason = xpl_arena_printf(arena, "%s accounts for %.1f %% of the changes in probability (%s): %s",
                                 "the sum of the zones' weights", 100 * (fidelity > 0 ? fidelity : 0),
                                 c->exact ? "all combinations were scored" : "checked on masks left out of the fit",
                                 consequences[c->verdict]);
    if (!c->reason)
        c->reason = "";
}

/* ---- curves ---- */

/* Segments by weight, largest first; equal ones by number. */
static void order_by_weight(const double *weights, uint32_t n, uint32_t *order)
{
    for (uint32_t j = 0; j < n; j++) {
        uint32_t at = j;

        for (; at > 0 && weights[order[at - 1]] < weights[j]; at--)
            order[at] = order[at - 1];
        order[at] = j;
    }
}

/* The mean of a curve that starts at `mask` and flips one segment after the other (trapezoids). */
static double curve(const struct xpl_design *design, const double *scores, size_t stride, xpl_mask mask,
                    const uint32_t *order)
{
    double area = 0, last = 0;

    for (uint32_t step = 0; step <= design->d; step++) {
        size_t at = xpl_design_find(design, mask);

        if (at == SIZE_MAX)
            return NAN;
        if (step > 0)
            area += (last + scores[at * stride]) / 2 / design->d;
        last = scores[at * stride];
        if (step < design->d)
            mask ^= (xpl_mask)1 << order[step];
    }
    return area;
}

void xpl_curves(const struct xpl_design *design, const double *scores, size_t stride, const double *weights,
                double *ret_deletion, double *ret_insertion)
{
    uint32_t order[XPL_DESIGN_COLUMNS];

    order_by_weight(weights, design->d, order);
    *ret_deletion = curve(design, scores, stride, xpl_all_on(design->d), order);
    *ret_insertion = curve(design, scores, stride, 0, order);
}
