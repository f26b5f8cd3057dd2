/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the designs are put together with. Private to design*.c.
 */
#ifndef XPL_EXPLAIN_DESIGN_BUILDER_H
#define XPL_EXPLAIN_DESIGN_BUILDER_H

#include "lib/explain/designs/design.h"
#include "lib/explain/designs/mask_set.h"

struct xpl_design_builder {
    struct xpl_arena *arena;
    struct xpl_design *design;
    struct xpl_mask_set seen;
    size_t capacity;
    size_t all;      /* 2^d */
    size_t budget;   /* SIZE_MAX = none */
    const char *cap; /* the parameter the budget comes from */
    const uint8_t *seed;
};

/** Masks of a balanced design that nobody gets more of without a budget that allows them, where there is a choice. */
#define XPL_MOST_UNASKED 4096u

/** A stage after which there is nothing to decide. */
#define XPL_LAST_STAGE ((struct xpl_design_stage){.enough = HUGE_VAL})

/** Makes room for `capacity` masks, or for all there are. */
enum xpl_status xpl_builder_start(struct xpl_design_builder *b, size_t capacity, struct xpl_error *err);

/** Adds a mask, unless it is there. Returns its row. */
uint32_t xpl_builder_add(struct xpl_design_builder *b, xpl_mask mask);

/** Adds all masks there are; "all on" first. */
void xpl_builder_add_all(struct xpl_design_builder *b);

/** Ends a stage with the masks so far. It is called NAME_N with N masks, or "all_masks". */
enum xpl_status xpl_builder_end_stage(struct xpl_design_builder *b, struct xpl_design_stage stage, const char *name,
                                      struct xpl_error *err);

/** Says what was chosen and why; `why` is a literal. */
void xpl_builder_explain(struct xpl_design_builder *b, enum xpl_design_mode mode, const char *why);

enum xpl_status xpl_builder_too_few(const struct xpl_design_builder *b, size_t needed, struct xpl_error *err);

enum xpl_status xpl_plan_exact(struct xpl_design_builder *b, struct xpl_error *err);
/** Nested balanced designs. */
enum xpl_status xpl_plan_ladder(struct xpl_design_builder *b, struct xpl_error *err);
/** One of them. */
enum xpl_status xpl_plan_array(struct xpl_design_builder *b, struct xpl_error *err);
enum xpl_status xpl_plan_adaptive(struct xpl_design_builder *b, struct xpl_error *err);
/** `samples` draws with replacement. */
enum xpl_status xpl_plan_reference(struct xpl_design_builder *b, size_t samples, struct xpl_error *err);

#endif
