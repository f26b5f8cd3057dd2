/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline: plan the stages, score one, look at Q2, go on or stop; then fit every class that was asked for.
 *
 * Everything depends on the input and the model's scores alone: the masks are fixed or drawn from the seed, each batch
 * is scored in design order, and all sums run in that order.
 */
#include "lib/explain/explain.h"

#include <math.h>
#include <string.h>

#include "lib/explain/confidence.h"
#include "lib/explain/design.h"
#include "lib/explain/estimate.h"
#include "lib/explain/fit.h"
#include "lib/explain/octacode.h"
#include "lib/explain/quality.h"
#include "lib/explain/sample.h"
#include "lib/explain/stopping.h"

#define REFERENCE_RIDGE 1.0 /* what lime uses */
#define MAX_WARNINGS    4u
#define MAX_SURROGATES  16u /* classes that get one; it takes tens of milliseconds */
#define LOOK_BYTES      ((size_t)256 << 20)

struct run {
    struct xpl_arena *arena;
    const struct xpl_explain_input *in;
    struct xpl_design *design;
    struct xpl_sample *sample;
    struct xpl_fit *fit;       /* of the last complete stage */
    struct xpl_fit *whole;     /* see estimate.h */
    struct xpl_estimate *gate; /* of the classes that decide, at the last complete stage; n_gate */
    uint32_t n_gate;
    struct xpl_arena *now, *before; /* of the last look and the one before it */
    uint32_t stages;                /* complete ones */
    enum xpl_stop_reason stopped;
    struct xpl_explanation *result;
};

static bool is_reference(const struct run *run)
{
    return run->in->params.design == XPL_DESIGN_REFERENCE;
}

static const struct xpl_design_stage *last_stage(const struct run *run)
{
    return &run->design->stages[run->stages - 1];
}

static enum xpl_status check_input(const struct xpl_explain_input *in, struct xpl_error *err)
{
    if (in->n_classes == 0)
        return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "the model answers no class");
    if (in->segments->count < 2)
        return xpl_fail(err, XPL_BAD_RECORD, "the image has fewer than two superpixels");
    if (in->segments->count > XPL_MAX_SEGMENTS)
        return xpl_fail(err, XPL_BAD_FIELD, "more than %u superpixels cannot be explained", XPL_MAX_SEGMENTS);
    return XPL_OK;
}

void xpl_explain_choose_seed(const uint8_t seed[XPL_HASH_BYTES], const struct xpl_explain_params *params,
                             uint8_t ret_seed[XPL_HASH_BYTES])
{
    static const char purpose[] = "explaind seed";
    uint8_t number[8];

    memcpy(ret_seed, seed, XPL_HASH_BYTES);
    if (!params->seed_given)
        return;
    for (size_t i = 0; i < sizeof number; i++)
        number[i] = (uint8_t)(params->seed >> (8 * i));
    xpl_hash_parts((struct xpl_hash_part[]){{purpose, sizeof purpose}, {number, sizeof number}}, 2, ret_seed);
}

static enum xpl_status fit_stage(struct run *run, struct xpl_error *err)
{
    struct xpl_fit_rows rows = {.masks = run->design->masks,
                                .repeats = run->design->repeats,
                                .n = run->sample->n,
                                .n_segments = run->design->n_segments,
                                .ridge = is_reference(run) ? REFERENCE_RIDGE : 0};

    return xpl_fit_factor(run->arena, &rows, &run->fit, err);
}

/* What decides about going on: the most probable class, or all of a list. */
static uint32_t count_gate(const struct run *run)
{
    return run->in->params.classes == XPL_CLASSES_LIST ? run->sample->n_explained : 1;
}

static struct xpl_estimate_rows rows_for(const struct run *run, uint32_t rank)
{
    return (struct xpl_estimate_rows){.fit = run->fit,
                                      .whole = run->whole,
                                      .with_surrogate =
                                          !is_reference(run) && !last_stage(run)->exact && rank < MAX_SURROGATES};
}

