/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline: plan the stages, score one, look whether that is enough, go on or stop; then tell (explain_result.c).
 *
 * Everything depends on the input and the model's scores alone: the masks are fixed or drawn from the seed, each batch
 * is scored in design order, and all sums run in that order.
 */
#include "lib/explain/explain.h"

#include <string.h>

#include "lib/explain/explain_run.h"
#include "lib/explain/trust/stopping.h"

#define REFERENCE_RIDGE 1.0 /* what lime uses */
#define MAX_SURROGATES  16u /* classes that get one; it takes tens of milliseconds */
#define MAX_FURTHER     XPL_DESIGN_MAX_STAGES
#define SAME_GAIN       1e-6 /* less is rounding */

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

static enum xpl_status fit_stage(struct xpl_run *run, struct xpl_error *err)
{
    struct xpl_fit_rows rows = {.masks = run->design->masks,
                                .repeats = run->design->repeats,
                                .n = run->sample->n,
                                .n_segments = run->design->n_segments,
                                .ridge = xpl_run_is_reference(run) ? REFERENCE_RIDGE : 0};

    return xpl_fit_factor(run->arena, &rows, &run->fit, err);
}

/* What decides about going on: the most probable class, or all of a list. */
static uint32_t count_gate(const struct xpl_run *run)
{
    return run->in->params.classes == XPL_CLASSES_LIST ? run->sample->n_explained : 1;
}

struct xpl_estimate_rows xpl_run_rows(const struct xpl_run *run, uint32_t rank)
{
    return (struct xpl_estimate_rows){.fit = run->fit,
                                      .whole = run->whole,
                                      .mode = run->design->mode,
                                      .exact = xpl_run_last_stage(run)->exact,
                                      .with_surrogate = !xpl_run_is_reference(run) && !xpl_run_last_stage(run)->exact &&
                                                        rank < MAX_SURROGATES};
}

/* The blocks that may be scored next. */
static struct xpl_blocks further_blocks(const struct xpl_run *run)
{
    const struct xpl_design *design = run->design;

    if (design->block == 0 || run->stages == design->n_stages)
        return (struct xpl_blocks){0};
    return (struct xpl_blocks){design->masks + run->sample->n, (design->pool - run->sample->n) / design->block,
                               design->block};
}

/* The next block is the one that makes those classes surest that are not known well enough; of equal ones the first. */
static void choose_next(struct xpl_run *run, const double *gains, size_t n)
{
    size_t best = 0;

    for (size_t block = 1; block < n; block++)
        if (gains[block] > gains[best] * (1 + SAME_GAIN))
            best = block;
    if (best > 0)
        xpl_design_bring_forward(run->design, run->sample->n, best);
}

/* The estimates of the look before are needed once more; those before that are not. */
static enum xpl_status start_look(struct xpl_run *run, uint32_t n_gate, struct xpl_error *err)
{
    xpl_arena_free(run->before);
    run->before = run->now;
    run->now = xpl_arena_new(XPL_LOOK_BYTES);
    run->gate = run->now ? XPL_NEW_ARRAY(run->now, struct xpl_estimate, n_gate) : NULL;
    return run->gate ? XPL_OK : xpl_no_memory(err);
}

/* One class that decides: estimated, doubted; whether the stage is enough for it. */
static enum xpl_status look_at(struct xpl_run *run, uint32_t rank, struct xpl_blocks further,
                               const struct xpl_estimate *before, bool *ret_enough, struct xpl_error *err)
{
    struct xpl_stopping rule = {run->design, run->stages, run->fit, run->in->params.confidence};
    const double *scores = xpl_sample_scores(run->sample, run->sample->explained[rank]);
    struct xpl_estimate_rows rows = xpl_run_rows(run, rank);
    struct xpl_estimate *estimate = &run->gate[rank];
    bool last = run->stages == run->design->n_stages, held_out = run->held_out != NULL;
    enum xpl_status st;

    rows.further = further;
    rows.enough = xpl_run_last_stage(run)->enough;
    if ((st = xpl_interrupted(run->in->interrupt, err)) ||
        (st = xpl_estimate_class(run->now, &rows, scores, estimate, err)))
        return st;
    *ret_enough = xpl_is_enough(&rule, before, estimate, scores);
    if ((st = xpl_run_doubt(run, rank, before, *ret_enough || last, estimate, err)))
        return st;
    *ret_enough = *ret_enough && xpl_is_enough(&rule, before, estimate, scores);
    for (uint32_t other = 0; !held_out && run->held_out && other < rank; other++)
        xpl_run_doubt_other(run, other, &run->gate[other]);
    return XPL_OK;
}

