/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/fitting/estimate.h"

#include <math.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/explain/designs/array.h"
#include "lib/explain/designs/octacode.h"
#include "lib/explain/fitting/confidence.h"
#include "lib/explain/fitting/field.h"

#define LIME_SAMPLES    5000.0
#define SURROGATE_DOUBT 1e-3 /* of the largest weight: no interval from a surrogate is narrower, */
#define UNTRIED_DOUBT   1e-2 /* nor one of a small design that was not tried on other masks */
#define DOUBT           2.0  /* what standard errors are multiplied with then */
#define USUAL_KURTOSIS  6.0  /* of residuals: twice that of many small causes; beyond it few rows make them, */
#define RARE_SHARE      0.7  /* and a surrogate may be wrong of their squares by so much of one row's share */
#define SCRATCH_BYTES   ((size_t)64 << 20)

static double sum_of(const double *numbers, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += numbers[i];
    return sum;
}

static double weighted_squares(const struct xpl_fit *fit, const double *residuals)
{
    double sum = 0;

    for (size_t i = 0; i < fit->rows.n; i++)
        sum += fit->weight[i] * residuals[i] * residuals[i];
    return sum;
}

/* A g: over all masks, or over the rows that stand for them. */
static enum xpl_status weights_of_surrogate(struct xpl_arena *scratch, const struct xpl_estimate_rows *rows,
                                            const struct xpl_surrogate *surrogate, double *ret, struct xpl_error *err)
{
    const struct xpl_fit *fit = rows->fit, *whole = rows->whole;
    struct xpl_fit_result result;
    double *values;

    if (surrogate->field) {
        xpl_field_weights(surrogate->field, fit->rows.n_segments, xpl_fit_kernel_width(&fit->rows), ret);
        return XPL_OK;
    }
    if (!(values = XPL_NEW_ARRAY(scratch, double, whole->rows.n)))
        return xpl_no_memory(err);
    for (size_t i = 0; i < whole->rows.n; i++)
        values[i] = xpl_surrogate_at(surrogate, whole->rows.masks[i]);
    xpl_fit_solve(whole, values, &result);
    memcpy(ret, result.coefficients, sizeof result.coefficients);
    return XPL_OK;
}

/* + A (f - g). */
static void correct(const struct xpl_fit *fit, const double *residuals, double *coefficients)
{
    for (size_t i = 0; i < fit->rows.n; i++)
        for (uint32_t c = 0; c < fit->size; c++)
            coefficients[c] += fit->operator[i * fit->size + c] * residuals[i];
}

/* `linear` and `predicted` are residuals of the two; the first is overwritten by those of the blend. */
static void blend(const struct xpl_fit *fit, double *linear, const double *predicted, const double *corrected,
                  struct xpl_estimate *ret)
{
    double squares[XPL_MAX_SEGMENTS], of_linear = xpl_confidence_spread(fit, linear, squares),
                                      of_surrogate = xpl_confidence_spread(fit, predicted, squares), share;

    share = of_linear + of_surrogate > 0 ? of_linear / (of_linear + of_surrogate) : 0;
    for (uint32_t c = 0; c < fit->size; c++)
        ret->coefficients[c] += share * (corrected[c] - ret->coefficients[c]);
    for (size_t i = 0; i < fit->rows.n; i++)
        linear[i] += share * (predicted[i] - linear[i]);
}

/* Below the code's own size a surrogate promises too much. */
static bool is_balanced(const struct xpl_estimate_rows *rows)
{
    return rows->mode != XPL_DESIGN_ADAPTIVE && rows->fit->rows.n >= XPL_OCTACODE_WORDS;
}

enum xpl_interval_kind xpl_estimate_shapley_kind(enum xpl_design_mode mode, bool exact, size_t n)
{
    if (exact)
        return XPL_INTERVAL_EXACT;
    return mode == XPL_DESIGN_ARRAY && n < XPL_OCTACODE_WORDS ? XPL_INTERVAL_SHAPLEY_FEW : XPL_INTERVAL_SHAPLEY;
}

