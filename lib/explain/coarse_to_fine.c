/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/coarse_to_fine.h"

#include <math.h>
#include <string.h>

#include "lib/explain/contrast.h"
#include "lib/explain/designs/design.h"

#define FIRST_CALLS 512u /* of the coarse explanation, without a budget */
#define FIRST_SHARE 4u   /* one of so many parts of the budget */
#define CHECK_BYTES ((size_t)16 << 20)

struct splitting {
    const struct xpl_segments *fine, *coarse;
    uint32_t parent[XPL_MAX_SEGMENTS];   /* coarse segment of each fine one */
    uint32_t parts[XPL_MAX_SEGMENTS];    /* fine ones of each coarse one */
    double importance[XPL_MAX_SEGMENTS]; /* of each coarse one */
    bool split[XPL_MAX_SEGMENTS];
    uint32_t count;
};

uint32_t xpl_coarse_segments(const struct xpl_explain_params *params)
{
    uint32_t wanted = params->segmentation.max_segments;

    return wanted ? wanted : XPL_DEFAULT_SEGMENTS;
}

/* What each coarse superpixel may weigh, in the class in which it weighs most. Also of a negligible one: its parts may
 * weigh what they take from each other. */
static void rank(struct splitting *s, const struct xpl_explanation *first)
{
    for (uint32_t i = 0; i < first->n_classes; i++) {
        const struct xpl_class_explanation *c = &first->classes[i];

        for (uint32_t j = 0; j < s->coarse->count; j++) {
            double may_weigh = fmax(fabs(c->low[j]), fabs(c->high[j]));

            s->importance[j] = fmax(s->importance[j], may_weigh);
        }
    }
}

static void choose(struct splitting *s, uint32_t most)
{
    for (size_t i = 0; i < (size_t)s->fine->height * s->fine->width; i++)
        s->parent[s->fine->labels[i]] = s->coarse->labels[i];
    for (uint32_t k = 0; k < s->fine->count; k++)
        s->parts[s->parent[k]]++;
    s->count = s->coarse->count;
    for (;;) {
        uint32_t best = s->coarse->count;

        for (uint32_t j = 0; j < s->coarse->count; j++)
            if (!s->split[j] && s->parts[j] > 1 && s->importance[j] > 0 && s->count + s->parts[j] - 1 <= most &&
                (best == s->coarse->count || s->importance[j] > s->importance[best]))
                best = j;
        if (best == s->coarse->count)
            return;
        s->split[best] = true;
        s->count += s->parts[best] - 1;
    }
}

/* Numbers in the order of the fine ones, those of a coarse superpixel that stays whole the same. */
static enum xpl_status make_segments(struct xpl_arena *arena, const struct splitting *s, const struct xpl_pixels *image,
                                     struct xpl_segments **ret, struct xpl_error *err)
{
    uint32_t numbers[XPL_MAX_SEGMENTS], of_whole[XPL_MAX_SEGMENTS] = {0}, next = 0;

    for (uint32_t k = 0; k < s->fine->count; k++) {
        uint32_t parent = s->parent[k];

        if (s->split[parent] || of_whole[parent] == 0)
            numbers[k] = next++;
        else
            numbers[k] = of_whole[parent] - 1;
        of_whole[parent] = numbers[k] + 1;
    }
    return xpl_segments_numbered(arena, image, s->fine, numbers, s->count, ret, err);
}

/* All that was asked of the model. */
static size_t calls_of(const struct xpl_explanation *e)
{
    return e->calls + e->repeats + e->held_out + e->contrast.calls;
}

static enum xpl_status explain_coarse(struct xpl_arena *arena, const struct xpl_explain_input *in,
                                      const struct xpl_segments *coarse, struct xpl_explanation **ret,
                                      struct xpl_error *err)
{
    struct xpl_explain_input first = *in;
    size_t budget = xpl_explain_budget(&in->params);

    first.segments = coarse;
    first.params.design = XPL_DESIGN_AUTO;
    first.params.budget = budget < SIZE_MAX ? (uint32_t)budget / FIRST_SHARE : FIRST_CALLS;
    return xpl_explain(arena, &first, ret, err);
}

