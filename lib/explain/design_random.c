/* SPDX-License-Identifier: Apache-2.0 */
/* Random designs: lime's own, and complement pairs that are looked at again and again. */
#include <math.h>

#include "lib/explain/design_builder.h"

#define MOST_CALLS      512u  /* without a budget */
#define MOST_CALLS_MANY 3072u /* the same above XPL_FIELD_SEGMENTS superpixels */
#define MOST_ASKED      8192u /* with a budget: as many as the largest array has */
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

enum xpl_status xpl_plan_adaptive(struct xpl_design_builder *b, struct xpl_error *err)
{
    size_t most = b->design->n_segments > XPL_FIELD_SEGMENTS ? MOST_CALLS_MANY : MOST_CALLS, look = FIRST_LOOK;
    struct xpl_stream stream;
    enum xpl_status st;

    if (b->budget < SIZE_MAX)
        most = b->budget < MOST_ASKED ? b->budget & ~(size_t)1 : MOST_ASKED;
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

        add_pairs(b, &stream, last ? most : look);
        if ((st = xpl_builder_end_stage(b, XPL_LAST_STAGE, "complement_pairs", err)))
            return st;
    }
    b->design->over_budget = most < b->all;
    xpl_builder_explain(b, XPL_DESIGN_ADAPTIVE, "Random masks until every zone is decided were asked for.");
    return XPL_OK;
}
