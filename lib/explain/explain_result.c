/* SPDX-License-Identifier: Apache-2.0 */
/* From scores to the answer: every class that was asked for, its quality, what is kept, what is worth a warning. */
#include <math.h>
#include <string.h>

#include "lib/explain/contrast.h"
#include "lib/explain/explain_run.h"
#include "lib/explain/fitting/confidence.h"
#include "lib/explain/trust/faithfulness.h"
#include "lib/explain/trust/quality.h"

#define MAX_WARNINGS 7u

static enum xpl_status allocate_class(struct xpl_run *run, struct xpl_class_explanation *explained,
                                      struct xpl_error *err)
{
    uint32_t d = run->design->n_segments;

    explained->weights = XPL_NEW_ARRAY(run->arena, double, d);
    explained->low = XPL_NEW_ARRAY(run->arena, double, d);
    explained->high = XPL_NEW_ARRAY(run->arena, double, d);
    explained->decisions = XPL_NEW_ARRAY(run->arena, enum xpl_decision, d);
    if (!explained->weights || !explained->low || !explained->high || !explained->decisions)
        return xpl_no_memory(err);
    return XPL_OK;
}

/* Of a model that does not repeat itself all masks are no more than a sample. */
static enum xpl_interval_kind interval_kind(const struct xpl_run *run, uint32_t rank,
                                            const struct xpl_estimate *estimate)
{
    struct xpl_estimate_rows rows = xpl_run_rows(run, rank);

    return rows.exact && run->sample->noise ? XPL_INTERVAL_RANDOM : xpl_estimate_interval_kind(&rows, estimate);
}

/* What one of two classes keeps within a share of itself, the other one keeps as well. */
static void set_change(const struct xpl_run *run, uint32_t position, struct xpl_class_explanation *explained)
{
    const double *scores = xpl_sample_scores(run->sample, position), *others;
    size_t n = run->fit->rows.n;
    double change;

    explained->change = xpl_quality_change(scores, n);
    if (run->in->n_classes != 2)
        return;
    others = xpl_sample_scores(run->sample, 1 - position);
    change = xpl_quality_change(others, n);
    explained->change_of_other = change < explained->change && xpl_quality_mirrored(scores, others, n);
    if (explained->change_of_other)
        explained->change = change;
}

static void set_numbers(const struct xpl_run *run, const struct xpl_quality_index *index, const double *scores,
                        const struct xpl_estimate *estimate, struct xpl_class_explanation *explained)
{
    uint32_t d = run->design->n_segments;
    struct xpl_fit_result shown = {0};

    memcpy(shown.coefficients, estimate->coefficients, sizeof shown.coefficients);
    explained->intercept = estimate->coefficients[0];
    memcpy(explained->weights, estimate->coefficients + 1, d * sizeof *explained->weights);
    explained->constant = estimate->linear.constant;
    explained->exact = xpl_run_last_stage(run)->exact;
    explained->untried = estimate->untried;
    explained->unrepeated = run->sample->repeats == 0;
    explained->r2 = estimate->linear.r2;
    explained->q2 = explained->exact ? (double)NAN : estimate->q2;
    explained->surrogate_q2 = estimate->surrogate_q2;
    explained->local_prediction = xpl_fit_predict(&shown, d, xpl_design_all_on(d));
    explained->sum_gap = xpl_quality_sum_gap(index, scores, explained->weights);
    xpl_quality_aucs(index, scores, estimate->surrogate, explained);
    explained->not_additive = xpl_not_additive(run->fit, estimate, explained->exact);
    explained->infidelity = xpl_infidelity(run->fit, scores, explained->weights);
    explained->top_stability = xpl_top_stability(run->fit, scores, &estimate->linear);
}

/* The classes that decided were estimated at the last look. */
static enum xpl_status estimate_of(struct xpl_run *run, struct xpl_arena *arena, uint32_t rank,
                                   struct xpl_estimate *ret, struct xpl_error *err)
{
    struct xpl_estimate_rows rows = xpl_run_rows(run, rank);
    enum xpl_status st;

    if (rank < run->n_gate) {
        *ret = run->gate[rank];
        return XPL_OK;
    }
    st = xpl_estimate_class(arena, &rows, xpl_sample_scores(run->sample, run->sample->explained[rank]), ret, err);
    if (!st)
        xpl_run_doubt_other(run, rank, ret);
    return st;
}

/* The kernel's weights of all rows. */
static double kernel_sum(const struct xpl_fit *fit)
{
    double sum = 0;

    for (size_t i = 0; i < fit->rows.n; i++)
        sum += fit->weight[i] * xpl_fit_repeats(fit, i);
    return sum;
}