static enum xpl_status explain_fine(struct xpl_arena *arena, const struct xpl_explain_input *in,
                                    const struct xpl_segments *segments, const struct xpl_explanation *first,
                                    struct xpl_explanation **ret, struct xpl_error *err)
{
    struct xpl_explain_input second = *in;
    size_t budget = xpl_explain_budget(&in->params);

    second.segments = segments;
    second.planned_before = calls_of(first);
    if (budget < SIZE_MAX)
        second.params.budget = (uint32_t)(budget - calls_of(first));
    return xpl_explain(arena, &second, ret, err);
}

static enum xpl_status warn(struct xpl_arena *arena, struct xpl_explanation *e, const char *text, struct xpl_error *err)
{
    const char **warnings = XPL_NEW_ARRAY(arena, const char *, e->n_warnings + 1);

    if (!text || !warnings)
        return xpl_no_memory(err);
    memcpy(warnings, e->warnings, e->n_warnings * sizeof *warnings);
    warnings[e->n_warnings++] = text;
    e->warnings = warnings;
    return XPL_OK;
}

/* What it said last was that its calls were used up, and they were only a share. */
static void forget_share(struct xpl_explanation *first)
{
    if (first->stopped != XPL_STOPPED_BUDGET)
        return;
    first->n_warnings--;
    first->stopped = XPL_STOPPED_COMPLETE;
}

/* The time was over before the fine ones were explained. */
static enum xpl_status end_with_coarse(struct xpl_arena *arena, struct xpl_explanation *first, struct xpl_error *err)
{
    forget_share(first);
    first->stopped = XPL_STOPPED_DEADLINE;
    return warn(arena, first, "The deadline ended the explanation before its superpixels were refined.", err);
}

static enum xpl_status end_unsplit(struct xpl_arena *arena, struct xpl_explanation *first, uint32_t asked,
                                   struct xpl_error *err)
{
    forget_share(first);
    return warn(arena, first,
                xpl_arena_printf(arena,
                                 "No superpixel was split: none matters, or those that do have too many parts for the "
                                 "%u that were asked for. The answer is that of the first %zu model calls.",
                                 asked, first->calls),
                err);
}

static enum xpl_status refine(struct xpl_arena *arena, const struct xpl_explain_input *in,
                              const struct xpl_segments *coarse, xpl_use_segments_fn use,
                              const struct xpl_segments **ret_segments, struct xpl_explanation **ret,
                              struct xpl_error *err)
{
    struct splitting s = {.fine = in->segments, .coarse = coarse};
    struct xpl_explanation *first;
    struct xpl_segments *segments;
    struct xpl_error inner = {0};
    enum xpl_status st;

    if ((st = use(in->model, coarse, err)) || (st = explain_coarse(arena, in, coarse, &first, err)))
        return st;
    *ret_segments = coarse;
    *ret = first;
    rank(&s, first);
    choose(&s, in->params.segmentation.refine);
    if (first->stopped == XPL_STOPPED_DEADLINE)
        return XPL_OK;
    if (s.count == coarse->count)
        return end_unsplit(arena, first, in->params.segmentation.refine, err);
    if ((st = make_segments(arena, &s, in->image, &segments, err)) || (st = use(in->model, segments, err)))
        return st;
    st = explain_fine(arena, in, segments, first, ret, &inner);
    if (st == XPL_DEADLINE) {
        *ret = first;
        return end_with_coarse(arena, first, err);
    }
    if (st)
        return xpl_fail_field(err, st, inner.field, "%s", inner.message);
    *ret_segments = segments;
    (*ret)->coarse_segments = coarse->count;
    (*ret)->coarse_calls = calls_of(first);
    return XPL_OK;
}

static enum xpl_status warn_of_fewer(struct xpl_arena *arena, const struct xpl_explain_input *in,
                                     struct xpl_explanation *e, struct xpl_error *err)
{
    uint32_t asked = in->params.segmentation.refine, found = in->segments->count;
    bool split = found > xpl_coarse_segments(&in->params);

