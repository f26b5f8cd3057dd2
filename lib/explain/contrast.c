/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/contrast.h"

#include <math.h>

#include "lib/explain/designs/mask_set.h"

#define REDUCTIONS 4u /* rounds of taking superpixels away */
#define MOST_CALLS (2 * (REDUCTIONS + 1) * (XPL_MAX_SEGMENTS + 1))

/* One of the two questions. A set of superpixels is a mask: those shown, or those hidden. */
struct question {
    struct xpl_arena *arena;
    const struct xpl_contrast_search *search;
    const struct xpl_explain_input *in;
    uint32_t d, class_index;
    bool negative;
    bool exhausted;             /* no call is left */
    struct xpl_mask_set *known; /* masks that were scored */
    size_t *calls;
    struct xpl_pertinent best;
    struct question *both; /* this one and the other: what is scored for one may answer the other */
};

static xpl_mask all_of(const struct question *q)
{
    return xpl_design_all_on(q->d);
}

/* Its own inverse: the set that a mask stands for. */
static xpl_mask shown_of(const struct question *q, xpl_mask set)
{
    return q->negative ? all_of(q) ^ set : set;
}

static int size_of(xpl_mask set)
{
    return __builtin_popcountll(set);
}

/* A mask that was scored. A set that works replaces the best one when it is smaller, or as small and surer. */
static void offer(struct question *q, xpl_mask mask, uint32_t winner, double probability, double of_class)
{
    struct xpl_pertinent *best = &q->best;
    xpl_mask set = shown_of(q, mask);
    double sure = q->negative ? -of_class : of_class;
    bool works = (winner == q->class_index) != q->negative;

    if (!works || (best->found && (size_of(set) > size_of(best->segments) ||
                                   (size_of(set) == size_of(best->segments) && sure <= best->sure))))
        return;
    *best = (struct xpl_pertinent){
        .found = true, .segments = set, .class_index = winner, .probability = probability, .sure = sure};
}

/* ---- what was scored ---- */

static void look_at_sample(struct question *q)
{
    const struct xpl_sample *sample = q->search->sample;
    const double *of_class = xpl_sample_scores(sample, sample->predicted);

    for (size_t i = 0; i < sample->n; i++)
        offer(q, sample->design->masks[i], sample->winners[i], sample->winning[i], of_class[i]);
}

/* ---- further calls ---- */

/* The masks of the sets that were not scored before, as far as calls are left; their number. */
static size_t choose_masks(struct question *q, const xpl_mask *sets, size_t n, xpl_mask *masks)
{
    size_t left = q->search->budget - *q->calls, n_chosen = 0;

    for (size_t i = 0; i < n; i++) {
        xpl_mask mask = shown_of(q, sets[i]);

        if (xpl_mask_set_find(q->known, mask) != XPL_NO_ROW)
            continue;
        q->exhausted = n_chosen == left;
        if (q->exhausted)
            break;
        xpl_mask_set_add(q->known, mask, 0);
        masks[n_chosen++] = mask;
    }
    return n_chosen;
}

static enum xpl_status score_sets(struct question *q, const xpl_mask *sets, size_t n, struct xpl_error *err)
{
    xpl_mask masks[XPL_MAX_SEGMENTS + 1];
    size_t n_classes = q->in->n_classes;
    double *scores;
    enum xpl_status st;

    if ((n = choose_masks(q, sets, n, masks)) == 0)
        return XPL_OK;
    if (!(scores = XPL_NEW_ARRAY(q->arena, double, n *n_classes)))
        return xpl_no_memory(err);
    if ((st = q->in->score(q->in->model, masks, n, scores, err)))
        return st;
    *q->calls += n;
    for (size_t i = 0; i < n; i++) {
        uint32_t winner = xpl_sample_winner(scores + i * n_classes, (uint32_t)n_classes);

        for (size_t k = 0; k < 2; k++)
            offer(&q->both[k], masks[i], winner, scores[i * n_classes + winner],
                  scores[i * n_classes + q->class_index]);
    }
    return XPL_OK;
}

/* How far the class is predicted to be in front. */
static double predicted_margin(const struct question *q, xpl_mask shown)
{
    const struct xpl_estimate *estimates[] = {&q->search->predicted, &q->search->runner_up};
    double values[2] = {0, 0};

    for (size_t k = 0; k < 2; k++) {
        if (estimates[k]->surrogate)
            values[k] = xpl_surrogate_at(estimates[k]->surrogate, shown);
        else
            values[k] = xpl_fit_predict(&estimates[k]->linear, q->d, shown);
    }
    return values[0] - values[1];
}

