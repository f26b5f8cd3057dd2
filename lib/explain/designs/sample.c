/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/designs/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MASKS       4096u
#define BATCH_SCORES      ((size_t)1 << 22)
#define BATCH_MASKS_LEAST 64u
#define REPEATABLE        1e-4 /* answers that differ by less are the same: batches change the last digits */
#define REPEATS           8u   /* further ones of a model that does not repeat itself */

struct ranked {
    uint32_t index;
    double score;
    bool asked, kept;
};

static enum xpl_status check_scores(const double *scores, size_t n, struct xpl_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(scores[i]))
            return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "a score is not a finite number");
    return XPL_OK;
}

static int by_score(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->score > y->score)
        return -1;
    if (x->score < y->score)
        return 1;
    return (x->index > y->index) - (x->index < y->index);
}

static int by_index(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static bool in_list(const struct xpl_explain_params *params, uint32_t index)
{
    for (uint32_t i = 0; i < params->n_class_list; i++)
        if (params->class_list[i] == index)
            return true;
    return false;
}

static bool is_asked(const struct xpl_explain_params *params, uint32_t rank, uint32_t index)
{
    switch (params->classes) {
    case XPL_CLASSES_TOP2:
        return rank < 2;
    case XPL_CLASSES_ALL:
        return true;
    case XPL_CLASSES_LIST:
        return in_list(params, index);
    }
    return false;
}

static enum xpl_status check_list(const struct xpl_explain_input *in, struct xpl_error *err)
{
    if (in->params.classes != XPL_CLASSES_LIST)
        return XPL_OK;
    if (in->params.n_class_list == 0)
        return xpl_fail_field(err, XPL_BAD_FIELD, "parameters.image.classes", "names no class");
    for (uint32_t i = 0; i < in->params.n_class_list; i++)
        if (in->params.class_list[i] >= in->n_classes)
            return xpl_fail_field(err, XPL_BAD_FIELD, "parameters.image.classes",
                                  "the model has no class %u, only 0 to %u", in->params.class_list[i],
                                  in->n_classes - 1);
    return XPL_OK;
}

static uint32_t position_of(const struct xpl_sample *sample, uint32_t index)
{
    const uint32_t *found = bsearch(&index, sample->kept, sample->n_kept, sizeof index, by_index);

    return (uint32_t)(found - sample->kept);
}

/* Which classes to keep and to explain, by the scores of "all on". */
static enum xpl_status choose_classes(struct xpl_sample *sample, const double *all_on, struct xpl_error *err)
{
    uint32_t n_classes = sample->in->n_classes;
    struct ranked *ranking = XPL_NEW_ARRAY(sample->arena, struct ranked, n_classes);

    if (!ranking)
        return xpl_no_memory(err);
    for (uint32_t i = 0; i < n_classes; i++)
        ranking[i] = (struct ranked){.index = i, .score = all_on[i]};
    qsort(ranking, n_classes, sizeof *ranking, by_score);
    for (uint32_t rank = 0; rank < n_classes; rank++) {
        ranking[rank].asked = is_asked(&sample->in->params, rank, ranking[rank].index);
        ranking[rank].kept = ranking[rank].asked || rank < XPL_KEPT_CLASSES;
        sample->n_explained += ranking[rank].asked;
        sample->n_kept += ranking[rank].kept;
    }
    sample->kept = XPL_NEW_ARRAY(sample->arena, uint32_t, sample->n_kept);
    sample->explained = XPL_NEW_ARRAY(sample->arena, uint32_t, sample->n_explained);
    if (!sample->kept || !sample->explained)
        return xpl_no_memory(err);
    for (uint32_t rank = 0, n = 0; rank < n_classes; rank++)
        if (ranking[rank].kept)
            sample->kept[n++] = ranking[rank].index;
    qsort(sample->kept, sample->n_kept, sizeof *sample->kept, by_index);
    sample->predicted = position_of(sample, ranking[0].index);
    sample->runner_up = position_of(sample, ranking[n_classes > 1 ? 1 : 0].index);
    for (uint32_t rank = 0, n = 0; rank < n_classes; rank++)
        if (ranking[rank].asked)
            sample->explained[n++] = position_of(sample, ranking[rank].index);
    return XPL_OK;
}

uint32_t xpl_sample_winner(const double *scores, uint32_t n_classes)
{
    uint32_t winner = 0;

    for (uint32_t c = 1; c < n_classes; c++)
        if (scores[c] > scores[winner])
            winner = c;
    return winner;
}

/* Moves the kept classes of a batch from the model's order to ours. */
static void keep(struct xpl_sample *sample, const double *scores, size_t first, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double *row = scores + i * sample->in->n_classes;

        sample->winners[first + i] = xpl_sample_winner(row, sample->in->n_classes);
        sample->winning[first + i] = row[sample->winners[first + i]];
    }
    for (uint32_t k = 0; k < sample->n_kept; k++) {
        double *column = sample->scores + (size_t)k * sample->design->n + first;

        for (size_t i = 0; i < n; i++)
            column[i] = scores[i * sample->in->n_classes + sample->kept[k]];
    }
}

