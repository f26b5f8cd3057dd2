/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MASKS 256u
#define BATCH_NUMBERS ((size_t)1 << 22)

/* ---- classes ---- */

struct ranked {
    double probability;
    uint32_t class_index;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->probability < y->probability)
        return 1;
    if (x->probability > y->probability)
        return -1;
    return x->class_index < y->class_index ? -1 : x->class_index > y->class_index;
}

static enum xpl_status rank_classes(struct xpl_sample *s, struct xpl_error *err)
{
    uint32_t n = s->in->n_classes;
    struct ranked *ranked = XPL_NEW_ARRAY(s->arena, struct ranked, n);

    s->ranking = XPL_NEW_ARRAY(s->arena, uint32_t, n);
    if (!ranked || !s->ranking)
        return xpl_no_memory(err);
    for (uint32_t c = 0; c < n; c++)
        ranked[c] = (struct ranked){s->full[c], c};
    qsort(ranked, n, sizeof *ranked, compare_ranked);
    for (uint32_t c = 0; c < n; c++)
        s->ranking[c] = ranked[c].class_index;
    return XPL_OK;
}

static bool is_listed(const struct xpl_explain_params *params, uint32_t class_index)
{
    for (uint32_t i = 0; i < params->n_class_list; i++)
        if (params->class_list[i] == class_index)
            return true;
    return false;
}

static bool is_chosen(const struct xpl_sample *s, uint32_t rank)
{
    const struct xpl_explain_params *params = &s->in->params;

    switch (params->classes) {
    case XPL_CLASSES_TOP2:
        return rank < 2;
    case XPL_CLASSES_ALL:
        return rank < XPL_MAX_CLASSES_EXPLAINED;
    case XPL_CLASSES_LIST:
        break;
    }
    return is_listed(params, s->ranking[rank]);
}

uint32_t xpl_sample_chosen(const struct xpl_sample *s, uint32_t *ret_classes)
{
    uint32_t n = 0;

    for (uint32_t rank = 0; rank < s->in->n_classes; rank++)
        if (is_chosen(s, rank))
            ret_classes[n++] = s->ranking[rank];
    return n;
}

static int compare_indexes(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static enum xpl_status choose_kept(struct xpl_sample *s, struct xpl_error *err)
{
    uint32_t n_classes = s->in->n_classes;

    if (!(s->kept = XPL_NEW_ARRAY(s->arena, uint32_t, n_classes)))
        return xpl_no_memory(err);
    for (uint32_t rank = 0; rank < n_classes; rank++)
        if (rank < XPL_KEPT_CLASSES || is_chosen(s, rank))
            s->kept[s->n_kept++] = s->ranking[rank];
    qsort(s->kept, s->n_kept, sizeof *s->kept, compare_indexes);
    return XPL_OK;
}

static enum xpl_status check_list(const struct xpl_explain_input *in, struct xpl_error *err)
{
    for (uint32_t i = 0; in->params.classes == XPL_CLASSES_LIST && i < in->params.n_class_list; i++)
        if (in->params.class_list[i] >= in->n_classes)
            return xpl_fail_field(err, XPL_BAD_FIELD, "parameters.image.classes", "there is no class %u: the model has %u",
                                  in->params.class_list[i], in->n_classes);
    return XPL_OK;
}

/* ---- scores ---- */

static enum xpl_status score_full(struct xpl_sample *s, struct xpl_error *err)
{
    const struct xpl_explain_input *in = s->in;
    xpl_mask all_on = xpl_all_on(in->segments->count);

    if (!(s->full = XPL_NEW_ARRAY(s->arena, double, in->n_classes)))
        return xpl_no_memory(err);
    if (!in->full_scores)
        return in->score(in->model, &all_on, 1, s->full, err);
    memcpy(s->full, in->full_scores, in->n_classes * sizeof *s->full);
    return XPL_OK;
}

static void keep(struct xpl_sample *s, size_t mask_index, const double *all_classes)
{
    double *row = s->scores + mask_index * s->n_kept;

    for (uint32_t k = 0; k < s->n_kept; k++)
        row[k] = all_classes[s->kept[k]];
}

static enum xpl_status make_room(struct xpl_sample *s, struct xpl_error *err)
{
    size_t n = s->in->n_classes;

    s->batch_masks = BATCH_NUMBERS / n < BATCH_MASKS ? BATCH_NUMBERS / n : BATCH_MASKS;
    if (s->batch_masks < 1)
        s->batch_masks = 1;
    s->scores = xpl_arena_array(s->arena, s->capacity, s->n_kept * sizeof(double));
    s->batch = xpl_arena_array(s->arena, s->batch_masks, n * sizeof(double));
    return s->scores && s->batch ? XPL_OK : xpl_no_memory(err);
}

enum xpl_status xpl_sample_start(struct xpl_arena *arena, const struct xpl_explain_input *in, size_t max_masks,
                                 struct xpl_sample **ret, struct xpl_error *err)
{
    struct xpl_sample *s = XPL_NEW(arena, struct xpl_sample);
    enum xpl_status st;

    if (!s)
        return xpl_no_memory(err);
    *s = (struct xpl_sample){.in = in, .arena = arena, .capacity = max_masks};
    if ((st = check_list(in, err)) || (st = xpl_design_new(arena, in->segments->count, &s->design, err)) ||
        (st = score_full(s, err)) || (st = rank_classes(s, err)) || (st = choose_kept(s, err)) ||
        (st = make_room(s, err)))
        return st;
    *ret = s;
    return XPL_OK;
}

/* Scores the masks [from, to) of the design, none of which shows everything. */
static enum xpl_status score_range(struct xpl_sample *s, size_t from, size_t to, struct xpl_error *err)
{
    while (from < to) {
        size_t n = to - from < s->batch_masks ? to - from : s->batch_masks;
        enum xpl_status st = s->in->score(s->in->model, s->design->masks + from, n, s->batch, err);

        if (st)
            return st;
        for (size_t i = 0; i < n; i++)
            keep(s, from + i, s->batch + i * s->in->n_classes);
        from += n;
    }
    return XPL_OK;
}

enum xpl_status xpl_sample_score(struct xpl_sample *s, struct xpl_error *err)
{
    size_t full_at = xpl_design_find(s->design, xpl_all_on(s->design->d));
    size_t from = s->n_scored, to = s->design->n;
    bool full_is_new = full_at >= from && full_at < to;
    enum xpl_status st;

    if (to > s->capacity)
        return xpl_fail(err, XPL_INTERNAL, "the design has grown beyond its room");
    st = score_range(s, from, full_is_new ? full_at : to, err);
    if (!st && full_is_new)
        st = score_range(s, full_at + 1, to, err);
    if (st)
        return st;
    if (full_is_new)
        keep(s, full_at, s->full);
    s->n_scored = to;
    return XPL_OK;
}

void xpl_sample_drop_unscored(struct xpl_sample *s)
{
    while (s->design->n > s->n_scored)
        s->design->index[s->design->masks[--s->design->n]] = 0;
}

const double *xpl_sample_class(const struct xpl_sample *s, uint32_t class_index)
{
    const uint32_t *found = bsearch(&class_index, s->kept, s->n_kept, sizeof *s->kept, compare_indexes);

    return found ? s->scores + (found - s->kept) : NULL;
}
