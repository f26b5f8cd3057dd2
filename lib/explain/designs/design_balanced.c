/* SPDX-License-Identifier: Apache-2.0 */
/* Nested balanced designs: the code up to 16 superpixels, orthogonal arrays above. */
#include <math.h>

#include "lib/explain/designs/array.h"
#include "lib/explain/designs/design_builder.h"
#include "lib/explain/designs/octacode.h"

#define CODE_STAGES 8u
#define CODE_BLOCKS 16u /* to choose the stages' masks from */
#define ENDS_EXACT  11u /* superpixels of which all masks are few enough to end with */

static const char by_size[] = "Balanced designs, the next larger one only where the zones do not add up.";
static const char all_are_few[] = "There are few superpixels, so that all masks can be scored.";
static const char asked[] = "A balanced design of a fixed size was asked for.";

/*
 * What ends the ladder: as measured, see docs/accuracy.md. From the second stage on, what the surrogate says of new
 * rows is checked before it is believed.
 */
static const struct xpl_design_stage first_code_rung = {.enough = 0.95, .caution = 1.3, .least_q2 = 0.8};
static const struct xpl_design_stage code_rung = {.enough = HUGE_VAL, .caution = 1.1, .least_q2 = -HUGE_VAL};
static const struct xpl_design_stage array_rungs[] = {{.enough = 0.95, .caution = 0.9, .least_q2 = 0.8},
                                                      {.enough = HUGE_VAL, .caution = 1.0, .least_q2 = 0.2},
                                                      {.enough = HUGE_VAL, .caution = 0.57, .least_q2 = 0.2},
                                                      {.enough = HUGE_VAL}};

/* ---- the code ---- */

/* Words are listed complemented (the code is closed under it), so that the word of zeros becomes "all on", first. */
static void add_word(struct xpl_design_builder *b, uint32_t word)
{
    xpl_builder_add(b, ~(xpl_mask)word & (b->all - 1));
}

/* Block 0 is the code itself; each further one is a translate of it: eight make up its linear span, eight a coset. */
static void add_code_block(struct xpl_design_builder *b, const struct xpl_octacode *code, unsigned block)
{
    static const uint32_t translates[] = {0x0000, 0xFF00, 0x3C00, 0xC300, 0x0F00, 0xF000, 0x3300, 0xCC00};
    uint32_t translate = translates[block % CODE_STAGES] ^ block / CODE_STAGES;

    for (unsigned i = 0; i < XPL_OCTACODE_WORDS; i++)
        add_word(b, xpl_octacode_columns(code->words[i] ^ translate));
}

/* Translates that no stage has, but that may take the place of those that one has. */
static void add_pool(struct xpl_design_builder *b, const struct xpl_octacode *code)
{
    size_t n = b->design->n;

    for (unsigned block = b->design->n_stages; block < CODE_BLOCKS; block++)
        add_code_block(b, code, block);
    b->design->block = XPL_OCTACODE_WORDS;
    b->design->pool = b->design->n;
    b->design->n = n;
}

/*
 * A budget below the first stage: the code is a union of eight cosets of a linear code (its kernel), each of strength 3
 * and closed under complement; as many of them as fit.
 */
static enum xpl_status add_cosets(struct xpl_design_builder *b, const struct xpl_octacode *code, struct xpl_error *err)
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
        return xpl_builder_too_few(b, fewest < b->all ? fewest : b->all, err);
    b->design->n = fitting;
    b->design->over_budget = true;
    return xpl_builder_end_stage(b, XPL_LAST_STAGE, "nordstrom_robinson", err);
}

static struct xpl_design_stage rung_of(unsigned stage, bool last)
{
    if (last)
        return XPL_LAST_STAGE;
    return stage == 0 ? first_code_rung : code_rung;
}

static enum xpl_status plan_code(struct xpl_design_builder *b, struct xpl_error *err)
{
    bool ends_exact = b->design->n_segments <= ENDS_EXACT;
    size_t last = ends_exact ? b->all : (size_t)XPL_OCTACODE_WORDS * CODE_STAGES;
    struct xpl_octacode code;
    enum xpl_status st;