static enum xpl_status score_masks(const struct xpl_sample *sample, const xpl_mask *masks, size_t n,
                                   struct xpl_error *err)
{
    const struct xpl_explain_input *in = sample->in;
    enum xpl_status st = in->score(in->model, masks, n, sample->scratch, err);

    return st ? st : check_scores(sample->scratch, n * in->n_classes, err);
}

static enum xpl_status score(const struct xpl_sample *sample, size_t first, size_t n, struct xpl_error *err)
{
    return score_masks(sample, sample->design->masks + first, n, err);
}

static size_t batch_size(uint32_t n_classes)
{
    size_t batch = BATCH_SCORES / n_classes;

    if (batch < BATCH_MASKS_LEAST)
        return BATCH_MASKS_LEAST;
    return batch < BATCH_MASKS ? batch : BATCH_MASKS;
}

enum xpl_status xpl_sample_start(struct xpl_arena *arena, const struct xpl_explain_input *in,
                                 const struct xpl_design *design, struct xpl_sample **ret, struct xpl_error *err)
{
    struct xpl_sample *sample = XPL_NEW(arena, struct xpl_sample);
    const double *all_on = in->full_scores;
    enum xpl_status st;

    if (!sample)
        return xpl_no_memory(err);
    *sample = (struct xpl_sample){.in = in, .design = design, .arena = arena, .batch = batch_size(in->n_classes)};
    if (sample->batch > design->n)
        sample->batch = design->n;
    if ((st = check_list(in, err)))
        return st;
    sample->scratch = XPL_NEW_ARRAY(arena, double, (sample->batch + 1) * in->n_classes);
    if (!sample->scratch)
        return xpl_no_memory(err);
    if (!all_on) {
        if ((st = score(sample, 0, 1, err)))
            return st;
        all_on = sample->scratch;
    }
    if (!(sample->all_on = xpl_arena_copy(arena, all_on, in->n_classes * sizeof *all_on)))
        return xpl_no_memory(err);
    if ((st = check_scores(all_on, in->n_classes, err)) || (st = choose_classes(sample, all_on, err)))
        return st;
    sample->scores = XPL_NEW_ARRAY(arena, double, sample->n_kept * design->n);
    sample->winners = XPL_NEW_ARRAY(arena, uint32_t, design->n);
    sample->winning = XPL_NEW_ARRAY(arena, double, design->n);
    if (!sample->scores || !sample->winners || !sample->winning)
        return xpl_no_memory(err);
    keep(sample, all_on, 0, 1);
    sample->n = 1;
    *ret = sample;
    return XPL_OK;
}

/* ---- does it repeat itself ---- */

static double largest_difference(const struct xpl_sample *sample, const double *again)
{
    double largest = 0;

    for (uint32_t c = 0; c < sample->in->n_classes; c++)
        largest = fmax(largest, fabs(again[c] - sample->all_on[c]));
    return largest;
}