/* The best guess of every size below the best set: among all sets where they can be looked at. */
static size_t guess_all(struct question *q, xpl_mask *sets)
{
    double margins[XPL_MAX_SEGMENTS + 1];
    size_t n = 0, end = q->best.found ? (size_t)size_of(q->best.segments) : q->d + 1;

    for (size_t k = 0; k <= q->d; k++)
        margins[k] = -HUGE_VAL;
    for (xpl_mask set = 0; set <= all_of(q); set++) {
        size_t k = (size_t)size_of(set);
        double margin;

        if (k >= end)
            continue;
        margin = predicted_margin(q, shown_of(q, set)) * (q->negative ? -1 : 1);
        if (margin > margins[k]) {
            margins[k] = margin;
            sets[k] = set;
        }
    }
    for (size_t k = 0; k < end && k <= q->d; k++)
        sets[n++] = sets[k];
    return n;
}

/* By their weights, one after the other; of large sets not every size. */
static size_t guess_by_weight(const struct question *q, xpl_mask *sets)
{
    const double *of_class = q->search->predicted.coefficients + 1, *of_other = q->search->runner_up.coefficients + 1;
    size_t n = 0, end = q->best.found ? (size_t)size_of(q->best.segments) : q->d + 1;
    xpl_mask set = 0;

    for (size_t k = 0; k < end; k++) {
        uint32_t next = q->d;

        if (k <= XPL_FIELD_SEGMENTS || k % 4 == 0)
            sets[n++] = set;
        for (uint32_t j = 0; j < q->d; j++)
            if (!(set >> j & 1u) && (next == q->d || of_class[j] - of_other[j] > of_class[next] - of_other[next]))
                next = j;
        if (next < q->d)
            set |= (xpl_mask)1 << next;
    }
    return n;
}

static enum xpl_status try_guesses(struct question *q, struct xpl_error *err)
{
    xpl_mask sets[XPL_MAX_SEGMENTS + 1] = {0};
    size_t n = q->d <= XPL_FIELD_SEGMENTS ? guess_all(q, sets) : guess_by_weight(q, sets);

    return score_sets(q, sets, n, err);
}

/* Takes superpixels away, one at a time, the one that is missed least. */
static enum xpl_status reduce(struct question *q, struct xpl_error *err)
{
    for (size_t round = 0; round < REDUCTIONS && q->best.found && !q->best.irreducible; round++) {
        xpl_mask sets[XPL_MAX_SEGMENTS], before = q->best.segments;
        enum xpl_status st;
        size_t n = 0;

        for (xpl_mask left = before; left; left &= left - 1)
            sets[n++] = before ^ (left & -left);
        if ((st = score_sets(q, sets, n, err)))
            return st;
        q->best.irreducible = !q->exhausted && q->best.segments == before;
    }
    return XPL_OK;
}

static enum xpl_status answer(struct question *q, struct xpl_error *err)
{
    const struct xpl_sample *sample = q->search->sample;
    struct xpl_error inner = {0};
    enum xpl_status st = XPL_OK;

    if (sample->n == (size_t)1 << q->d) {
        q->best.smallest = q->best.irreducible = q->best.found;
    } else if (q->search->budget > 0) {
        st = try_guesses(q, &inner);
        st = st ? st : reduce(q, &inner);
    }
    return st && st != XPL_DEADLINE ? xpl_fail_field(err, st, inner.field, "%s", inner.message) : XPL_OK;
}

enum xpl_status xpl_contrast_find(struct xpl_arena *arena, const struct xpl_contrast_search *search,
                                  struct xpl_contrast *ret, struct xpl_error *err)
{
    const struct xpl_sample *sample = search->sample;
    struct question both[2];
    struct xpl_mask_set known;
    enum xpl_status st;

    if ((st = xpl_mask_set_init(arena, sample->n + MOST_CALLS, &known, err)))
        return st;
    for (size_t i = 0; i < sample->n; i++)
        xpl_mask_set_add(&known, sample->design->masks[i], (uint32_t)i);
    *ret = (struct xpl_contrast){.asked = true, .class_index = sample->winners[0]};
    for (int negative = 0; negative < 2; negative++) {
        both[negative] = (struct question){.arena = arena,
                                           .search = search,
                                           .in = sample->in,
                                           .d = sample->design->n_segments,
                                           .class_index = ret->class_index,
                                           .negative = negative,
                                           .known = &known,
                                           .calls = &ret->calls,
                                           .both = both};
        look_at_sample(&both[negative]);
    }
    if ((st = answer(&both[0], err)) || (st = answer(&both[1], err)))
        return st;
    ret->positive = both[0].best;
    ret->negative = both[1].best;
    return XPL_OK;
}