/* The estimates of the look before are needed once more; those before that are not. */
static enum xpl_status start_look(struct run *run, struct xpl_error *err)
{
    xpl_arena_free(run->before);
    run->before = run->now;
    run->now = xpl_arena_new(LOOK_BYTES);
    run->gate = run->now ? XPL_NEW_ARRAY(run->now, struct xpl_estimate, run->n_gate) : NULL;
    return run->gate ? XPL_OK : xpl_no_memory(err);
}

/* Estimates the classes that decide; whether the stage is enough for all of them. */
static enum xpl_status look(struct run *run, bool *ret_enough, struct xpl_error *err)
{
    struct xpl_stopping rule = {run->design, run->stages, run->fit, run->in->params.confidence};
    struct xpl_estimate *before = run->gate;
    enum xpl_status st;

    *ret_enough = true;
    run->n_gate = count_gate(run);
    if ((st = start_look(run, err)))
        return st;
    for (uint32_t i = 0; i < run->n_gate; i++) {
        const double *scores = xpl_sample_scores(run->sample, run->sample->explained[i]);
        struct xpl_estimate_rows rows = rows_for(run, i);

        if ((st = xpl_estimate_class(run->now, &rows, scores, &run->gate[i], err)))
            return st;
        if (!xpl_is_enough(&rule, before ? &before[i] : NULL, &run->gate[i], scores))
            *ret_enough = false;
    }
    return XPL_OK;
}

static enum xpl_status score_stage(struct run *run, struct xpl_error *err)
{
    const struct xpl_explain_input *in = run->in;
    size_t end = run->design->stages[run->stages].end;
    enum xpl_status st;

    if (in->plan)
        in->plan(in->model, end);
    if (!run->sample && (st = xpl_sample_start(run->arena, in, run->design, &run->sample, err)))
        return st;
    return xpl_sample_extend(run->sample, end, err);
}

/* Climbs the ladder: run->stages complete stages are scored, run->fit is that of the last one. */
static enum xpl_status score_stages(struct run *run, struct xpl_error *err)
{
    while (run->stages < run->design->n_stages) {
        struct xpl_error stage_err = {0};
        enum xpl_status st = score_stage(run, &stage_err);
        bool enough;

        if (st == XPL_DEADLINE && run->stages > 0) {
            run->stopped = XPL_STOPPED_DEADLINE;
            return XPL_OK;
        }
        if (st)
            return xpl_fail_field(err, st, stage_err.field, "%s", stage_err.message);
        run->stages++;
        if ((st = fit_stage(run, err)) || (st = look(run, &enough, err)))
            return st;
        if (enough) {
            run->stopped = XPL_STOPPED_CONFIDENT;
            return XPL_OK;
        }
    }
    run->stopped = run->design->over_budget ? XPL_STOPPED_BUDGET : XPL_STOPPED_COMPLETE;
    return XPL_OK;
}

static enum xpl_status allocate_class(struct run *run, struct xpl_class_explanation *explained, struct xpl_error *err)
{
    uint32_t d = run->design->n_segments;

    explained->weights = XPL_NEW_ARRAY(run->arena, double, d);
    explained->low = XPL_NEW_ARRAY(run->arena, double, d);
    explained->high = XPL_NEW_ARRAY(run->arena, double, d);
    explained->decisions = XPL_NEW_ARRAY(run->arena, enum xpl_decision, d);
    if (!explained->weights || !explained->low || !explained->high || !explained->decisions)
        return xpl_no_memory(err);
    return XPL_OK;
}

static enum xpl_interval_kind interval_kind(const struct run *run, const struct xpl_estimate *estimate)
{
    if (last_stage(run)->exact)
        return XPL_INTERVAL_EXACT;
    if (is_reference(run))
        return XPL_INTERVAL_RANDOM;
    if (run->design->mode == XPL_DESIGN_ADAPTIVE)
        return XPL_INTERVAL_ADAPTIVE;
    if (run->sample->n < XPL_OCTACODE_WORDS)
        return XPL_INTERVAL_SMALL_DESIGN;
    return estimate->surrogate ? XPL_INTERVAL_SURROGATE : XPL_INTERVAL_DESIGN;
}