/* The surrogate's own weights `whole` are half of the answer, or less where the blend is surer than they are. */
static void add_field(const struct xpl_fit *fit, const double *residuals, const double *whole, struct xpl_estimate *ret)
{
    double squares[XPL_MAX_SEGMENTS], of_blend = xpl_confidence_spread(fit, residuals, squares), of_field = 0;

    for (uint32_t j = 0; j < fit->rows.n_segments; j++)
        of_field += ret->surrogate->doubt[j] * ret->surrogate->doubt[j];
    ret->field_share = of_field > of_blend ? of_blend / (of_blend + of_field) : 0.5;
    ret->with_field = true;
    for (uint32_t c = 0; c < fit->size; c++)
        ret->coefficients[c] += ret->field_share * (whole[c] - ret->coefficients[c]);
}

static enum xpl_status add_surrogate(struct xpl_arena *arena, struct xpl_arena *scratch,
                                     const struct xpl_estimate_rows *rows, const double *scores, double *residuals,
                                     struct xpl_estimate *ret, struct xpl_error *err)
{
    const struct xpl_fit *fit = rows->fit;
    size_t n = fit->rows.n;
    struct xpl_surrogate_rows of = {.masks = fit->rows.masks,
                                    .scores = scores,
                                    .n = n,
                                    .n_segments = fit->rows.n_segments,
                                    .kernel_width = xpl_fit_kernel_width(&fit->rows)};
    double whole[XPL_FIT_MAX_SIZE], corrected[XPL_FIT_MAX_SIZE], *predicted = XPL_NEW_ARRAY(scratch, double, n);
    struct xpl_surrogate *surrogate;
    enum xpl_status st;

    if (!predicted)
        return xpl_no_memory(err);
    if (ret->q2 < rows->enough)
        of.further = rows->further;
    if ((st = xpl_surrogate_fit(arena, scratch, &of, &surrogate, err)) || !surrogate)
        return st;
    for (size_t i = 0; i < n; i++)
        predicted[i] = scores[i] - surrogate->left_out[i];
    ret->left_out_variance = weighted_squares(fit, predicted);
    ret->surrogate_q2 = 1 - ret->left_out_variance / ret->linear.variation;
    ret->left_out_variance /= sum_of(fit->weight, n);
    ret->surrogate = surrogate;
    ret->doubtful = ret->q2 < XPL_DOUBTFUL_Q2 || surrogate->hard;
    if (ret->q2 < XPL_DOUBTFUL_Q2 && ret->surrogate_q2 > XPL_TOO_GOOD_Q2)
        return XPL_OK;
    if ((st = weights_of_surrogate(scratch, rows, surrogate, whole, err)))
        return st;
    memcpy(corrected, whole, sizeof corrected);
    correct(fit, predicted, corrected);
    blend(fit, residuals, predicted, corrected, ret);
    if (is_balanced(rows) && surrogate->field)
        add_field(fit, residuals, whole, ret);
    if (rows->mode == XPL_DESIGN_ADAPTIVE && !surrogate->field)
        for (uint32_t c = 0; c < fit->size; c++)
            ret->coefficients[c] = 0.5 * (ret->coefficients[c] + whole[c]);
    return XPL_OK;
}

/* Where the surrogate's own weights are a part of the answer, so is its doubt. */
static void finish(const struct xpl_fit *fit, const double *residuals, struct xpl_estimate *ret)
{
    double of_blend = xpl_confidence_spread(fit, residuals, ret->standard_errors), of_field = 0;

    for (uint32_t j = 0; j < fit->rows.n_segments; j++) {
        double square = ret->standard_errors[j];

        if (ret->with_field) {
            double doubt = ret->surrogate->doubt[j] * ret->surrogate->doubt[j];

            of_field += doubt;
            square += ret->field_share * (doubt - square);
        }
        ret->standard_errors[j] = (ret->with_field && ret->doubtful ? DOUBT : 1) * sqrt(square);
    }
    ret->error = sqrt(of_blend) + ret->field_share * (sqrt(of_field) - sqrt(of_blend));
}

