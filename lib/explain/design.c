/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/design.h"

#include <math.h>

#include "lib/explain/octacode.h"

static const struct xpl_design_stage last_stage = {.enough = HUGE_VAL};

struct builder {
    struct xpl_arena *arena;
    struct xpl_design *design;
    bool *seen;      /* one per mask that exists */
    size_t all;      /* 2^d */
    size_t budget;   /* SIZE_MAX = none */
    const char *cap; /* the parameter the budget comes from */
};

static enum xpl_status start(struct builder *b, size_t capacity, struct xpl_error *err)
{
    b->seen = XPL_NEW_ARRAY(b->arena, bool, b->all);
    b->design->masks = XPL_NEW_ARRAY(b->arena, xpl_mask, capacity);
    return b->seen && b->design->masks ? XPL_OK : xpl_no_memory(err);
}

/* Words are listed complemented (the designs are closed under it), so that the word of zeros becomes "all on", first.
 */
static void add_word(struct builder *b, uint32_t word)
{
    xpl_mask mask = ~(xpl_mask)word & (b->all - 1);

    if (b->seen[mask])
        return;
    b->seen[mask] = true;
    b->design->masks[b->design->n++] = mask;
}

static void add_all(struct builder *b)
{
    for (size_t word = 0; word < b->all; word++)
        add_word(b, (uint32_t)word);
}

static void add_translate(struct builder *b, const struct xpl_octacode *code, uint32_t translate)
{
    for (size_t i = 0; i < XPL_OCTACODE_WORDS; i++)
        add_word(b, xpl_octacode_columns(code->words[i] ^ translate));
}

/* Stage 0 is the code itself; each further one doubles it. */
static void add_code_stage(struct builder *b, const struct xpl_octacode *code, unsigned stage)
{
    static const uint32_t translates[] = {0x0000, 0xFF00, 0x3C00, 0xC300, 0x0F00, 0xF000, 0x3300, 0xCC00};
    unsigned from = stage == 0 ? 0 : 1u << (stage - 1);

    for (unsigned i = from; i < 1u << stage; i++)
        add_translate(b, code, translates[i]);
}

static enum xpl_status end_stage(struct builder *b, struct xpl_design_stage stage, struct xpl_error *err)
{
    struct xpl_design *design = b->design;

    stage.end = design->n;
    stage.exact = design->n == b->all;
    stage.name = stage.exact ? "all_masks" : xpl_arena_printf(b->arena, "nordstrom_robinson_%zu", design->n);
    if (!stage.name)
        return xpl_no_memory(err);
    design->stages[design->n_stages++] = stage;
    return XPL_OK;
}

static enum xpl_status too_few(const struct builder *b, size_t needed, struct xpl_error *err)
{
    return xpl_fail_field(err, XPL_BAD_FIELD, b->cap, "%zu model calls are too few for %u superpixels; at least %zu",
                          b->budget, b->design->n_segments, needed);
}

/*
 * A budget below the first stage: the code is a union of eight cosets of a linear code (its kernel), each of strength 3
 * and closed under complement; as many of them as fit.
 */
static enum xpl_status add_cosets(struct builder *b, const struct xpl_octacode *code, struct xpl_error *err)
{
    size_t fewest = 2 * ((size_t)b->design->n_segments + 2), fitting = 0;

    if (fewest < XPL_DESIGN_MIN_MASKS)
        fewest = XPL_DESIGN_MIN_MASKS;
    for (size_t i = 0; i < XPL_OCTACODE_WORDS && b->design->n <= b->budget; i++) {
        if (i % XPL_OCTACODE_KERNEL == 0)
            fitting = b->design->n;
        add_word(b, xpl_octacode_columns(code->words[i]));
    }
    if (fitting < fewest)
        return too_few(b, fewest < b->all ? fewest : b->all, err);
    b->design->n = fitting;
    b->design->over_budget = true;
    return end_stage(b, last_stage, err);
}

static enum xpl_status plan_ladder(struct builder *b, struct xpl_error *err)
{
    /* What ends the ladder: as measured, see docs/accuracy.md. From the second stage on, what the surrogate says of new
     * rows is checked before it is believed. */
    static const struct xpl_design_stage rungs[] = {{.enough = 0.95, .caution = 0.9, .least_q2 = 0.8},
                                                    {.enough = HUGE_VAL, .caution = 1.0, .least_q2 = 0.2},
                                                    {.enough = HUGE_VAL, .caution = 0.57, .least_q2 = 0.2},
                                                    {.enough = HUGE_VAL}};
    bool ends_exact = b->design->n_segments <= 11;
    size_t last = ends_exact ? b->all : 2048;
    struct xpl_octacode code;
    enum xpl_status st;