    if ((st = xpl_builder_start(b, (size_t)XPL_OCTACODE_WORDS * CODE_BLOCKS, err)))
        return st;
    xpl_octacode_build(&code);
    for (unsigned stage = 0; b->design->n < last; stage++) {
        size_t size = (size_t)XPL_OCTACODE_WORDS * (stage + 1);
        bool all = ends_exact && (stage == 2 || size >= b->all);

        if ((all ? b->all : size) > b->budget) {
            b->design->over_budget = true;
            break;
        }
        if (all)
            xpl_builder_add_all(b);
        else
            add_code_block(b, &code, stage);
        if ((st = xpl_builder_end_stage(b, rung_of(stage, b->design->n >= last), "nordstrom_robinson", err)))
            return st;
    }
    if (b->design->n_stages > 1 && !ends_exact)
        add_pool(b, &code);
    return b->design->n_stages > 0 ? XPL_OK : add_cosets(b, &code, err);
}

/* ---- the arrays ---- */

static void add_array_rows(struct xpl_design_builder *b, const struct xpl_array *array, uint32_t from, uint32_t end)
{
    for (uint32_t x = from; x < end; x++)
        xpl_builder_add(b, xpl_array_row(array, x));
    for (uint32_t x = from; x < end; x++)
        xpl_builder_add(b, xpl_array_row(array, x) ^ (b->all - 1));
}

static enum xpl_status plan_arrays(struct xpl_design_builder *b, struct xpl_error *err)
{
    struct xpl_array array;
    size_t most;
    enum xpl_status st;

    xpl_array_build(b->design->n_segments, &array);
    most = xpl_array_rows(array.most_bits);
    if (b->budget == SIZE_MAX && most > XPL_MOST_UNASKED && array.least_bits < array.most_bits)
        most = XPL_MOST_UNASKED;
    if (xpl_array_rows(array.least_bits) > b->budget)
        return xpl_builder_too_few(b, xpl_array_rows(array.least_bits), err);
    if ((st = xpl_builder_start(b, most, err)))
        return st;
    for (uint32_t bits = array.least_bits; bits <= array.most_bits; bits++) {
        unsigned rung = bits - array.least_bits;
        bool last = xpl_array_rows(bits) >= most;

        if (xpl_array_rows(bits) > b->budget) {
            b->design->over_budget = true;
            break;
        }
        add_array_rows(b, &array, rung == 0 ? 0 : 1u << (bits - 1), 1u << bits);
        if ((st = xpl_builder_end_stage(b, last ? XPL_LAST_STAGE : array_rungs[rung], "orthogonal_array", err)))
            return st;
        if (last)
            break;
    }
    return XPL_OK;
}

/* ---- what is asked for ---- */

static enum xpl_status plan_stages(struct xpl_design_builder *b, struct xpl_error *err)
{
    return b->design->n_segments <= XPL_FIELD_SEGMENTS ? plan_code(b, err) : plan_arrays(b, err);
}

enum xpl_status xpl_plan_ladder(struct xpl_design_builder *b, struct xpl_error *err)
{
    enum xpl_status st = plan_stages(b, err);
    bool exact = !st && b->design->stages[0].exact;

    xpl_builder_explain(b, exact ? XPL_DESIGN_EXACT : XPL_DESIGN_ARRAY, exact ? all_are_few : by_size);
    return st;
}

enum xpl_status xpl_plan_array(struct xpl_design_builder *b, struct xpl_error *err)
{
    struct xpl_design *design = b->design;
    enum xpl_status st = plan_stages(b, err);
    uint32_t chosen = b->budget == SIZE_MAX ? 0 : design->n_stages - 1;

    if (st)
        return st;
    design->stages[0] = design->stages[chosen];
    design->stages[0].enough = HUGE_VAL;
    design->stages[0].caution = 0;
    design->n_stages = 1;
    design->n = design->stages[0].end;
    design->block = 0;
    design->over_budget = false;
    xpl_builder_explain(b, XPL_DESIGN_ARRAY, asked);
    return XPL_OK;
}
