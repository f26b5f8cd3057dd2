/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Symmetric positive definite matrices of some hundred rows. Row-major, n x n, lower triangles. Inner loops run along
 * rows, so that compilers vectorise them without changing the order of any sum.
 */
#ifndef XPL_EXPLAIN_CHOLESKY_H
#define XPL_EXPLAIN_CHOLESKY_H

#include <stdbool.h>
#include <stddef.h>

/** Factors `a` = L L' in place; `column` is scratch of n. False when `a` is not positive definite. */
bool xpl_cholesky(double *a, size_t n, double *column);

/** Solves L x = b in place of `b`. */
void xpl_cholesky_forward(const double *l, size_t n, double *b);

/** Writes the lower triangle of L^-1 into `ret`. */
void xpl_cholesky_invert(const double *l, size_t n, double *ret);

#endif
