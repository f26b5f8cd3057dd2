/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/fitting/confidence.h"

#include <math.h>

#define SMALLEST_WEIGHT  1e-6 /* below it a weight is no sign */
#define NEGLIGIBLE_SHARE 0.05 /* of the largest weight */
#define NEAR_AN_END      0.02 /* of the distance of the smallest and the largest score */
#define TWO_VALUES       0.9  /* of the rows are so near to an end */
#define LEVER            2.0  /* what a mask can do to a weight */
#define SMALLEST_FREEDOM 1e-9 /* 1 - leverage; keeps a row that determines itself from dividing by zero */

static double leave_one_out(const struct xpl_fit *fit, const double *scores, const struct xpl_fit_result *result,
                            size_t row)
{
    double residual = scores[row] - xpl_fit_predict(result, fit->rows.n_segments, fit->rows.masks[row]);

    return residual / fmax(1.0 - fit->leverage[row], SMALLEST_FREEDOM);
}

double xpl_confidence_q2(const struct xpl_fit *fit, const double *scores, const struct xpl_fit_result *result)
{
    double sum = 0;

    if (result->constant)
        return NAN;
    for (size_t i = 0; i < fit->rows.n; i++) {
        double residual = leave_one_out(fit, scores, result, i);

        sum += fit->weight[i] * xpl_fit_repeats(fit, i) * residual * residual;
    }
    return 1.0 - sum / result->variation;
}

double xpl_confidence_kurtosis(const struct xpl_fit *fit, const double *scores, const struct xpl_fit_result *result)
{
    double squares = 0, fourth = 0;

    for (size_t i = 0; i < fit->rows.n; i++) {
        double residual = leave_one_out(fit, scores, result, i), square = residual * residual;

        squares += square;
        fourth += square * square;
    }
    return fourth > 0 ? (double)fit->rows.n * fourth / (squares * squares) : 0;
}

void xpl_confidence_residuals(const struct xpl_fit *fit, const double *scores, const struct xpl_fit_result *result,
                              double *ret)
{
    for (size_t i = 0; i < fit->rows.n; i++)
        ret[i] = leave_one_out(fit, scores, result, i);
}

/* SE_j^2 = [G^-1 (sum of w^2 r^2 x x') G^-1]_jj, which is the sum of squares of operator x residual. */
double xpl_confidence_spread(const struct xpl_fit *fit, const double *residuals, double *ret)
{
    double sum = 0;

    for (uint32_t j = 0; j < fit->rows.n_segments; j++)
        ret[j] = 0;
    for (size_t i = 0; i < fit->rows.n; i++) {
        const double *row = fit->operator+ i * fit->size;
        double squared = xpl_fit_repeats(fit, i) * residuals[i] * residuals[i];

        for (uint32_t j = 0; j < fit->rows.n_segments; j++)
            ret[j] += row[j + 1] * row[j + 1] * squared;
    }
    for (uint32_t j = 0; j < fit->rows.n_segments; j++)
        sum += ret[j];
    return sum;
}

static bool has_two_values(const double *scores, size_t n, double low, double high)
{
    double near = NEAR_AN_END * (high - low);
    size_t at_ends = 0;

    for (size_t i = 0; i < n; i++)
        at_ends += scores[i] <= low + near || scores[i] >= high - near;
    return (double)at_ends >= TWO_VALUES * (double)n;
}

double xpl_confidence_unseen(const struct xpl_fit *fit, const double *scores)
{
    double low = INFINITY, high = -INFINITY, n = (double)fit->rows.n;

    for (size_t i = 0; i < fit->rows.n; i++) {
        low = fmin(low, scores[i]);
        high = fmax(high, scores[i]);
    }
    if (!has_two_values(scores, fit->rows.n, low, high))
        return 0;
    return LEVER * (high - low) * 3 / n * fmax(1 - ldexp(n, -(int)fit->rows.n_segments), 0);
}

/* The z with a share of `tail` above it, by bisection. */
static double upper_quantile(double tail)
{
    double low = 0, high = 9;

    for (int i = 0; i < 60; i++) {
        double middle = 0.5 * (low + high);

        if (0.5 * erfc(middle * M_SQRT1_2) > tail)
            low = middle;
        else
            high = middle;
    }
    return nearbyint(low * 0x1p40) * 0x1p-40;
}

double xpl_confidence_factor(double confidence, enum xpl_interval_kind kind)
{
    static const double factors[] = {
        [XPL_INTERVAL_EXACT] = 0.0,        [XPL_INTERVAL_RANDOM] = 1.0,  [XPL_INTERVAL_DESIGN] = 0.75,
        [XPL_INTERVAL_SURROGATE] = 0.9,    [XPL_INTERVAL_FIELD] = 1.2,   [XPL_INTERVAL_ADAPTIVE] = 1.5,
        [XPL_INTERVAL_SMALL_DESIGN] = 1.5, [XPL_INTERVAL_SHAPLEY] = 1.5, [XPL_INTERVAL_SHAPLEY_FEW] = 2.0};

    return upper_quantile(0.5 * (1.0 - confidence)) * factors[kind];
}

enum xpl_decision xpl_confidence_decide(double weight, double half_width, double largest)
{
    if (fabs(weight) + half_width < NEGLIGIBLE_SHARE * largest)
        return XPL_NEGLIGIBLE;
    if (fabs(weight) > half_width && fabs(weight) > SMALLEST_WEIGHT)
        return weight > 0 ? XPL_POSITIVE : XPL_NEGATIVE;
    return XPL_OPEN;
}
