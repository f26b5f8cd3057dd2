/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/explain.h"

#include <math.h>
#include <string.h>

#include "lib/explain/confidence.h"
#include "lib/explain/fit.h"
#include "lib/explain/ladder.h"
#include "lib/explain/quality.h"
#include "lib/explain/sample.h"

#define LIME_RIDGE 1.0

struct pipeline {
    struct xpl_arena *arena;
    const struct xpl_explain_input *in;
    struct xpl_ladder ladder;
    struct xpl_sample *sample;
    struct xpl_fit fit;
    uint32_t *classes; /* to explain, most probable first */
    uint32_t n_classes;
    struct xpl_class_fit *fits; /* one per class to explain */
    enum xpl_stop_reason stopped;
    uint8_t seed[XPL_HASH_BYTES];
};

const char *xpl_stop_reason_name(enum xpl_stop_reason reason)
{
    switch (reason) {
    case XPL_STOPPED_COMPLETE:
        return "complete";
    case XPL_STOPPED_CONFIDENT:
        return "confident";
    case XPL_STOPPED_BUDGET:
        return "budget";
    case XPL_STOPPED_DEADLINE:
        return "deadline";
    }
    return "";
}

static void choose_seed(struct pipeline *p)
{
    memcpy(p->seed, p->in->seed, sizeof p->seed);
    if (!p->in->params.seed_given)
        return;
    memset(p->seed, 0, sizeof p->seed);
    for (size_t i = 0; i < 8; i++)
        p->seed[i] = (uint8_t)(p->in->params.seed >> (8 * i));
}

static enum xpl_status start(struct pipeline *p, struct xpl_error *err)
{
    size_t max;
    enum xpl_status st;

    choose_seed(p);
    if ((st = xpl_ladder_start(&p->in->params, p->in->segments->count, &p->ladder, &max, err)) ||
        (st = xpl_sample_start(p->arena, p->in, max, &p->sample, err)))
        return st;
    p->classes = XPL_NEW_ARRAY(p->arena, uint32_t, p->in->n_classes);
    if (!p->classes)
        return xpl_no_memory(err);
    p->n_classes = xpl_sample_chosen(p->sample, p->classes);
    p->fits = XPL_NEW_ARRAY(p->arena, struct xpl_class_fit, p->n_classes);
    if (!p->fits)
        return xpl_no_memory(err);
    return xpl_ladder_first(&p->ladder, p->arena, p->sample->design, p->seed, err);
}

static enum xpl_status fit_all(struct pipeline *p, struct xpl_error *err)
{
    const struct xpl_sample *s = p->sample;
    bool reference = p->ladder.mode == XPL_DESIGN_REFERENCE;
    enum xpl_status st = xpl_fit_prepare(p->arena, s->design->d, s->design->masks, s->n_scored, p->ladder.counts,
                                         reference ? LIME_RIDGE : 0, &p->fit, err);

    for (uint32_t c = 0; !st && c < p->n_classes; c++)
        st = xpl_fit_class(p->arena, &p->fit, xpl_sample_class(s, p->classes[c]), s->n_kept, &p->fits[c], err);
    return st;
}

/* What the ladder looks at: the most probable class, or the worst of the classes asked for. NAN: all are constant. */
static double gate(const struct pipeline *p)
{
    double worst = NAN;

    if (p->in->params.classes != XPL_CLASSES_LIST)
        return p->fits[0].constant ? NAN : p->fits[0].q2;
    for (uint32_t c = 0; c < p->n_classes; c++)
        if (!p->fits[c].constant && !(p->fits[c].q2 >= worst))
            worst = p->fits[c].q2;
    return worst;
}

/* Scores stage after stage until that is enough. The fits are those of the last complete stage. */
static enum xpl_status climb(struct pipeline *p, struct xpl_error *err)
{
    for (;;) {
        struct xpl_error inner = {0};
        enum xpl_status st;

        if (p->in->plan)
            p->in->plan(p->in->model, p->sample->design->n);
        st = xpl_sample_score(p->sample, &inner);
        if (st == XPL_DEADLINE && p->sample->n_scored > 0) {
            xpl_sample_drop_unscored(p->sample);
            p->ladder.stage--;
            p->ladder.exact = false;
            p->stopped = XPL_STOPPED_DEADLINE;
            return XPL_OK;
        }
        if (st)
            return xpl_fail_field(err, st, inner.field, "%s", inner.message);
        if ((st = fit_all(p, err)))
            return st;
        if (xpl_ladder_done(&p->ladder, gate(p), &p->stopped))
            return XPL_OK;
        if (!xpl_ladder_next(&p->ladder, p->sample->design)) {
            p->stopped = XPL_STOPPED_BUDGET;
            return XPL_OK;
        }
    }
}

/* ---- the answer ---- */

static double sum(const double *values, uint32_t n)
{
    double total = 0;

    for (uint32_t j = 0; j < n; j++)
        total += values[j];
    return total;
}