/* Where all masks were scored, each score is still one of many there could have been. Elsewhere residuals hold it. */
static void add_noise(const struct xpl_run *run, uint32_t position, struct xpl_class_explanation *explained,
                      struct xpl_estimate *estimate)
{
    const struct xpl_fit *fit = run->fit;

    if (!run->sample->noise)
        return;
    explained->noise = run->sample->noise[position];
    explained->noise_share = explained->noise * explained->noise * kernel_sum(fit) / estimate->linear.variation;
    for (uint32_t j = 0; xpl_run_last_stage(run)->exact && j < run->design->n_segments; j++) {
        double squares = 0;

        for (size_t i = 0; i < fit->rows.n; i++)
            squares += fit->operator[i * fit->size + j + 1] * fit->operator[i * fit->size + j + 1];
        estimate->standard_errors[j] = explained->noise * sqrt(squares);
    }
}

static enum xpl_status explain_class(struct xpl_run *run, const struct xpl_quality_index *index, uint32_t rank,
                                     struct xpl_class_explanation *explained, struct xpl_error *err)
{
    XPL_AUTO(xpl_arena) scratch = xpl_arena_new(XPL_LOOK_BYTES);
    uint32_t position = run->sample->explained[rank];
    bool adaptive = run->design->mode == XPL_DESIGN_ADAPTIVE;
    struct xpl_estimate_rows rows;
    struct xpl_intervals intervals;
    struct xpl_estimate estimate;
    enum xpl_status st;

    if (!scratch)
        return xpl_no_memory(err);
    if ((st = allocate_class(run, explained, err)) || (st = estimate_of(run, scratch, rank, &estimate, err)))
        return st;
    rows = xpl_run_rows(run, rank);
    xpl_estimate_rare(&rows, xpl_sample_scores(run->sample, position), &estimate);
    explained->index = run->sample->kept[position];
    explained->probability =
        run->sample->usual ? run->sample->usual[position] : xpl_sample_scores(run->sample, position)[0];
    add_noise(run, position, explained, &estimate);
    set_change(run, position, explained);
    set_numbers(run, index, xpl_sample_scores(run->sample, position), &estimate, explained);
    intervals = (struct xpl_intervals){explained->low, explained->high, explained->decisions};
    xpl_estimate_intervals(&estimate, run->design->n_segments, run->in->params.confidence,
                           interval_kind(run, rank, &estimate), adaptive ? run->design->n_stages : 0, &intervals);
    return xpl_quality_judge(run->arena, explained, run->design->n_segments, err);
}

/* What was scored is told, however late it is. */
static enum xpl_status check_cancelled(const struct xpl_run *run, struct xpl_error *err)
{
    struct xpl_error why = {0};
    enum xpl_status st = xpl_interrupted(run->in->interrupt, &why);

    return st && st != XPL_DEADLINE ? xpl_fail(err, st, "%s", why.message) : XPL_OK;
}

static enum xpl_status explain_classes(struct xpl_run *run, struct xpl_error *err)
{
    struct xpl_explanation *result = run->result;
    struct xpl_quality_index index;
    enum xpl_status st =
        xpl_quality_index_build(run->arena, run->design->masks, run->sample->n, run->design->n_segments, &index, err);

    if (st)
        return st;
    result->n_classes = run->sample->n_explained;
    result->classes = XPL_NEW_ARRAY(run->arena, struct xpl_class_explanation, result->n_classes);
    if (!result->classes)
        return xpl_no_memory(err);
    for (uint32_t i = 0; i < result->n_classes; i++)
        if ((st = check_cancelled(run, err)) || (st = explain_class(run, &index, i, &result->classes[i], err)))
            return st;
    return XPL_OK;
}

/* Without a budget the search bounds itself. */
static size_t calls_left(const struct xpl_run *run)
{
    size_t spent = run->sample->n + run->sample->repeats + run->result->held_out,
           budget = xpl_explain_budget(&run->in->params);

    return run->stopped == XPL_STOPPED_DEADLINE || budget < spent ? 0 : budget - spent;
}

static void disprove(struct xpl_contrast *contrast)
{
    contrast->positive.smallest = contrast->positive.irreducible = false;
    contrast->negative.smallest = contrast->negative.irreducible = false;
}

static enum xpl_status find_contrast(struct xpl_run *run, struct xpl_error *err)
{
    XPL_AUTO(xpl_arena) scratch = xpl_arena_new(XPL_LOOK_BYTES);
    const struct xpl_sample *sample = run->sample;
    struct xpl_contrast_search search = {.sample = sample, .budget = calls_left(run)};
    struct xpl_estimate_rows rows = xpl_run_rows(run, 0);
    enum xpl_status st;

