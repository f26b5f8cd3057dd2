/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/estimate.h"

#include <math.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/explain/confidence.h"
#include "lib/explain/surrogate.h"

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

/* A g + A (f - g). */
static void correct(const struct xpl_fit *fit, const double *field, const double *residuals, double *ret_coefficients)
{
    xpl_estimate_of_field(field, fit->rows.n_segments, xpl_fit_kernel_width(&fit->rows), ret_coefficients);
    for (size_t i = 0; i < fit->rows.n; i++)
        for (uint32_t c = 0; c < fit->size; c++)
            ret_coefficients[c] += fit->operator[i * fit->size + c] * residuals[i];
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

static enum xpl_status add_surrogate(struct xpl_arena *arena, struct xpl_arena *scratch, const struct xpl_fit *fit,
                                     const double *scores, double *residuals, struct xpl_estimate *ret,
                                     struct xpl_error *err)
{
    size_t n = fit->rows.n, all = (size_t)1 << fit->rows.n_segments;
    double corrected[XPL_FIT_MAX_SIZE], *predicted = XPL_NEW_ARRAY(scratch, double, n);
    struct xpl_surrogate *surrogate;
    enum xpl_status st;

    if (!predicted)
        return xpl_no_memory(err);
    st = xpl_surrogate_fit(scratch, fit->rows.masks, scores, n, fit->rows.n_segments, &surrogate, err);
    if (st || !surrogate)
        return st;
    for (size_t i = 0; i < n; i++)
        predicted[i] = scores[i] - surrogate->left_out[i];
    ret->left_out_variance = weighted_squares(fit, predicted);
    ret->surrogate_q2 = 1 - ret->left_out_variance / ret->linear.variation;
    ret->left_out_variance /= sum_of(fit->weight, n);
    correct(fit, surrogate->field, predicted, corrected);
    blend(fit, residuals, predicted, corrected, ret);
    ret->field = xpl_arena_copy(arena, surrogate->field, all * sizeof *ret->field);
    return ret->field ? XPL_OK : xpl_no_memory(err);
}

static void finish(const struct xpl_fit *fit, const double *residuals, struct xpl_estimate *ret)
{
    ret->error = sqrt(xpl_confidence_spread(fit, residuals, ret->standard_errors));
    for (uint32_t j = 0; j < fit->rows.n_segments; j++)
        ret->standard_errors[j] = sqrt(ret->standard_errors[j]);
}

enum xpl_status xpl_estimate_class(struct xpl_arena *arena, const struct xpl_fit *fit, const double *scores,
                                   bool with_surrogate, struct xpl_estimate *ret, struct xpl_error *err)
{
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
    if (with_surrogate)
        st = add_surrogate(arena, scratch, fit, scores, residuals, ret, err);
    finish(fit, residuals, ret);
    return st;
}

void xpl_estimate_intervals(const struct xpl_estimate *estimate, uint32_t n_segments, double confidence,
                            enum xpl_interval_kind kind, struct xpl_intervals *ret)
{
    double factor = xpl_confidence_factor(confidence, kind), largest = 0, least;

    for (uint32_t j = 0; j < n_segments; j++)
        largest = fmax(largest, fabs(estimate->coefficients[j + 1]));
    least = kind == XPL_INTERVAL_SURROGATE ? SURROGATE_DOUBT * largest : 0;
    for (uint32_t j = 0; j < n_segments; j++) {
        double weight = estimate->coefficients[j + 1], half = fmax(factor * estimate->standard_errors[j], least);

        if (kind == XPL_INTERVAL_EXACT)
            half = 0;
        ret->low[j] = weight - half;
        ret->high[j] = weight + half;
        ret->decisions[j] = estimate->linear.constant ? XPL_NEGLIGIBLE : xpl_confidence_decide(weight, half, largest);
    }
}
