/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/trust/quality.h"

#include <math.h>

#include "lib/explain/designs/design.h"

#define HIGH_FROM   0.95
#define WELL_KNOWN  0.25
#define MEDIUM_FROM 0.80
#define NOTICEABLE  0.01 /* of the score */
#define MOST        0.5  /* of what the weights leave open */
#define NO_WEIGHT   1e-9
#define ROUNDED     2e-3 /* sums of two scores of a model that answers three digits */

enum xpl_status xpl_quality_index_build(struct xpl_arena *arena, const xpl_mask *masks, size_t n, uint32_t n_segments,
                                        struct xpl_quality_index *ret, struct xpl_error *err)
{
    enum xpl_status st = xpl_mask_set_init(arena, n, &ret->rows, err);

    ret->n_segments = n_segments;
    for (size_t i = 0; !st && i < n; i++)
        xpl_mask_set_add(&ret->rows, masks[i], (uint32_t)i);
    return st;
}

double xpl_quality_score_of(const struct xpl_quality_index *index, const double *scores, xpl_mask mask)
{
    uint32_t row = xpl_mask_set_find(&index->rows, mask);

    return row == XPL_NO_ROW ? (double)NAN : scores[row];
}

/* The superpixel with the largest weight among those in `left`; of equal ones the lowest. */
static uint32_t largest(const double *weights, uint32_t n_segments, xpl_mask left)
{
    uint32_t best = n_segments;

    for (uint32_t j = 0; j < n_segments; j++)
        if ((left >> j & 1u) && (best == n_segments || weights[j] > weights[best]))
            best = j;
    return best;
}

/* What the score of a mask is, or is predicted to be. */
struct path {
    const struct xpl_quality_index *index;
    const double *scores;
    const struct xpl_surrogate *surrogate; /* or NULL */
    bool predicted;                        /* it was needed */
};

static double score_on(struct path *path, xpl_mask mask)
{
    double score = xpl_quality_score_of(path->index, path->scores, mask);

    if (!isnan(score) || !path->surrogate)
        return score;
    path->predicted = true;
    return xpl_surrogate_at(path->surrogate, mask);
}

/* Trapezoids over the steps of switching one superpixel after the other. */
static double auc(struct path *path, const double *weights, xpl_mask mask)
{
    uint32_t n_segments = path->index->n_segments;
    double sum = 0, before = score_on(path, mask);
    xpl_mask left = xpl_design_all_on(n_segments);

    while (left != 0) {
        xpl_mask next = (xpl_mask)1 << largest(weights, n_segments, left);
        double after = score_on(path, mask ^= next);

        left ^= next;
        sum += 0.5 * (before + after);
        before = after;
    }
    return sum / n_segments;
}

void xpl_quality_aucs(const struct xpl_quality_index *index, const double *scores,
                      const struct xpl_surrogate *surrogate, struct xpl_class_explanation *explained)
{
    struct path path = {.index = index, .scores = scores, .surrogate = surrogate};

    explained->deletion_auc = auc(&path, explained->weights, xpl_design_all_on(index->n_segments));
    explained->insertion_auc = auc(&path, explained->weights, 0);
    explained->auc_predicted = path.predicted;
}

double xpl_quality_sum_gap(const struct xpl_quality_index *index, const double *scores, const double *weights)
{
    double gap = xpl_quality_score_of(index, scores, xpl_design_all_on(index->n_segments)) -
                 xpl_quality_score_of(index, scores, 0);

    for (uint32_t j = 0; j < index->n_segments; j++)
        gap -= weights[j];
    return gap;
}

double xpl_quality_change(const double *scores, size_t n)
{
    double low = scores[0], high = scores[0];

    for (size_t i = 1; i < n; i++) {
        low = fmin(low, scores[i]);
        high = fmax(high, scores[i]);
    }
    return high > 0 ? (high - low) / high : 0;
}

