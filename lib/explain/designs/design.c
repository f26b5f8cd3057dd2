/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/designs/design.h"

#include <math.h>

#include "lib/explain/designs/array.h"
#include "lib/explain/designs/design_builder.h"

enum xpl_status xpl_builder_start(struct xpl_design_builder *b, size_t capacity, struct xpl_error *err)
{
    b->capacity = capacity < b->all ? capacity : b->all;
    b->design->masks = XPL_NEW_ARRAY(b->arena, xpl_mask, b->capacity);
    return b->design->masks ? xpl_mask_set_init(b->arena, b->capacity, &b->seen, err) : xpl_no_memory(err);
}

uint32_t xpl_builder_add(struct xpl_design_builder *b, xpl_mask mask)
{
    uint32_t row = xpl_mask_set_add(&b->seen, mask, (uint32_t)b->design->n);

    if (row == b->design->n)
        b->design->masks[b->design->n++] = mask;
    return row;
}

void xpl_builder_add_all(struct xpl_design_builder *b)
{
    for (xpl_mask mask = b->all; mask-- > 0;)
        xpl_builder_add(b, mask);
}

enum xpl_status xpl_builder_end_stage(struct xpl_design_builder *b, struct xpl_design_stage stage, const char *name,
                                      struct xpl_error *err)
{
    struct xpl_design *design = b->design;

    stage.end = design->n;
    stage.exact = design->n == b->all;
    stage.name = stage.exact ? "all_masks" : xpl_arena_printf(b->arena, "%s_%zu", name, design->n);
    if (!stage.name)
        return xpl_no_memory(err);
    design->stages[design->n_stages++] = stage;
    return XPL_OK;
}

void xpl_builder_explain(struct xpl_design_builder *b, enum xpl_design_mode mode, const char *why)
{
    b->design->mode = mode;
    b->design->why = why;
}

enum xpl_status xpl_builder_too_few(const struct xpl_design_builder *b, size_t needed, struct xpl_error *err)
{
    return xpl_fail_field(err, XPL_BAD_FIELD, b->cap, "%zu model calls are too few for %u superpixels; at least %zu",
                          b->budget, b->design->n_segments, needed);
}

enum xpl_status xpl_plan_exact(struct xpl_design_builder *b, struct xpl_error *err)
{
    enum xpl_status st;

    if (b->design->n_segments > XPL_FIELD_SEGMENTS)
        return xpl_fail_field(err, XPL_BAD_FIELD, "parameters.image.design",
                              "exact is possible for at most %u superpixels, and there are %u", XPL_FIELD_SEGMENTS,
                              b->design->n_segments);
    if (b->all > b->budget)
        return xpl_builder_too_few(b, b->all, err);
    if ((st = xpl_builder_start(b, b->all, err)))
        return st;
    xpl_builder_add_all(b);
    xpl_builder_explain(b, XPL_DESIGN_EXACT, "All masks were asked for.");
    return xpl_builder_end_stage(b, XPL_LAST_STAGE, "", err);
}

/* Balanced designs where there is one that the budget allows, or that is not too large for whoever has none. */
static enum xpl_status plan_auto(struct xpl_design_builder *b, struct xpl_error *err)
{
    uint32_t d = b->design->n_segments;
    size_t affordable = b->budget < SIZE_MAX ? b->budget : XPL_MOST_UNASKED;
    struct xpl_array array;
    enum xpl_status st;

    if (d <= XPL_FIELD_SEGMENTS)
        return xpl_plan_ladder(b, err);
    xpl_array_build(d, &array);
    if (xpl_array_rows(array.least_bits) <= affordable)
        return xpl_plan_ladder(b, err);
    st = xpl_plan_adaptive(b, err);
    xpl_builder_explain(b, XPL_DESIGN_ADAPTIVE,
                        "The smallest balanced design for so many superpixels is larger than the budget; random masks "
                        "and their complements may end earlier.");
    return st;
}

static size_t samples_of(const struct xpl_explain_params *params)
{
    return params->perturbations_count ? params->perturbations_count : XPL_DESIGN_REFERENCE_SAMPLES;
}

static void set_budget(struct xpl_design_builder *b, const struct xpl_explain_params *params)
{
    b->budget = xpl_explain_budget(params);
    b->cap = b->budget == params->budget ? "parameters.image.budget" : "parameters.lime.perturbations_count";
}

static enum xpl_status plan(struct xpl_design_builder *b, const struct xpl_explain_params *params,
                            struct xpl_error *err)
{
    switch (params->design) {
    case XPL_DESIGN_AUTO:
        return plan_auto(b, err);
    case XPL_DESIGN_EXACT:
        return xpl_plan_exact(b, err);
    case XPL_DESIGN_REFERENCE:
        return xpl_plan_reference(b, samples_of(params), err);
    case XPL_DESIGN_ADAPTIVE:
        return xpl_plan_adaptive(b, err);
    case XPL_DESIGN_ARRAY:
        return xpl_plan_array(b, err);
    }
    return xpl_fail(err, XPL_INTERNAL, "unknown design %d", (int)params->design);
}

enum xpl_status xpl_design_plan(struct xpl_arena *arena, uint32_t n_segments, const struct xpl_explain_params *params,
                                const uint8_t seed[XPL_HASH_BYTES], struct xpl_design **ret, struct xpl_error *err)
{
    struct xpl_design_builder b = {
        .arena = arena, .design = XPL_NEW(arena, struct xpl_design), .all = (size_t)1 << n_segments, .seed = seed};
    enum xpl_status st;

    if (!b.design)
        return xpl_no_memory(err);
    b.design->n_segments = n_segments;
    set_budget(&b, params);
    if ((st = plan(&b, params, err)))
        return st;
    if (b.design->pool < b.design->n)
        b.design->pool = b.design->n;
    *ret = b.design;
    return XPL_OK;
}

void xpl_design_bring_forward(struct xpl_design *design, size_t at, size_t by)
{
    xpl_mask *next = design->masks + at, *chosen = next + by * design->block;

    for (size_t i = 0; i < design->block; i++) {
        xpl_mask mask = next[i];

        next[i] = chosen[i];
        chosen[i] = mask;
    }
}
