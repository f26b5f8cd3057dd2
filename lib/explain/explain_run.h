/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One explanation while it is made: scored and looked at by explain.c, where explain_belief.c says how far a surrogate
 * is believed; told by explain_result.c. Private to these.
 */
#ifndef XPL_EXPLAIN_EXPLAIN_RUN_H
#define XPL_EXPLAIN_EXPLAIN_RUN_H

#include "lib/explain/designs/design.h"
#include "lib/explain/designs/sample.h"
#include "lib/explain/fitting/estimate.h"
#include "lib/explain/trust/held_out.h"

#define XPL_LOOK_BYTES ((size_t)256 << 20)

struct xpl_run {
    struct xpl_arena *arena;
    const struct xpl_explain_input *in;
    struct xpl_design *design;
    struct xpl_sample *sample;
    struct xpl_fit *fit;       /* of the last complete stage */
    struct xpl_fit *whole;     /* see estimate.h */
    struct xpl_estimate *gate; /* of the classes that decide, at the last complete stage; n_gate */
    uint32_t n_gate;
    struct xpl_held_out *held_out; /* NULL as long as there was no reason to score some */
    double doubt; /* what is taken for the least share of the linear fit's squared mistakes that a surrogate makes */
    double contradicted; /* by masks held out: the share of the scores' variance that the estimate gets wrong */
    struct xpl_arena *now, *before; /* of the last look and the one before it */
    uint32_t stages;                /* complete ones */
    enum xpl_stop_reason stopped;
    struct xpl_explanation *result;
};

static inline bool xpl_run_is_reference(const struct xpl_run *run)
{
    return run->in->params.design == XPL_DESIGN_REFERENCE;
}

static inline const struct xpl_design_stage *xpl_run_last_stage(const struct xpl_run *run)
{
    return &run->design->stages[run->stages - 1];
}

/** Calls that were made beside the design. */
static inline size_t xpl_run_beside(const struct xpl_run *run)
{
    return (run->sample ? run->sample->repeats : 0) + (run->held_out ? XPL_HELD_OUT_MASKS : 0);
}

/** Calls the budget leaves beside so many masks of the design and what was scored beside it. */
static inline size_t xpl_run_spare(const struct xpl_run *run, size_t n)
{
    size_t budget = xpl_explain_budget(&run->in->params), used = n + xpl_run_beside(run);

    return budget > used ? budget - used : 0;
}

/** Calls that the budget has left. */
static inline size_t xpl_run_left(const struct xpl_run *run)
{
    return xpl_run_spare(run, run->sample->n);
}

/** Tells that masks of the design up to `end`, and so many apart from it, are planned by now. */
static inline void xpl_run_plan(const struct xpl_run *run, size_t end, size_t apart)
{
    if (run->in->plan)
        run->in->plan(run->in->model, run->in->planned_before + end + apart);
}

/** What the class of that rank, 0 = most probable, is estimated from. */
struct xpl_estimate_rows xpl_run_rows(const struct xpl_run *run, uint32_t rank);

/**
 * Makes the estimate of a class that decides as unsure as what new masks say of it: those of the last stage, and
 * held-out ones, which are scored when `decides` and there is a reason to. `before` is the estimate after the stage
 * before; NULL after the first.
 */
enum xpl_status xpl_run_doubt(struct xpl_run *run, uint32_t rank, const struct xpl_estimate *before, bool decides,
                              struct xpl_estimate *estimate, struct xpl_error *err);

/** The same of any other class, or of one that was looked at before masks were held out, by what is known by now. */
void xpl_run_doubt_other(struct xpl_run *run, uint32_t rank, struct xpl_estimate *estimate);

/** Fills run->result, all but design and seed, from the last complete stage. */
enum xpl_status xpl_run_tell(struct xpl_run *run, struct xpl_error *err);

#endif