/*
 * Rows that stand for all masks err themselves, like the linear fit of a design of as many. In standard errors, which
 * are multiplied with another factor later.
 */
static double share_of_whole(const struct xpl_estimate_rows *rows)
{
    enum xpl_interval_kind kind = rows->mode == XPL_DESIGN_ADAPTIVE ? XPL_INTERVAL_ADAPTIVE : XPL_INTERVAL_SURROGATE;
    double factor = xpl_confidence_factor(0.95, XPL_INTERVAL_DESIGN) / xpl_confidence_factor(0.95, kind);

    return fmin(factor * factor * (double)rows->fit->rows.n / (double)rows->whole->rows.n, 1);
}

enum xpl_status xpl_estimate_whole(struct xpl_arena *arena, uint32_t n_segments, double kernel_width,
                                   struct xpl_fit **ret, struct xpl_error *err)
{
    struct xpl_fit_rows rows = {.n_segments = n_segments, .kernel_width = kernel_width};
    struct xpl_array array;
    xpl_mask *masks;

    *ret = NULL;
    if (n_segments <= XPL_FIELD_SEGMENTS)
        return XPL_OK;
    xpl_array_build(n_segments, &array);
    rows.n = xpl_array_rows(array.most_bits);
    if (!(rows.masks = masks = XPL_NEW_ARRAY(arena, xpl_mask, rows.n)))
        return xpl_no_memory(err);
    for (uint32_t x = 0; x < rows.n / 2; x++) {
        masks[2 * x] = xpl_array_row(&array, x);
        masks[2 * x + 1] = masks[2 * x] ^ masks[0]; /* its complement: row 0 shows everything */
    }
    return xpl_fit_factor(arena, &rows, ret, err);
}

enum xpl_status xpl_estimate_class(struct xpl_arena *arena, const struct xpl_estimate_rows *rows, const double *scores,
                                   struct xpl_estimate *ret, struct xpl_error *err)
{
    const struct xpl_fit *fit = rows->fit;
    XPL_AUTO(xpl_arena) scratch = xpl_arena_new(SCRATCH_BYTES);
    double *residuals = scratch ? XPL_NEW_ARRAY(scratch, double, fit->rows.n) : NULL;
    enum xpl_status st = XPL_OK;

    if (!residuals)
        return xpl_no_memory(err);
    *ret = (struct xpl_estimate){.surrogate_q2 = NAN};
    xpl_fit_solve(fit, scores, &ret->linear);
    ret->q2 = xpl_confidence_q2(fit, scores, &ret->linear);
    memcpy(ret->coefficients, ret->linear.coefficients, sizeof ret->coefficients);
    if (ret->linear.constant)
        return XPL_OK;
    ret->unseen = xpl_confidence_unseen(fit, scores);
    xpl_confidence_residuals(fit, scores, &ret->linear, residuals);
    ret->lime_error =
        sqrt(xpl_confidence_spread(fit, residuals, ret->linear_squares) * (double)fit->rows.n / LIME_SAMPLES);
    if (rows->with_surrogate)
        st = add_surrogate(arena, scratch, rows, scores, residuals, ret, err);
    finish(fit, residuals, ret);
    if (rows->whole)
        xpl_estimate_doubt(ret, fit->rows.n_segments, share_of_whole(rows));
    return st;
}

void xpl_estimate_doubt(struct xpl_estimate *estimate, uint32_t n_segments, double share)
{
    double sum = 0;

    if (!estimate->surrogate)
        return;
    for (uint32_t j = 0; j < n_segments; j++) {
        double square = share * estimate->linear_squares[j];

        sum += square;
        estimate->standard_errors[j] = fmax(estimate->standard_errors[j], sqrt(square));
    }
    estimate->error = fmax(estimate->error, sqrt(sum));
}