static void set_numbers(const struct run *run, const struct xpl_quality_index *index, const double *scores,
                        const struct xpl_estimate *estimate, struct xpl_class_explanation *explained)
{
    uint32_t d = run->design->n_segments;
    struct xpl_fit_result shown = {0};

    memcpy(shown.coefficients, estimate->coefficients, sizeof shown.coefficients);
    explained->probability = scores[0];
    explained->intercept = estimate->coefficients[0];
    memcpy(explained->weights, estimate->coefficients + 1, d * sizeof *explained->weights);
    explained->constant = estimate->linear.constant;
    explained->exact = last_stage(run)->exact;
    explained->r2 = estimate->linear.r2;
    explained->q2 = explained->exact ? (double)NAN : estimate->q2;
    explained->surrogate_q2 = estimate->surrogate_q2;
    explained->local_prediction = xpl_fit_predict(&shown, d, xpl_design_all_on(d));
    explained->sum_gap = xpl_quality_sum_gap(index, scores, explained->weights);
    xpl_quality_aucs(index, scores, estimate->surrogate, explained);
}

/* The classes that decided were estimated at the last look. */
static enum xpl_status estimate_of(struct run *run, struct xpl_arena *arena, uint32_t rank, struct xpl_estimate *ret,
                                   struct xpl_error *err)
{
    struct xpl_estimate_rows rows = rows_for(run, rank);

    if (rank < run->n_gate) {
        *ret = run->gate[rank];
        return XPL_OK;
    }
    return xpl_estimate_class(arena, &rows, xpl_sample_scores(run->sample, run->sample->explained[rank]), ret, err);
}

static enum xpl_status explain_class(struct run *run, const struct xpl_quality_index *index, uint32_t rank,
                                     struct xpl_class_explanation *explained, struct xpl_error *err)
{
    XPL_AUTO(xpl_arena) scratch = xpl_arena_new(LOOK_BYTES);
    uint32_t position = run->sample->explained[rank];
    bool adaptive = run->design->mode == XPL_DESIGN_ADAPTIVE;
    struct xpl_intervals intervals;
    struct xpl_estimate estimate;
    enum xpl_status st;

    if (!scratch)
        return xpl_no_memory(err);
    if ((st = allocate_class(run, explained, err)) || (st = estimate_of(run, scratch, rank, &estimate, err)))
        return st;
    explained->index = run->sample->kept[position];
    set_numbers(run, index, xpl_sample_scores(run->sample, position), &estimate, explained);
    intervals = (struct xpl_intervals){explained->low, explained->high, explained->decisions};
    xpl_estimate_intervals(&estimate, run->design->n_segments, run->in->params.confidence,
                           interval_kind(run, &estimate), adaptive ? run->design->n_stages : 0, &intervals);
    xpl_quality_judge(explained, run->design->n_segments);
    return XPL_OK;
}

static enum xpl_status explain_classes(struct run *run, struct xpl_error *err)
{
    struct xpl_explanation *result = run->result;
    struct xpl_quality_index index;
    enum xpl_status st =
        xpl_quality_index_build(run->arena, run->design->masks, run->sample->n, run->design->n_segments, &index, err);

    if (st)
        return st;
    result->n_classes = run->sample->n_explained;
    result->classes = XPL_NEW_ARRAY(run->arena, struct xpl_class_explanation, result->n_classes);
    if (!result->classes)
        return xpl_no_memory(err);
    for (uint32_t i = 0; i < result->n_classes; i++)
        if ((st = explain_class(run, &index, i, &result->classes[i], err)))
            return st;
    return XPL_OK;
}

static enum xpl_status keep_scores(struct run *run, struct xpl_error *err)
{
    struct xpl_explanation *result = run->result;
    uint32_t n_kept = run->sample->n_kept;

