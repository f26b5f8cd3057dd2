/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/estimate.h"

#include <math.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/explain/array.h"
#include "lib/explain/confidence.h"

#define LIME_SAMPLES    5000.0
#define SURROGATE_DOUBT 1e-3 /* of the largest weight: no interval from a surrogate is narrower */
#define SCRATCH_BYTES   ((size_t)64 << 20)

/* ---- all masks ---- */

/* Masks of k superpixels have together the probability share[k] * C(d, k); `share` is that of one of them. */
static void shares_of_masks(uint32_t d, double kernel_width, double *share)
{
    double total = 0, n_masks = 1;

    for (uint32_t k = 0; k <= d; k++) {
        share[k] = xpl_fit_kernel(k, d, kernel_width);
        total += n_masks * share[k];
        n_masks = n_masks * (d - k) / (k + 1);
    }
    for (uint32_t k = 0; k <= d; k++)
        share[k] /= total;
}

/* First and second moments of one superpixel, and of two. */
static void moments(const double *share, uint32_t d, double *ret_mean, double *ret_variance, double *ret_covariance)
{
    double first = 0, second = 0, n_masks = 1;

    for (uint32_t k = 0; k <= d; k++) {
        first += n_masks * share[k] * k;
        second += n_masks * share[k] * k * (k - 1.0);
        n_masks = n_masks * (d - k) / (k + 1);
    }
    *ret_mean = first / d;
    *ret_variance = *ret_mean * (1 - *ret_mean);
    *ret_covariance = second / d / (d - 1) - *ret_mean * *ret_mean;
}

/* The Gram matrix is (v - c) I + c J, so that its inverse is known. */
void xpl_estimate_of_field(const double *field, uint32_t n_segments, double kernel_width, double *ret_coefficients)
{
    double share[XPL_FIT_MAX_SIZE], sums[XPL_MAX_SEGMENTS] = {0}, total = 0, all = 0, m, v, c;
    uint32_t d = n_segments;

    shares_of_masks(d, kernel_width, share);
    moments(share, d, &m, &v, &c);
    for (xpl_mask mask = 0; mask < (xpl_mask)1 << d; mask++) {
        double weighted = share[__builtin_popcountll(mask)] * field[mask];

        total += weighted;
        for (xpl_mask left = mask; left; left &= left - 1)
            sums[__builtin_ctzll(left)] += weighted;
    }
    for (uint32_t j = 0; j < d; j++)
        all += sums[j] - m * total;
    ret_coefficients[0] = total;
    for (uint32_t j = 0; j < d; j++) {
        ret_coefficients[j + 1] = (sums[j] - m * total - c * all / (v - c + d * c)) / (v - c);
        ret_coefficients[0] -= m * ret_coefficients[j + 1];
    }
}

/* ---- the rows ---- */

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
        xpl_estimate_of_field(surrogate->field, fit->rows.n_segments, xpl_fit_kernel_width(&fit->rows), ret);
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

static enum xpl_status learn(struct xpl_arena *arena, struct xpl_arena *scratch, const struct xpl_estimate_rows *rows,
                             const double *scores, struct xpl_surrogate **ret, struct xpl_error *err)
{
    const struct xpl_fit_rows *of = &rows->fit->rows;

    *ret = rows->before ? xpl_surrogate_extend(arena, rows->before, of->masks, of->n, of->n_segments) : NULL;
    return *ret ? XPL_OK : xpl_surrogate_fit(arena, scratch, of->masks, scores, of->n, of->n_segments, ret, err);
}

static enum xpl_status add_surrogate(struct xpl_arena *arena, struct xpl_arena *scratch,
                                     const struct xpl_estimate_rows *rows, const double *scores, double *residuals,
                                     struct xpl_estimate *ret, struct xpl_error *err)
{
    const struct xpl_fit *fit = rows->fit;
    size_t n = fit->rows.n;
    double corrected[XPL_FIT_MAX_SIZE], *predicted = XPL_NEW_ARRAY(scratch, double, n);
    struct xpl_surrogate *surrogate;
    enum xpl_status st;

    if (!predicted)
        return xpl_no_memory(err);
    if ((st = learn(arena, scratch, rows, scores, &surrogate, err)) || !surrogate)
        return st;
    for (size_t i = 0; i < n; i++)
        predicted[i] = scores[i] - surrogate->left_out[i];
    ret->left_out_variance = weighted_squares(fit, predicted);
    ret->surrogate_q2 = 1 - ret->left_out_variance / ret->linear.variation;
    ret->left_out_variance /= sum_of(fit->weight, n);
    if ((st = weights_of_surrogate(scratch, rows, surrogate, corrected, err)))
        return st;
    correct(fit, predicted, corrected);
    blend(fit, residuals, predicted, corrected, ret);
    ret->surrogate = surrogate;
    return XPL_OK;
}

static void finish(const struct xpl_fit *fit, const double *residuals, struct xpl_estimate *ret)
{
    ret->error = sqrt(xpl_confidence_spread(fit, residuals, ret->standard_errors));
    for (uint32_t j = 0; j < fit->rows.n_segments; j++)
        ret->standard_errors[j] = sqrt(ret->standard_errors[j]);
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
    double squares[XPL_MAX_SEGMENTS];
    enum xpl_status st = XPL_OK;

    if (!residuals)
        return xpl_no_memory(err);
    *ret = (struct xpl_estimate){.surrogate_q2 = NAN};
    xpl_fit_solve(fit, scores, &ret->linear);
    ret->q2 = xpl_confidence_q2(fit, scores, &ret->linear);
    memcpy(ret->coefficients, ret->linear.coefficients, sizeof ret->coefficients);
    if (ret->linear.constant)
        return XPL_OK;
    xpl_confidence_residuals(fit, scores, &ret->linear, residuals);
    ret->lime_error = sqrt(xpl_confidence_spread(fit, residuals, squares) * (double)fit->rows.n / LIME_SAMPLES);
    if (rows->with_surrogate)
        st = add_surrogate(arena, scratch, rows, scores, residuals, ret, err);
    finish(fit, residuals, ret);
    return st;
}

void xpl_estimate_intervals(const struct xpl_estimate *estimate, uint32_t n_segments, double confidence,
                            enum xpl_interval_kind kind, uint32_t looks, struct xpl_intervals *ret)
{
    double together = looks ? 1 - (1 - confidence) / ((double)n_segments * looks) : confidence;
    double factor = xpl_confidence_factor(confidence, kind), strict = xpl_confidence_factor(together, kind);
    bool has_surrogate = kind == XPL_INTERVAL_SURROGATE || kind == XPL_INTERVAL_ADAPTIVE;
    double largest = 0, least;

    for (uint32_t j = 0; j < n_segments; j++)
        largest = fmax(largest, fabs(estimate->coefficients[j + 1]));
    least = has_surrogate ? SURROGATE_DOUBT * largest : 0;
    for (uint32_t j = 0; j < n_segments; j++) {
        double weight = estimate->coefficients[j + 1], error = estimate->standard_errors[j];
        double half = kind == XPL_INTERVAL_EXACT ? 0 : fmax(factor * error, least);

        ret->low[j] = weight - half;
        ret->high[j] = weight + half;
        ret->decisions[j] = estimate->linear.constant
                                ? XPL_NEGLIGIBLE
                                : xpl_confidence_decide(weight, half > 0 ? fmax(strict * error, half) : 0, largest);
    }
}
