/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/fitting/fit.h"

#include <math.h>
#include <string.h>

#define CONSTANT_BELOW 1e-12 /* weighted sum of squares */

struct matrix {
    double at[XPL_FIT_MAX_SIZE][XPL_FIT_MAX_SIZE];
};

double xpl_fit_kernel(uint32_t shown, uint32_t n_segments, double width)
{
    double distance = 1.0 - sqrt((double)shown / (double)n_segments);

    /* Rounded, because exp differs in its last bit between processors. */
    return nearbyint(exp(-distance * distance / (2 * width * width)) * 0x1p40) * 0x1p-40;
}

static double bit(xpl_mask mask, uint32_t segment)
{
    return (double)(mask >> segment & 1u);
}

/* x_i: a one for the intercept, then the mask's bits. */
static double regressor(xpl_mask mask, uint32_t column)
{
    return column == 0 ? 1.0 : bit(mask, column - 1);
}

/* G = sum of repeats x w x x x', lower half. */
static void gram(const struct xpl_fit *fit, struct matrix *ret)
{
    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; i < fit->rows.n; i++) {
        double weight = fit->weight[i] * xpl_fit_repeats(fit, i);
        xpl_mask mask = fit->rows.masks[i];

        for (uint32_t r = 0; r < fit->size; r++)
            for (uint32_t c = 0; c <= r; c++)
                ret->at[r][c] += weight * regressor(mask, r) * regressor(mask, c);
    }
    for (uint32_t r = 1; r < fit->size; r++)
        ret->at[r][r] += fit->rows.ridge;
}

/* Cholesky in place: lower triangle. False when the matrix is not positive definite. */
static bool factor(struct matrix *m, uint32_t size)
{
    for (uint32_t c = 0; c < size; c++) {
        double diagonal = m->at[c][c], scale = diagonal;

        for (uint32_t k = 0; k < c; k++)
            diagonal -= m->at[c][k] * m->at[c][k];
        if (!(diagonal > 1e-12 * scale))
            return false;
        m->at[c][c] = sqrt(diagonal);
        for (uint32_t r = c + 1; r < size; r++) {
            double sum = m->at[r][c];

            for (uint32_t k = 0; k < c; k++)
                sum -= m->at[r][k] * m->at[c][k];
            m->at[r][c] = sum / m->at[c][c];
        }
    }
    return true;
}

/* Solves L L' x = x in place. */
static void substitute(const struct matrix *m, uint32_t size, double *x)
{
    for (uint32_t r = 0; r < size; r++) {
        for (uint32_t k = 0; k < r; k++)
            x[r] -= m->at[r][k] * x[k];
        x[r] /= m->at[r][r];
    }
    for (uint32_t r = size; r-- > 0;) {
        for (uint32_t k = r + 1; k < size; k++)
            x[r] -= m->at[k][r] * x[k];
        x[r] /= m->at[r][r];
    }
}

static void fill_operator(struct xpl_fit *fit, const struct matrix *cholesky)
{
    for (size_t i = 0; i < fit->rows.n; i++) {
        double *row = fit->operator+ i * fit->size;

        for (uint32_t c = 0; c < fit->size; c++)
            row[c] = fit->weight[i] * regressor(fit->rows.masks[i], c);
        substitute(cholesky, fit->size, row);
        for (uint32_t c = 0; c < fit->size; c++)
            fit->leverage[i] += row[c] * regressor(fit->rows.masks[i], c);
    }
}

enum xpl_status xpl_fit_factor(struct xpl_arena *arena, const struct xpl_fit_rows *rows, struct xpl_fit **ret,
                               struct xpl_error *err)
{
    struct xpl_fit *fit = XPL_NEW(arena, struct xpl_fit);
    double kernel[XPL_FIT_MAX_SIZE] = {0};
    struct matrix cholesky;

    if (!fit)
        return xpl_no_memory(err);
    fit->rows = *rows;
    fit->size = rows->n_segments + 1;
    fit->weight = XPL_NEW_ARRAY(arena, double, rows->n);
    fit->leverage = XPL_NEW_ARRAY(arena, double, rows->n);
    fit->operator= XPL_NEW_ARRAY(arena, double, rows->n * fit->size);
    if (!fit->weight || !fit->leverage || !fit->operator)
        return xpl_no_memory(err);
    for (uint32_t shown = 0; shown <= rows->n_segments; shown++)
        kernel[shown] = xpl_fit_kernel(shown, rows->n_segments, xpl_fit_kernel_width(rows));
    for (size_t i = 0; i < rows->n; i++)
        fit->weight[i] = kernel[__builtin_popcountll(rows->masks[i])];
    gram(fit, &cholesky);
    if (!factor(&cholesky, fit->size))
        return xpl_fail(err, XPL_INTERNAL, "%zu masks do not determine a linear model of %u superpixels", rows->n,
                        rows->n_segments);
    fill_operator(fit, &cholesky);
    *ret = fit;
    return XPL_OK;
}

static void take_moments(const struct xpl_fit *fit, const double *scores, struct xpl_fit_result *ret)
{
    double total = 0;

    for (size_t i = 0; i < fit->rows.n; i++) {
        double weight = fit->weight[i] * xpl_fit_repeats(fit, i);

        total += weight;
        ret->mean += weight * scores[i];
    }
    ret->mean /= total;
    for (size_t i = 0; i < fit->rows.n; i++) {
        double weight = fit->weight[i] * xpl_fit_repeats(fit, i), deviation = scores[i] - ret->mean;

        ret->variation += weight * deviation * deviation;
    }
    ret->constant = ret->variation < CONSTANT_BELOW;
}

static double unexplained(const struct xpl_fit *fit, const double *scores, const struct xpl_fit_result *result)
{
    double sum = 0;

    for (size_t i = 0; i < fit->rows.n; i++) {
        double residual = scores[i] - xpl_fit_predict(result, fit->rows.n_segments, fit->rows.masks[i]);

        sum += fit->weight[i] * xpl_fit_repeats(fit, i) * residual * residual;
    }
    return sum;
}

void xpl_fit_solve(const struct xpl_fit *fit, const double *scores, struct xpl_fit_result *ret)
{
    memset(ret, 0, sizeof *ret);
    take_moments(fit, scores, ret);
    if (ret->constant) {
        ret->coefficients[0] = ret->mean;
        ret->r2 = NAN;
        return;
    }
    for (size_t i = 0; i < fit->rows.n; i++) {
        const double *row = fit->operator+ i * fit->size;
        double deviation = xpl_fit_repeats(fit, i) * (scores[i] - ret->mean);

        for (uint32_t c = 0; c < fit->size; c++)
            ret->coefficients[c] += row[c] * deviation;
    }
    ret->coefficients[0] += ret->mean;
    ret->r2 = 1.0 - unexplained(fit, scores, ret) / ret->variation;
}

double xpl_fit_predict(const struct xpl_fit_result *result, uint32_t n_segments, xpl_mask mask)
{
    double sum = result->coefficients[0];

    for (uint32_t j = 0; j < n_segments; j++)
        sum += bit(mask, j) * result->coefficients[j + 1];
    return sum;
}
