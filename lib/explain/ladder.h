/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which masks come next, and when it is enough (docs/explanations.md, How masks are chosen).
 */
#ifndef XPL_EXPLAIN_LADDER_H
#define XPL_EXPLAIN_LADDER_H

#include "lib/explain/sample.h"

struct xpl_ladder {
    enum xpl_design_mode mode;
    uint32_t d;
    size_t budget;       /* SIZE_MAX = what the design needs */
    size_t samples;      /* of `reference` */
    unsigned stage;      /* the last one added; 0 = none */
    bool exact;          /* all 2^d masks are in the design */
    bool cosets;         /* a part of stage 1, for budgets below 256 */
    uint32_t *counts;    /* of `reference`: how often each mask was drawn; else NULL */
};

/** Decides about budget and design. `ret_max` is how many masks there can be. */
enum xpl_status xpl_ladder_start(const struct xpl_explain_params *params, uint32_t d, struct xpl_ladder *ret,
                                 size_t *ret_max, struct xpl_error *err);

/** Adds the first masks. */
enum xpl_status xpl_ladder_first(struct xpl_ladder *ladder, struct xpl_arena *arena, struct xpl_design *design,
                                 const uint8_t seed[XPL_HASH_BYTES], struct xpl_error *err);

/** After a stage was scored and fitted: whether `q2` (NAN = nothing to explain) is enough. */
bool xpl_ladder_done(const struct xpl_ladder *ladder, double q2, enum xpl_stop_reason *ret);

/** Adds the next stage; false when it does not fit into the budget. */
bool xpl_ladder_next(struct xpl_ladder *ladder, struct xpl_design *design);

/** The design's name in the answer. */
const char *xpl_ladder_name(const struct xpl_ladder *ladder, struct xpl_arena *arena, size_t n_masks);

#endif
