/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/fitting/cholesky.h"

#include <math.h>
#include <string.h>

#include "lib/base/processors.h"

/* target -= factor x source */
static void subtract(double *restrict target, const double *restrict source, double factor, size_t n)
{
    for (size_t i = 0; i < n; i++)
        target[i] -= factor * source[i];
}

XPL_FOR_EACH_PROCESSOR bool xpl_cholesky(double *a, size_t n, double *column)
{
    for (size_t k = 0; k < n; k++) {
        double pivot = a[k * n + k];

        if (!(pivot > 0))
            return false;
        pivot = sqrt(pivot);
        a[k * n + k] = pivot;
        for (size_t i = k + 1; i < n; i++)
            column[i] = a[i * n + k] /= pivot;
        for (size_t i = k + 1; i < n; i++)
            subtract(a + i * n + k + 1, column + k + 1, column[i], i - k);
    }
    return true;
}

void xpl_cholesky_forward(const double *l, size_t n, double *b)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            b[i] -= l[i * n + k] * b[k];
        b[i] /= l[i * n + i];
    }
}

XPL_FOR_EACH_PROCESSOR void xpl_cholesky_invert(const double *l, size_t n, double *ret)
{
    for (size_t i = 0; i < n; i++) {
        double *row = ret + i * n;

        memset(row, 0, (i + 1) * sizeof *row);
        row[i] = 1;
        for (size_t k = 0; k < i; k++)
            subtract(row, ret + k * n, l[i * n + k], k + 1);
        for (size_t k = 0; k <= i; k++)
            row[k] /= l[i * n + i];
    }
}