void xpl_estimate_rare(const struct xpl_estimate_rows *rows, const double *scores, struct xpl_estimate *estimate)
{
    double excess, share;

    if (!estimate->surrogate || estimate->linear.constant || rows->mode != XPL_DESIGN_ARRAY || rows->exact)
        return;
    excess = xpl_confidence_kurtosis(rows->fit, scores, &estimate->linear) - USUAL_KURTOSIS;
    share = RARE_SHARE * fmax(excess, 0) / (double)rows->fit->rows.n;
    for (uint32_t j = 0; j < rows->fit->rows.n_segments; j++)
        estimate->standard_errors[j] = fmax(estimate->standard_errors[j], sqrt(share * estimate->linear_squares[j]));
}

void xpl_estimate_contradict(struct xpl_estimate *estimate, const struct xpl_fit *fit, double mistakes, double variance)
{
    double fidelity = 1 - mistakes / variance, sum = 0;

    estimate->linear.constant = false;
    estimate->q2 = fmin(estimate->q2, fidelity);
    estimate->surrogate_q2 = estimate->surrogate ? fmin(estimate->surrogate_q2, fidelity) : (double)NAN;
    for (uint32_t j = 0; j < fit->rows.n_segments; j++) {
        double square = 0;

        for (size_t i = 0; i < fit->rows.n; i++)
            square += fit->operator[i * fit->size + j + 1] * fit->operator[i * fit->size + j + 1];
        square *= mistakes;
        sum += square;
        estimate->standard_errors[j] = fmax(estimate->standard_errors[j], sqrt(square));
    }
    estimate->error = fmax(estimate->error, sqrt(sum));
}

enum xpl_interval_kind xpl_estimate_interval_kind(const struct xpl_estimate_rows *rows,
                                                  const struct xpl_estimate *estimate)
{
    if (rows->exact)
        return XPL_INTERVAL_EXACT;
    if (rows->mode == XPL_DESIGN_REFERENCE)
        return XPL_INTERVAL_RANDOM;
    if (rows->mode == XPL_DESIGN_ADAPTIVE)
        return XPL_INTERVAL_ADAPTIVE;
    if (!is_balanced(rows))
        return XPL_INTERVAL_SMALL_DESIGN;
    if (estimate->with_field)
        return XPL_INTERVAL_FIELD;
    return estimate->surrogate ? XPL_INTERVAL_SURROGATE : XPL_INTERVAL_DESIGN;
}

void xpl_estimate_intervals(const struct xpl_estimate *estimate, uint32_t n_segments, double confidence,
                            enum xpl_interval_kind kind, uint32_t looks, struct xpl_intervals *ret)
{
    double together = looks ? 1 - (1 - confidence) / ((double)n_segments * looks) : confidence;
    double factor = xpl_confidence_factor(confidence, kind), strict = xpl_confidence_factor(together, kind);
    bool has_surrogate = kind == XPL_INTERVAL_FIELD || kind == XPL_INTERVAL_SURROGATE || kind == XPL_INTERVAL_ADAPTIVE;
    double largest = 0, least;

    for (uint32_t j = 0; j < n_segments; j++)
        largest = fmax(largest, fabs(estimate->coefficients[j + 1]));
    least = (estimate->untried ? UNTRIED_DOUBT : has_surrogate ? SURROGATE_DOUBT : 0) * largest;
    for (uint32_t j = 0; j < n_segments; j++) {
        double weight = estimate->coefficients[j + 1], error = estimate->standard_errors[j];
        double unseen = kind == XPL_INTERVAL_EXACT ? 0 : estimate->unseen;
        double half = kind == XPL_INTERVAL_EXACT ? 0 : fmax(factor * error, least) + unseen;

        ret->low[j] = weight - half;
        ret->high[j] = weight + half;
        ret->decisions[j] =
            estimate->linear.constant
                ? XPL_NEGLIGIBLE
                : xpl_confidence_decide(weight, half > 0 ? fmax(strict * error + unseen, half) : 0, largest);
    }
}