bool xpl_quality_mirrored(const double *one, const double *other, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fabs(one[i] + other[i] - 1) > ROUNDED)
            return false;
    return true;
}

static bool has_weights(const double *weights, uint32_t n_segments)
{
    for (uint32_t j = 0; j < n_segments; j++)
        if (fabs(weights[j]) >= NO_WEIGHT)
            return true;
    return false;
}

/* How far the weights of zones can tell what the model does. */
static const char *judge_fidelity(struct xpl_class_explanation *explained, uint32_t n_segments)
{
    double fidelity = explained->exact ? explained->r2 : explained->q2;
    bool noisy = explained->noise_share > MOST * (1 - fidelity);

    explained->verdict = XPL_VERDICT_LOW;
    if (explained->constant)
        return "No zone matters: the score stays the same whatever is hidden.";
    if (!has_weights(explained->weights, n_segments))
        return "No zone matters by itself: the score depends on combinations of zones only.";
    if (explained->change < NOTICEABLE && explained->change_of_other)
        return "Hardly any zone matters: whatever is hidden, the score changes by less than 1 % of the other class's, "
               "whose mirror image it is. Another fill may show more.";
    if (explained->change < NOTICEABLE)
        return "Hardly any zone matters: whatever is hidden, the score changes by less than 1 % of itself. "
               "Another fill may show more.";
    if (fidelity < MEDIUM_FROM && noisy)
        return "Much of the score is noise of the model's own, which no weights can show.";
    if (fidelity < MEDIUM_FROM)
        return "The zones do not add up: much of the score depends on combinations that single weights cannot show.";
    explained->verdict = fidelity < HIGH_FROM || explained->untried ? XPL_VERDICT_MEDIUM : XPL_VERDICT_HIGH;
    if (explained->untried && fidelity >= HIGH_FROM)
        return "The zones add up on the masks that were scored; they were not tried on others.";
    if (fidelity < HIGH_FROM && noisy)
        return "The zones mostly add up: some of the score is noise of the model's own.";
    return fidelity < HIGH_FROM ? "The zones mostly add up: some of the score depends on combinations of them."
                                : "The zones add up: their weights describe nearly all of the score.";
}

/* How well the weights themselves are known: the widest half interval over the largest weight. */
static double weight_error(const struct xpl_class_explanation *explained, uint32_t n_segments)
{
    double widest = 0, largest = 0;

    if (explained->constant || !has_weights(explained->weights, n_segments))
        return NAN;
    for (uint32_t j = 0; j < n_segments; j++) {
        widest = fmax(widest, 0.5 * (explained->high[j] - explained->low[j]));
        largest = fmax(largest, fabs(explained->weights[j]));
    }
    return widest / largest;
}

enum xpl_status xpl_quality_judge(struct xpl_arena *arena, struct xpl_class_explanation *explained, uint32_t n_segments,
                                  struct xpl_error *err)
{
    double error = explained->weight_error = weight_error(explained, n_segments);
    const char *said = judge_fidelity(explained, n_segments);

    if (isnan(error))
        explained->reason = said;
    else if (error == 0 && explained->unrepeated)
        explained->reason = xpl_arena_printf(
            arena, "%s The weights themselves are exact if the model repeats itself; the budget left no call to see.",
            said);
    else if (error == 0)
        explained->reason = xpl_arena_printf(arena, "%s The weights themselves are exact.", said);
    else if (error < 0.0005)
        explained->reason = xpl_arena_printf(
            arena, "%s The weights themselves are known to less than 0.1 %% of the largest one.", said);
    else if (error >= 1)
        explained->reason =
            xpl_arena_printf(arena, "%s The weights themselves are too uncertain to tell anything.", said);
    else
        explained->reason =
            xpl_arena_printf(arena, "%s The weights themselves are known %sto %.*f %% of the largest one.", said,
                             error < WELL_KNOWN ? "" : "only ", error < 0.01 ? 1 : 0, 100 * error);
    return explained->reason ? XPL_OK : xpl_no_memory(err);
}