    if ((st = start(b, last, err)))
        return st;
    xpl_octacode_build(&code);
    for (unsigned stage = 0; b->design->n < last; stage++) {
        size_t size = (size_t)XPL_OCTACODE_WORDS << stage;
        bool all = ends_exact && (stage == 2 || size >= b->all);

        if ((all ? b->all : size) > b->budget) {
            b->design->over_budget = true;
            break;
        }
        if (all)
            add_all(b);
        else
            add_code_stage(b, &code, stage);
        if ((st = end_stage(b, all ? last_stage : rungs[stage], err)))
            return st;
    }
    return b->design->n_stages > 0 ? XPL_OK : add_cosets(b, &code, err);
}

static enum xpl_status plan_exact(struct builder *b, struct xpl_error *err)
{
    enum xpl_status st;

    if (b->all > b->budget)
        return too_few(b, b->all, err);
    if ((st = start(b, b->all, err)))
        return st;
    add_all(b);
    return end_stage(b, last_stage, err);
}

/* As the lime package: "all on" once, then masks of independent fair coins; a mask that comes again is scored once. */
static void draw(struct builder *b, size_t samples, uint32_t *position, const uint8_t seed[XPL_HASH_BYTES])
{
    struct xpl_design *design = b->design;
    struct xpl_stream stream;

    xpl_stream_start(&stream, seed);
    for (size_t i = 0; i < samples; i++) {
        xpl_mask mask = (i == 0 ? ~(xpl_mask)0 : xpl_stream_next(&stream)) & (b->all - 1);

        if (!b->seen[mask]) {
            b->seen[mask] = true;
            position[mask] = (uint32_t)design->n;
            design->masks[design->n++] = mask;
        }
        design->repeats[position[mask]]++;
    }
}

static enum xpl_status plan_reference(struct builder *b, const struct xpl_explain_params *params,
                                      const uint8_t seed[XPL_HASH_BYTES], struct xpl_error *err)
{
    size_t samples = params->perturbations_count ? params->perturbations_count : XPL_DESIGN_REFERENCE_SAMPLES;
    size_t fewest = 2 * ((size_t)b->design->n_segments + 2), capacity;
    uint32_t *position = XPL_NEW_ARRAY(b->arena, uint32_t, b->all);
    enum xpl_status st;

    if (b->budget < samples && b->budget < b->all) {
        samples = b->budget;
        b->design->over_budget = true;
    }
    if (samples < fewest)
        return too_few(b, fewest, err);
    capacity = samples < b->all ? samples : b->all;
    b->design->repeats = XPL_NEW_ARRAY(b->arena, uint32_t, capacity);
    if (!position || !b->design->repeats)
        return xpl_no_memory(err);
    if ((st = start(b, capacity, err)))
        return st;
    draw(b, samples, position, seed);
    b->design->stages[b->design->n_stages++] =
        (struct xpl_design_stage){.end = b->design->n, .enough = HUGE_VAL, .name = "uniform"};
    return XPL_OK;
}

static void set_budget(struct builder *b, const struct xpl_explain_params *params)
{
    b->budget = params->budget ? params->budget : SIZE_MAX;
    b->cap = "parameters.image.budget";
    if (params->perturbations_count && params->perturbations_count < b->budget) {
        b->budget = params->perturbations_count;
        b->cap = "parameters.lime.perturbations_count";
    }
}

enum xpl_status xpl_design_plan(struct xpl_arena *arena, uint32_t n_segments, const struct xpl_explain_params *params,
                                const uint8_t seed[XPL_HASH_BYTES], struct xpl_design **ret, struct xpl_error *err)
{
    struct builder b = {.arena = arena, .design = XPL_NEW(arena, struct xpl_design), .all = (size_t)1 << n_segments};
    enum xpl_status st = XPL_OK;

    if (!b.design)
        return xpl_no_memory(err);
    b.design->n_segments = n_segments;
    set_budget(&b, params);
    switch (params->design) {
    case XPL_DESIGN_AUTO:
        st = plan_ladder(&b, err);
        break;
    case XPL_DESIGN_EXACT:
        st = plan_exact(&b, err);
        break;
    case XPL_DESIGN_REFERENCE:
        st = plan_reference(&b, params, seed, err);
        break;
    }
    if (!st)
        *ret = b.design;
    return st;
}
