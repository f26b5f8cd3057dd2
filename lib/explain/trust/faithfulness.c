/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/trust/faithfulness.h"

#include <math.h>

#include "lib/explain/fitting/field.h"

#define TOP    5u
#define GROUPS 8u

/* 1 - R2 of the additive picture `coefficients` of a function known at all masks. */
static double left_over(const struct xpl_fit *fit, const double *field, const double *coefficients)
{
    uint32_t d = fit->rows.n_segments;
    struct xpl_fit_result additive = {0};
    double kernel[XPL_FIT_MAX_SIZE], total = 0, mean = 0, variation = 0, rest = 0;

    for (uint32_t k = 0; k <= d; k++)
        kernel[k] = xpl_fit_kernel(k, d, xpl_fit_kernel_width(&fit->rows));
    for (uint32_t c = 0; c <= d; c++)
        additive.coefficients[c] = coefficients[c];
    for (xpl_mask mask = 0; mask >> d == 0; mask++) {
        double weight = kernel[__builtin_popcountll(mask)];

        total += weight;
        mean += weight * field[mask];
    }
    mean /= total;
    for (xpl_mask mask = 0; mask >> d == 0; mask++) {
        double weight = kernel[__builtin_popcountll(mask)], away = field[mask] - mean;
        double residual = field[mask] - xpl_fit_predict(&additive, d, mask);

        variation += weight * away * away;
        rest += weight * residual * residual;
    }
    return variation > 0 ? rest / variation : (double)NAN;
}

static double share(double x)
{
    return fmin(fmax(x, 0), 1);
}

double xpl_not_additive(const struct xpl_fit *fit, const struct xpl_estimate *estimate, bool exact)
{
    double coefficients[XPL_FIT_MAX_SIZE], known = share(estimate->surrogate_q2), not_shown;

    if (estimate->linear.constant)
        return NAN;
    if (exact)
        return 1 - estimate->linear.r2;
    if (!estimate->surrogate || !estimate->surrogate->field)
        return NAN;
    xpl_field_weights(estimate->surrogate->field, fit->rows.n_segments, xpl_fit_kernel_width(&fit->rows), coefficients);
    not_shown = known * left_over(fit, estimate->surrogate->field, coefficients) + 1 - known;
    return fmin(not_shown, 1 - share(estimate->q2));
}

double xpl_infidelity(const struct xpl_fit *fit, const double *scores, const double *weights)
{
    uint32_t d = fit->rows.n_segments;
    double mean = 0, variance = 0, wrong = 0;

    for (size_t i = 0; i < fit->rows.n; i++)
        mean += scores[i] / (double)fit->rows.n;
    for (size_t i = 0; i < fit->rows.n; i++) {
        double said = 0, away = scores[i] - mean;

        for (uint32_t j = 0; j < d; j++)
            said += fit->rows.masks[i] >> j & 1u ? 0 : weights[j];
        variance += away * away;
        wrong += (said - (scores[0] - scores[i])) * (said - (scores[0] - scores[i]));
    }
    return variance > 1e-12 ? wrong / variance : (double)NAN;
}

/* The heaviest superpixels as a mask. */
static xpl_mask top_of(const double *weights, uint32_t d)
{
    xpl_mask top = 0;

    for (uint32_t k = 0; k < TOP; k++) {
        uint32_t best = d;

        for (uint32_t j = 0; j < d; j++)
            if (!(top >> j & 1u) && (best == d || fabs(weights[j]) > fabs(weights[best])))
                best = j;
        top |= (xpl_mask)1 << best;
    }
    return top;
}

/* To first order in the rows left out: each takes its leave-one-out step. */
double xpl_top_stability(const struct xpl_fit *fit, const double *scores, const struct xpl_fit_result *linear)
{
    uint32_t d = fit->rows.n_segments;
    xpl_mask whole;
    double sum = 0;

    if (d <= TOP || linear->constant)
        return NAN;
    whole = top_of(linear->coefficients + 1, d);
    for (size_t group = 0; group < GROUPS; group++) {
        double weights[XPL_MAX_SEGMENTS];
        xpl_mask top;

        for (uint32_t j = 0; j < d; j++)
            weights[j] = linear->coefficients[j + 1];
        for (size_t i = group; i < fit->rows.n; i += GROUPS) {
            double residual = scores[i] - xpl_fit_predict(linear, d, fit->rows.masks[i]);
            double step = xpl_fit_repeats(fit, i) * residual / fmax(1 - fit->leverage[i], 1e-9);

            for (uint32_t j = 0; j < d; j++)
                weights[j] -= fit->operator[i * fit->size + j + 1] * step;
        }
        top = top_of(weights, d);
        sum += (double)__builtin_popcountll(top & whole) / __builtin_popcountll(top | whole);
    }
    return sum / GROUPS;
}