/* Those that were looked at before masks were held out may not be enough any more. */
static bool all_enough(const struct xpl_run *run, const struct xpl_estimate *before, uint32_t n)
{
    struct xpl_stopping rule = {run->design, run->stages, run->fit, run->in->params.confidence};

    for (uint32_t i = 0; i < n; i++)
        if (!xpl_is_enough(&rule, before ? &before[i] : NULL, &run->gate[i],
                           xpl_sample_scores(run->sample, run->sample->explained[i])))
            return false;
    return true;
}

/* A class that seemed to be known well enough, until it was doubted, was not asked for them: its surrogate has none. */
static void add_gains(const struct xpl_surrogate *surrogate, double *gains)
{
    for (size_t block = 0; surrogate && block < surrogate->n_gains; block++)
        gains[block] += surrogate->gains[block];
}

/* Estimates the classes that decide; whether the stage is enough for all of them. XPL_DEADLINE: some were estimated. */
static enum xpl_status look(struct xpl_run *run, bool *ret_enough, struct xpl_error *err)
{
    struct xpl_estimate *before = run->gate;
    struct xpl_blocks further = further_blocks(run);
    double gains[MAX_FURTHER] = {0};
    uint32_t n = count_gate(run);
    enum xpl_status st = start_look(run, n, err);
    bool enough;

    *ret_enough = true;
    run->n_gate = 0;
    for (uint32_t i = 0; !st && i < n; i++) {
        if ((st = look_at(run, i, further, before ? &before[i] : NULL, &enough, err)))
            break;
        run->n_gate++;
        if (enough)
            continue;
        *ret_enough = false;
        add_gains(run->gate[i].surrogate, gains);
    }
    if (st)
        return st;
    *ret_enough = *ret_enough && all_enough(run, before, n);
    choose_next(run, gains, further.count);
    return XPL_OK;
}

static enum xpl_status score_stage(struct xpl_run *run, struct xpl_error *err)
{
    const struct xpl_explain_input *in = run->in;
    size_t end = run->design->stages[run->stages].end;
    enum xpl_status st;

    xpl_run_plan(run, end, run->held_out ? XPL_HELD_OUT_MASKS : 0);
    if (!run->sample && (st = xpl_sample_start(run->arena, in, run->design, &run->sample, err)))
        return st;
    return xpl_sample_extend(run->sample, end, xpl_run_spare(run, run->design->n), err);
}

static enum xpl_status climb(struct xpl_run *run, bool *ret_enough, struct xpl_error *err)
{
    enum xpl_status st = score_stage(run, err);

    if (st)
        return st;
    run->stages++;
    if ((st = fit_stage(run, err)))
        return st;
    return look(run, ret_enough, err);
}

/* Whether the next stage is still within the budget: masks may have been held out. */
static bool is_affordable(const struct xpl_run *run)
{
    return !run->held_out ||
           run->design->stages[run->stages].end + xpl_run_beside(run) <= xpl_explain_budget(&run->in->params);
}

/* Climbs the ladder: run->stages complete stages are scored, run->fit is that of the last one. */
static enum xpl_status score_stages(struct xpl_run *run, struct xpl_error *err)
{
    while (run->stages < run->design->n_stages && is_affordable(run)) {
        struct xpl_error stage_err = {0};
        bool enough = false;
        enum xpl_status st = climb(run, &enough, &stage_err);

        if (st == XPL_DEADLINE && run->stages > 0) {
            run->stopped = XPL_STOPPED_DEADLINE;
            return XPL_OK;
        }
        if (st)
            return xpl_fail_field(err, st, stage_err.field, "%s", stage_err.message);
        if (enough) {
            run->stopped = XPL_STOPPED_CONFIDENT;
            return XPL_OK;
        }
    }
    run->stopped =
        run->design->over_budget || run->stages < run->design->n_stages ? XPL_STOPPED_BUDGET : XPL_STOPPED_COMPLETE;
    return XPL_OK;
}

static enum xpl_status explain(struct xpl_run *run, struct xpl_error *err)
{
    const struct xpl_explain_input *in = run->in;
    uint32_t d = in->segments->count;
    enum xpl_status st;

    if ((st = xpl_design_plan(run->arena, d, &in->params, run->result->seed, &run->design, err)) ||
        (!xpl_run_is_reference(run) && (st = xpl_estimate_whole(run->arena, d, 0, &run->whole, err))) ||
        (st = score_stages(run, err)))
        return st;
    return xpl_run_tell(run, err);
}

enum xpl_status xpl_explain(struct xpl_arena *arena, const struct xpl_explain_input *in, struct xpl_explanation **ret,
                            struct xpl_error *err)
{
    struct xpl_run run = {.arena = arena, .in = in, .result = XPL_NEW(arena, struct xpl_explanation)};
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