    result->kept_classes = run->sample->kept;
    result->n_kept = n_kept;
    result->kept_scores = XPL_NEW_ARRAY(run->arena, float, result->calls *n_kept);
    if (!result->kept_scores)
        return xpl_no_memory(err);
    for (uint32_t k = 0; k < n_kept; k++)
        for (size_t i = 0; i < result->calls; i++)
            result->kept_scores[i * n_kept + k] = (float)xpl_sample_scores(run->sample, k)[i];
    return XPL_OK;
}

static void warn(struct xpl_explanation *result, const char *text)
{
    if (text && result->n_warnings < MAX_WARNINGS)
        result->warnings[result->n_warnings++] = text;
}

static enum xpl_status add_warnings(struct run *run, struct xpl_error *err)
{
    struct xpl_explanation *result = run->result;
    double low, high;

    result->warnings = XPL_NEW_ARRAY(run->arena, const char *, MAX_WARNINGS);
    if (!result->warnings)
        return xpl_no_memory(err);
    if (run->in->segments->fell_back)
        warn(result,
             "No usable superpixels were found (the image is uniform, tiny or noise); a grid took their place.");
    if (run->in->image && xpl_pixels_range(run->in->image, &low, &high) == XPL_RANGE_MIN_MAX)
        warn(result, xpl_arena_printf(run->arena,
                                      "The pixel values lie between %g and %g, which is none of the usual ranges; they "
                                      "were stretched for superpixels and pictures.",
                                      low, high));
    if (result->stopped == XPL_STOPPED_BUDGET)
        warn(result, xpl_arena_printf(run->arena,
                                      result->mode == XPL_DESIGN_ADAPTIVE
                                          ? "The explanation ended after its %zu model calls with zones undecided."
                                          : "The budget ended the explanation after %zu model calls.",
                                      result->calls));
    if (result->stopped == XPL_STOPPED_DEADLINE)
        warn(result, xpl_arena_printf(run->arena,
                                      "The deadline ended the explanation; it rests on the %zu model calls of the last "
                                      "complete stage.",
                                      result->calls));
    return XPL_OK;
}

static enum xpl_status build_result(struct run *run, struct xpl_error *err)
{
    struct xpl_explanation *result = run->result;
    enum xpl_status st;

    result->design = last_stage(run)->name;
    result->mode = run->design->mode;
    result->why = run->design->why;
    result->stages = run->stages;
    result->exact = last_stage(run)->exact;
    result->stopped = run->stopped;
    result->calls = run->sample->n;
    result->masks = run->design->masks;
    if ((st = keep_scores(run, err)) || (st = explain_classes(run, err)))
        return st;
    return add_warnings(run, err);
}

static enum xpl_status explain(struct run *run, struct xpl_error *err)
{
    const struct xpl_explain_input *in = run->in;
    uint32_t d = in->segments->count;
    enum xpl_status st;

    if ((st = xpl_design_plan(run->arena, d, &in->params, run->result->seed, &run->design, err)) ||
        (!is_reference(run) && (st = xpl_estimate_whole(run->arena, d, 0, &run->whole, err))) ||
        (st = score_stages(run, err)))
        return st;
    return build_result(run, err);
}

enum xpl_status xpl_explain(struct xpl_arena *arena, const struct xpl_explain_input *in, struct xpl_explanation **ret,
                            struct xpl_error *err)
{
    struct run run = {.arena = arena, .in = in, .result = XPL_NEW(arena, struct xpl_explanation)};
    enum xpl_status st;

    if (!run.result)
        return xpl_no_memory(err);
    if ((st = check_input(in, err)))
        return st;
    xpl_explain_choose_seed(in->seed, &in->params, run.result->seed);
    st = explain(&run, err);
    xpl_arena_free(run.before);
    xpl_arena_free(run.now);
    if (!st)
        *ret = run.result;
    return st;
}
