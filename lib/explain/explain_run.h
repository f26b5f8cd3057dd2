/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One explanation while it is made: scored and looked at by explain.c, told by explain_result.c. Private to both.
 */
#ifndef XPL_EXPLAIN_EXPLAIN_RUN_H
#define XPL_EXPLAIN_EXPLAIN_RUN_H

#include "lib/explain/design.h"
#include "lib/explain/estimate.h"
#include "lib/explain/sample.h"

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

/** Calls the budget leaves beside the whole design. */
static inline size_t xpl_run_spare(const struct xpl_run *run)
{
    size_t budget = xpl_explain_budget(&run->in->params);

    return budget > run->design->n ? budget - run->design->n : 0;
}

/** What the class of that rank, 0 = most probable, is estimated from. */
struct xpl_estimate_rows xpl_run_rows(const struct xpl_run *run, uint32_t rank);

/** Fills run->result, all but design and seed, from the last complete stage. */
enum xpl_status xpl_run_tell(struct xpl_run *run, struct xpl_error *err);

#endif