/* Mean and deviation of one class over n answers. */
static void take_moments(const double *answers, size_t n, uint32_t n_classes, uint32_t c, double *ret_mean,
                         double *ret_deviation)
{
    double sum = 0, squares = 0;

    for (size_t i = 0; i < n; i++)
        sum += answers[i * n_classes + c];
    *ret_mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (answers[i * n_classes + c] - *ret_mean) * (answers[i * n_classes + c] - *ret_mean);
    *ret_deviation = sqrt(squares / (double)(n - 1));
}

/* Some answers more to "all on", and what all of them say of its noise. `again` = the second one. */
static enum xpl_status measure_noise(struct xpl_sample *sample, const double *again, size_t more, struct xpl_error *err)
{
    uint32_t n_classes = sample->in->n_classes;
    size_t row = n_classes * sizeof *again;
    double *answers = XPL_NEW_ARRAY(sample->arena, double, (more + 2) * n_classes);
    xpl_mask masks[REPEATS];
    enum xpl_status st;

    sample->noise = XPL_NEW_ARRAY(sample->arena, double, sample->n_kept);
    sample->usual = XPL_NEW_ARRAY(sample->arena, double, sample->n_kept);
    if (!answers || !sample->noise || !sample->usual)
        return xpl_no_memory(err);
    memcpy(answers, sample->all_on, row);
    memcpy(answers + n_classes, again, row);
    for (size_t i = 0; i < more; i++)
        masks[i] = sample->design->masks[0];
    if (more > 0 && (st = score_masks(sample, masks, more, err)))
        return st;
    sample->repeats += more;
    memcpy(answers + (size_t)2 * n_classes, sample->scratch, more * row);
    for (uint32_t k = 0; k < sample->n_kept; k++)
        take_moments(answers, more + 2, n_classes, sample->kept[k], &sample->usual[k], &sample->noise[k]);
    return XPL_OK;
}

/* n masks from `first` on, and "all on" once more, in one batch. */
static enum xpl_status score_with_repeat(struct xpl_sample *sample, size_t first, size_t n, struct xpl_error *err)
{
    xpl_mask *masks = XPL_NEW_ARRAY(sample->arena, xpl_mask, n + 1);
    enum xpl_status st;

    if (!masks)
        return xpl_no_memory(err);
    memcpy(masks, sample->design->masks + first, n * sizeof *masks);
    masks[n] = sample->design->masks[0];
    if ((st = score_masks(sample, masks, n + 1, err)))
        return st;
    sample->repeats = 1;
    sample->difference = largest_difference(sample, sample->scratch + n * sample->in->n_classes);
    return XPL_OK;
}

enum xpl_status xpl_sample_extend(struct xpl_sample *sample, size_t end, size_t spare, struct xpl_error *err)
{
    size_t more = REPEATS < sample->batch ? REPEATS : sample->batch, n;

    for (size_t first = sample->n; first < end; first += n) {
        bool with_repeat = spare > 0 && first == 1;
        enum xpl_status st;

        n = end - first < sample->batch ? end - first : sample->batch;
        if ((st = with_repeat ? score_with_repeat(sample, first, n, err) : score(sample, first, n, err)))
            return st;
        keep(sample, sample->scratch, first, n);
        if (with_repeat && sample->difference > REPEATABLE &&
            (st = measure_noise(sample, sample->scratch + n * sample->in->n_classes,
                                more < spare - 1 ? more : spare - 1, err)))
            return st;
    }
    sample->n = end;
    return XPL_OK;
}

enum xpl_status xpl_sample_score_apart(struct xpl_sample *sample, const xpl_mask *masks, size_t n, double *ret_scores,
                                       struct xpl_error *err)
{
    enum xpl_status st = score_masks(sample, masks, n, err);

    for (uint32_t k = 0; !st && k < sample->n_kept; k++)
        for (size_t i = 0; i < n; i++)
            ret_scores[k * n + i] = sample->scratch[i * sample->in->n_classes + sample->kept[k]];
    return st;
}
