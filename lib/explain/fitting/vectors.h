/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over vectors whose order is fixed and lets a processor take several numbers at a time. */
#ifndef XPL_EXPLAIN_VECTORS_H
#define XPL_EXPLAIN_VECTORS_H

#include <stddef.h>

#define XPL_DOT_SUMS 4u

/** Sum of a[i] b[i]: four sums side by side, then of these. */
static inline double xpl_dot(const double *restrict a, const double *restrict b, size_t n)
{
    double sums[XPL_DOT_SUMS] = {0};
    size_t i = 0;

    for (; i + XPL_DOT_SUMS <= n; i += XPL_DOT_SUMS)
        for (size_t k = 0; k < XPL_DOT_SUMS; k++)
            sums[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        sums[0] += a[i] * b[i];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

#endif
