/* SPDX-License-Identifier: Apache-2.0 */
/* Random designs: lime's own, and complement pairs that are looked at again and again. */
#include <math.h>

#include "lib/explain/designs/design_builder.h"

#define MOST_CALLS      512u                      /* without a budget */
#define MOST_CALLS_MANY 4096u                     /* the same above XPL_FIELD_SEGMENTS superpixels */
#define MOST_ASKED      8192u                     /* with a budget: as many as the largest array has */
#define APART           (XPL_HELD_OUT_MASKS + 2u) /* of a budget: to try the surrogate, and the whole image again */
#define FIRST_LOOK      32u

static size_t fewest_masks(const struct xpl_design_builder *b)
{
    return 2 * ((size_t)b->design->n_segments + 2);
}

/* As the lime package: "all on" once, then masks of independent fair coins; a mask that comes again is scored once. */
enum xpl_status xpl_plan_reference(struct xpl_design_builder *b, size_t samples, struct xpl_error *err)
{
    struct xpl_stream stream;
    enum xpl_status st;

    if (b->budget < samples && b->budget < b->all) {
        samples = b->budget;
        b->design->over_budget = true;
    }
    if (samples < fewest_masks(b))
        return xpl_builder_too_few(b, fewest_masks(b), err);
    if ((st = xpl_builder_start(b, samples, err)))
        return st;
    b->design->repeats = XPL_NEW_ARRAY(b->arena, uint32_t, b->capacity);
    if (!b->design->repeats)
        return xpl_no_memory(err);
    xpl_stream_start(&stream, b->seed);
    for (size_t i = 0; i < samples; i++)
        b->design->repeats[xpl_builder_add(b, (i == 0 ? ~(xpl_mask)0 : xpl_stream_next(&stream)) & (b->all - 1))]++;
    b->design->stages[b->design->n_stages++] =
        (struct xpl_design_stage){.end = b->design->n, .enough = HUGE_VAL, .name = "uniform"};
    xpl_builder_explain(b, XPL_DESIGN_REFERENCE, "Random masks as those of the lime package were asked for.");
    return XPL_OK;
}

/* ---- complement pairs ---- */

/* 32, 48, 64, 96, 128, 192, … */
static size_t next_look(size_t look)
{
    return (look & (look - 1)) == 0 ? look + look / 2 : look / 3 * 4;
}

static void add_pairs(struct xpl_design_builder *b, struct xpl_stream *stream, size_t end)
{
    while (b->design->n < end) {
        xpl_mask mask = (b->design->n == 0 ? ~(xpl_mask)0 : xpl_stream_next(stream)) & (b->all - 1);

        xpl_builder_add(b, mask);
        xpl_builder_add(b, mask ^ (b->all - 1));
    }
}

/* ---- the same in blocks ---- */

/*
 * With many superpixels the pairs come in blocks: the first-order Reed-Muller code on as many points as superpixels
 * need (MacWilliams & Sloane, chapter 13), balanced over any three of them, each block shifted by a random mask. A
 * surrogate can then learn from all of them (cosets.h).
 */
struct blocks {
    struct xpl_stream stream;
    uint32_t bits;                        /* a block has 2^(bits + 1) words */
    uint32_t point[XPL_MAX_SEGMENTS + 1]; /* of each superpixel; drawn, because neighbours may act together */
    xpl_mask shift;
    uint32_t word; /* the next one of the block */
};

static void start_blocks(struct blocks *blocks, const struct xpl_design_builder *b)
{
    uint32_t n_points;

    *blocks = (struct blocks){.bits = 1};
    while (1u << blocks->bits < b->design->n_segments)
        blocks->bits++;
    n_points = 1u << blocks->bits;
    xpl_stream_start(&blocks->stream, b->seed);
    for (uint32_t i = 0; i < n_points; i++)
        blocks->point[i] = i;
    for (uint32_t i = n_points - 1; i > 0; i--) {
        uint32_t k = (uint32_t)(xpl_stream_next(&blocks->stream) % (i + 1)), drawn = blocks->point[k];

        blocks->point[k] = blocks->point[i];
        blocks->point[i] = drawn;
    }
}

/* The lowest bit of a word's number stands for its complement, so that pairs stand together. */
static xpl_mask next_word(struct blocks *blocks, uint32_t d)
{
    xpl_mask word = blocks->word & 1u ? xpl_design_all_on(d) : 0;

    for (uint32_t j = 0; j < d; j++)
        word ^= (xpl_mask)(__builtin_popcount(blocks->word >> 1 & blocks->point[j]) & 1) << j;
    word ^= blocks->shift;
    blocks->word++;
    if (blocks->word >> (blocks->bits + 1)) {
        blocks->word = 0;
        blocks->shift = xpl_stream_next(&blocks->stream) & xpl_design_all_on(d);
    }
    return word ^ xpl_design_all_on(d);
}

static void add_blocks(struct xpl_design_builder *b, struct blocks *blocks, size_t end)
{
    while (b->design->n < end)
        xpl_builder_add(b, next_word(blocks, b->design->n_segments));
}

/* Whole blocks that leave the calls apart, unless they would be too few. */
static size_t without_apart(const struct xpl_design_builder *b, const struct blocks *blocks, size_t most)
{
    size_t whole = most > APART ? (most - APART) >> (blocks->bits + 1) << (blocks->bits + 1) : 0;

    return whole >= fewest_masks(b) ? whole : most;
}

enum xpl_status xpl_plan_adaptive(struct xpl_design_builder *b, struct xpl_error *err)
{
    size_t most = b->design->n_segments > XPL_FIELD_SEGMENTS ? MOST_CALLS_MANY : MOST_CALLS, look = FIRST_LOOK;
    bool many = b->design->n_segments > XPL_FIELD_SEGMENTS;
    struct xpl_stream stream;
    struct blocks blocks;
    enum xpl_status st;

    start_blocks(&blocks, b);
    if (b->budget < SIZE_MAX)
        most = b->budget < MOST_ASKED ? b->budget & ~(size_t)1 : MOST_ASKED;
    if (many && b->budget <= most + APART)
        most = without_apart(b, &blocks, most);
    if (most > b->all)
        most = b->all;
    if (most < fewest_masks(b) && most < b->all)
        return xpl_builder_too_few(b, fewest_masks(b), err);
    while (look < 3 * (size_t)b->design->n_segments)
        look = next_look(look);
    if ((st = xpl_builder_start(b, most, err)))
        return st;
    xpl_stream_start(&stream, b->seed);
    for (; b->design->n < most; look = next_look(look)) {
        bool last = look >= most || b->design->n_stages + 1 == XPL_DESIGN_MAX_STAGES;

        if (many)
            add_blocks(b, &blocks, last ? most : look);
        else
            add_pairs(b, &stream, last ? most : look);
        if ((st = xpl_builder_end_stage(b, XPL_LAST_STAGE, "complement_pairs", err)))
            return st;
    }
    b->design->over_budget = most < b->all;
    xpl_builder_explain(b, XPL_DESIGN_ADAPTIVE, "Random masks until every zone is decided were asked for.");
    return XPL_OK;
}