    if (!run->in->params.contrastive)
        return XPL_OK;
    if (!scratch)
        return xpl_no_memory(err);
    if ((st = xpl_estimate_class(scratch, &rows, xpl_sample_scores(sample, sample->predicted), &search.predicted,
                                 err)) ||
        (st = xpl_estimate_class(scratch, &rows, xpl_sample_scores(sample, sample->runner_up), &search.runner_up, err)))
        return st;
    st = xpl_contrast_find(scratch, &search, &run->result->contrast, err);
    if (sample->noise) /* the class may have changed by itself */
        disprove(&run->result->contrast);
    return st;
}

static enum xpl_status keep_scores(struct xpl_run *run, struct xpl_error *err)
{
    struct xpl_explanation *result = run->result;
    uint32_t n_kept = run->sample->n_kept;

    result->kept_classes = run->sample->kept;
    result->n_kept = n_kept;
    result->kept_scores = XPL_NEW_ARRAY(run->arena, float, result->calls *n_kept);
    if (!result->kept_scores)
        return xpl_no_memory(err);
    for (uint32_t k = 0; k < n_kept; k++)
        for (size_t i = 0; i < result->calls; i++)
            result->kept_scores[i * n_kept + k] = (float)xpl_sample_scores(run->sample, k)[i];
    return XPL_OK;
}

static void warn(struct xpl_explanation *result, const char *text)
{
    if (text && result->n_warnings < MAX_WARNINGS)
        result->warnings[result->n_warnings++] = text;
}

static void warn_of_fill(struct xpl_run *run)
{
    const struct xpl_fill_effect *fill = run->in->fill;
    const struct xpl_explain_params asked = {.fill = fill ? fill->asked : XPL_FILL_MEAN};
    char used[XPL_FILL_TEXT_SIZE], before[XPL_FILL_TEXT_SIZE];
    const char *text = xpl_fill_text(&run->in->params, used);

    if (!fill)
        return;
    if (fill->replaced)
        warn(run->result,
             xpl_arena_printf(run->arena, "Hiding with \"%s\" changes nothing in this image; \"%s\" took its place.",
                              xpl_fill_text(&asked, before), text));
    if (fill->n_unchanged > 0)
        warn(run->result, xpl_arena_printf(run->arena,
                                           "%u of %u zones look the same when hidden with \"%s\": nothing can be said "
                                           "of them. Use another fill.",
                                           fill->n_unchanged, run->in->segments->count, text));
}

static enum xpl_status add_warnings(struct xpl_run *run, struct xpl_error *err)
{
    struct xpl_explanation *result = run->result;
    double low, high;

    result->warnings = XPL_NEW_ARRAY(run->arena, const char *, MAX_WARNINGS);
    if (!result->warnings)
        return xpl_no_memory(err);
    if (run->in->segments->fell_back)
        warn(result,
             "No usable superpixels were found (the image is uniform, tiny or noise); a grid took their place.");
    if (run->in->image && xpl_pixels_range(run->in->image, &low, &high) == XPL_RANGE_MIN_MAX)
        warn(result, xpl_arena_printf(run->arena,
                                      "The pixel values lie between %g and %g, which is none of the usual ranges; they "
                                      "were stretched for superpixels and pictures.",
                                      low, high));
    warn_of_fill(run);
    if (run->sample->noise)
        warn(result, xpl_arena_printf(run->arena,
                                      "The model does not give the same image the same answer: its probabilities "
                                      "differed by up to %.4f. Intervals include this.",
                                      result->difference));
    if (result->stopped == XPL_STOPPED_BUDGET)
        warn(result, xpl_arena_printf(run->arena,
                                      result->mode == XPL_DESIGN_ADAPTIVE
                                          ? "The explanation ended after its %zu model calls with zones undecided."
                                          : "The budget ended the explanation after %zu model calls.",
                                      result->calls));
    if (result->stopped == XPL_STOPPED_DEADLINE)
        warn(result, xpl_arena_printf(run->arena,
                                      "The deadline ended the explanation; it rests on the %zu model calls of the last "
                                      "complete stage.",
                                      result->calls));
    return XPL_OK;
}

enum xpl_status xpl_run_tell(struct xpl_run *run, struct xpl_error *err)
{
    struct xpl_explanation *result = run->result;
    enum xpl_status st;

    result->design = xpl_run_last_stage(run)->name;
    result->mode = run->design->mode;
    result->why = run->design->why;
    result->stages = run->stages;
    result->exact = xpl_run_last_stage(run)->exact;
    result->stopped = run->stopped;
    result->calls = run->sample->n;
    result->repeats = run->sample->repeats;
    result->held_out = run->held_out ? XPL_HELD_OUT_MASKS : 0;
    result->doubt = run->doubt;
    result->contradicted = run->contradicted;
    result->difference = run->sample->difference;
    result->masks = run->design->masks;
    if ((st = keep_scores(run, err)) || (st = explain_classes(run, err)) || (st = find_contrast(run, err)))
        return st;
    return add_warnings(run, err);
}