static enum xpl_status fill_intervals(struct pipeline *p, const struct xpl_class_fit *fit,
                                      struct xpl_class_explanation *c, struct xpl_error *err)
{
    uint32_t d = p->in->segments->count;
    double *half = XPL_NEW_ARRAY(p->arena, double, d);

    c->low = XPL_NEW_ARRAY(p->arena, double, d);
    c->high = XPL_NEW_ARRAY(p->arena, double, d);
    c->decisions = XPL_NEW_ARRAY(p->arena, enum xpl_decision, d);
    if (!half || !c->low || !c->high || !c->decisions)
        return xpl_no_memory(err);
    for (uint32_t j = 0; j < d; j++) {
        half[j] = c->exact ? 0 : xpl_half_width(fit->standard_errors[j], p->in->params.confidence);
        c->low[j] = c->weights[j] - half[j];
        c->high[j] = c->weights[j] + half[j];
    }
    xpl_decide(c->weights, half, d, c->decisions);
    return XPL_OK;
}

static enum xpl_status fill_class(struct pipeline *p, uint32_t number, struct xpl_class_explanation *c,
                                  struct xpl_error *err)
{
    const struct xpl_class_fit *fit = &p->fits[number];
    const struct xpl_sample *s = p->sample;
    const double *scores = xpl_sample_class(s, p->classes[number]);
    uint32_t d = p->in->segments->count;
    size_t off = xpl_design_find(s->design, 0);
    enum xpl_status st;

    *c = (struct xpl_class_explanation){
        .index = p->classes[number],
        .probability = s->full[p->classes[number]],
        .intercept = fit->intercept,
        .weights = fit->weights,
        .constant = fit->constant,
        .exact = p->ladder.exact && p->ladder.mode != XPL_DESIGN_REFERENCE,
        .r2 = fit->r2,
        .q2 = p->ladder.exact ? NAN : fit->q2,
    };
    if ((st = fill_intervals(p, fit, c, err)))
        return st;
    c->local_prediction = c->intercept + sum(c->weights, d);
    c->sum_gap = off == SIZE_MAX ? NAN : c->probability - scores[off * s->n_kept] - sum(c->weights, d);
    xpl_curves(s->design, scores, s->n_kept, c->weights, &c->deletion_auc, &c->insertion_auc);
    xpl_judge(p->arena, c, d);
    return XPL_OK;
}

static enum xpl_status keep_scores(const struct pipeline *p, struct xpl_explanation *e, struct xpl_error *err)
{
    const struct xpl_sample *s = p->sample;
    size_t n = s->n_scored * s->n_kept;

    if (!(e->kept_scores = XPL_NEW_ARRAY(p->arena, float, n)))
        return xpl_no_memory(err);
    for (size_t i = 0; i < n; i++)
        e->kept_scores[i] = (float)s->scores[i];
    e->masks = s->design->masks;
    e->kept_classes = s->kept;
    e->n_kept = s->n_kept;
    return XPL_OK;
}

static enum xpl_status add_warnings(const struct pipeline *p, struct xpl_explanation *e, struct xpl_error *err)
{
    if (!(e->warnings = XPL_NEW_ARRAY(p->arena, const char *, 4)))
        return xpl_no_memory(err);
    if (e->stopped == XPL_STOPPED_BUDGET)
        e->warnings[e->n_warnings++] = "the budget ended the work before the fit was good enough";
    if (e->stopped == XPL_STOPPED_DEADLINE)
        e->warnings[e->n_warnings++] = "the deadline ended the work; the answer is that of the last complete stage";
    if (p->in->params.classes == XPL_CLASSES_ALL && p->in->n_classes > XPL_MAX_CLASSES_EXPLAINED)
        e->warnings[e->n_warnings++] = "only the 1000 most probable classes are explained";
    return XPL_OK;
}

enum xpl_status xpl_explain(struct xpl_arena *arena, const struct xpl_explain_input *in, struct xpl_explanation **ret,
                            struct xpl_error *err)
{
    struct pipeline p = {.arena = arena, .in = in};
    struct xpl_explanation *e = XPL_NEW(arena, struct xpl_explanation);
    enum xpl_status st;

    if (!e)
        return xpl_no_memory(err);
    if ((st = start(&p, err)) || (st = climb(&p, err)))
        return st;
    e->exact = p.ladder.exact && p.ladder.mode != XPL_DESIGN_REFERENCE;
    e->stages = p.ladder.stage;
    e->stopped = p.stopped;
    e->calls = p.sample->n_scored;
    e->design = xpl_ladder_name(&p.ladder, arena, e->calls);
    memcpy(e->seed, p.seed, sizeof e->seed);
    e->n_classes = p.n_classes;
    if (!(e->classes = XPL_NEW_ARRAY(arena, struct xpl_class_explanation, p.n_classes)))
        return xpl_no_memory(err);
    for (uint32_t c = 0; c < p.n_classes; c++)
        if ((st = fill_class(&p, c, &e->classes[c], err)))
            return st;
    if ((st = keep_scores(&p, e, err)) || (st = add_warnings(&p, e, err)))
        return st;
    *ret = e;
    return XPL_OK;
}