    if (found >= asked)
        return XPL_OK;
    return warn(arena, e,
                xpl_arena_printf(arena, "Refining to %u superpixels was asked for, and the image has %u%s.", asked,
                                 found, split ? "" : ": nothing was split"),
                err);
}

enum xpl_status xpl_explain_coarse_to_fine(struct xpl_arena *arena, const struct xpl_explain_input *in,
                                           xpl_use_segments_fn use, const struct xpl_segments **ret_segments,
                                           struct xpl_explanation **ret, struct xpl_error *err)
{
    uint32_t bound = xpl_coarse_segments(&in->params);
    struct xpl_segments *coarse;
    enum xpl_status st;

    *ret_segments = in->segments;
    if (!in->params.segmentation.refine)
        return xpl_explain(arena, in, ret, err);
    if (in->segments->count <= bound)
        st = xpl_explain(arena, in, ret, err);
    else if (!(st = xpl_segments_merged(arena, in->image, in->segments, bound, in->interrupt, &coarse, err)))
        st = refine(arena, in, coarse, use, ret_segments, ret, err);
    return st ? st : warn_of_fewer(arena, in, *ret, err);
}

/* As many superpixels as an image can be cut into. */
static uint32_t most_segments(const struct xpl_explain_params *params)
{
    const struct xpl_segmentation *cut = &params->segmentation;

    if (cut->refine)
        return cut->refine;
    if (cut->algorithm == XPL_SEGMENTATION_GRID)
        return cut->grid_rows * cut->grid_columns;
    if (cut->algorithm == XPL_SEGMENTATION_LABELS)
        return XPL_MAX_SEGMENTS;
    if (cut->max_segments)
        return cut->max_segments;
    return params->design == XPL_DESIGN_EXACT ? XPL_EXACT_SEGMENTS : XPL_DEFAULT_SEGMENTS;
}

enum xpl_status xpl_explain_expected_calls(struct xpl_arena *arena, const struct xpl_explain_params *params,
                                           size_t *ret, struct xpl_error *err)
{
    static const uint8_t seed[XPL_HASH_BYTES];
    size_t budget = xpl_explain_budget(params);
    struct xpl_design *design;
    enum xpl_status st;

    if (budget < SIZE_MAX) {
        *ret = budget;
        return XPL_OK;
    }
    if ((st = xpl_design_plan(arena, most_segments(params), params, seed, &design, err)))
        return st;
    *ret = design->n + (params->segmentation.refine ? FIRST_CALLS : 0) +
           (params->contrastive ? XPL_CONTRAST_USUAL_CALLS : 0);
    return XPL_OK;
}

/* ---- what is known before ---- */

static uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

uint32_t xpl_explain_known_segments(const struct xpl_explain_params *params, uint32_t height, uint32_t width)
{
    const struct xpl_segmentation *cut = &params->segmentation;
    uint32_t most = cut->max_segments;

    if (cut->algorithm == XPL_SEGMENTATION_GRID)
        return min_u32(cut->grid_rows, height) * min_u32(cut->grid_columns, width);
    if (cut->algorithm != XPL_SEGMENTATION_LABELS)
        return 0;
    if (most == 0)
        most = params->design == XPL_DESIGN_EXACT ? XPL_FIELD_SEGMENTS : XPL_MAX_SEGMENTS;
    return min_u32(xpl_label_count(cut), most);
}

enum xpl_status xpl_explain_check_budget(const struct xpl_explain_params *params, uint32_t n_segments,
                                         struct xpl_error *err)
{
    static const uint8_t seed[XPL_HASH_BYTES];
    XPL_AUTO(xpl_arena) scratch = NULL;
    struct xpl_design *ignored;

    /* from coarse to fine there are at least 512 calls, which are enough for any number */
    if (n_segments < 2 || params->segmentation.refine || xpl_explain_budget(params) >= XPL_EXACT_MAX_MASKS)
        return XPL_OK;
    if (!(scratch = xpl_arena_new(CHECK_BYTES)))
        return xpl_no_memory(err);
    return xpl_design_plan(scratch, n_segments, params, seed, &ignored, err);
}
