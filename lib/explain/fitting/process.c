/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/fitting/process.h"

#include <math.h>
#include <string.h>

#include "lib/base/processors.h"
#include "lib/explain/fitting/cholesky.h"
#include "lib/explain/fitting/vectors.h"

/* Rounded, because exp and log differ in their last bit between processors. */
static double rounded(double x)
{
    return nearbyint(x * 0x1p40) * 0x1p-40;
}

struct xpl_process *xpl_process_new(struct xpl_arena *arena, const struct xpl_cosets *cosets, size_t count, uint32_t d,
                                    const double *target)
{
    struct xpl_process *p = XPL_NEW(arena, struct xpl_process);
    size_t n = cosets->size * count;

    if (!p)
        return NULL;
    p->cosets = cosets;
    p->count = count;
    p->d = d;
    p->target = target;
    p->n_tables = (d + XPL_TABLE_BITS - 1) / XPL_TABLE_BITS;
    p->products = XPL_NEW_ARRAY(arena, double, cosets->size *count *(count + 1) / 2);
    p->matrix = XPL_NEW_ARRAY(arena, double, n *count);
    p->inverse = XPL_NEW_ARRAY(arena, double, n *count);
    p->values = XPL_NEW_ARRAY(arena, double, n);
    p->alpha = XPL_NEW_ARRAY(arena, double, n);
    p->buffer = XPL_NEW_ARRAY(arena, double, cosets->size);
    p->column = XPL_NEW_ARRAY(arena, double, count);
    if (!p->products || !p->matrix || !p->inverse || !p->values || !p->alpha || !p->buffer || !p->column)
        return NULL;
    xpl_process_transform(p, target, p->values);
    return p;
}

/* ---- the transformed space ---- */

void xpl_process_transform(struct xpl_process *p, const double *rows, double *ret)
{
    const struct xpl_cosets *c = p->cosets;
    double scale = 1 / sqrt((double)c->size);

    for (size_t a = 0; a < p->count; a++) {
        for (size_t x = 0; x < c->size; x++)
            p->buffer[x] = rows[c->row[a * c->size + x]];
        xpl_walsh(p->buffer, c->size);
        for (size_t x = 0; x < c->size; x++)
            ret[x * p->count + a] = p->buffer[x] * scale;
    }
}

void xpl_process_restore(struct xpl_process *p, const double *values, double *ret_rows)
{
    const struct xpl_cosets *c = p->cosets;
    double scale = 1 / sqrt((double)c->size);

    for (size_t a = 0; a < p->count; a++) {
        for (size_t x = 0; x < c->size; x++)
            p->buffer[x] = values[x * p->count + a];
        xpl_walsh(p->buffer, c->size);
        for (size_t x = 0; x < c->size; x++)
            ret_rows[c->row[a * c->size + x]] = p->buffer[x] * scale;
    }
}

/* ---- the matrix ---- */

static void fill_products(double *products, const double *decay, uint32_t n)
{
    products[0] = 1;
    for (uint32_t x = 1; x < 1u << n; x++)
        products[x] = products[x & (x - 1)] * decay[__builtin_ctz(x)];
}

static void fill_tables(struct xpl_process *p)
{
    double decay[XPL_MAX_SEGMENTS];

    for (uint32_t j = 0; j < p->d; j++)
        decay[j] = rounded(exp(-p->theta[j]));
    for (uint32_t t = 0; t < p->n_tables; t++) {
        uint32_t first = t * XPL_TABLE_BITS, left = p->d - first;

        fill_products(p->tables + t * XPL_TABLE_MASKS, decay + first, left < XPL_TABLE_BITS ? left : XPL_TABLE_BITS);
    }
}

double xpl_process_product(const double *tables, uint32_t n_tables, xpl_mask differing)
{
    double result = tables[differing & (XPL_TABLE_MASKS - 1)];

    for (uint32_t t = 1; t < n_tables; t++)
        result *= tables[t * XPL_TABLE_MASKS + (differing >> (t * XPL_TABLE_BITS) & (XPL_TABLE_MASKS - 1))];
    return result;
}

static double *products_of(const struct xpl_process *p, size_t a, size_t b)
{
    return p->products + (a * (a + 1) / 2 + b) * p->cosets->size;
}

static void fill_matrix(struct xpl_process *p)
{
    const struct xpl_cosets *c = p->cosets;
    size_t square = p->count * p->count;

    for (size_t a = 0; a < p->count; a++) {
        for (size_t b = 0; b <= a; b++) {
            double *products = products_of(p, a, b);

            for (size_t x = 0; x < c->size; x++)
                products[x] = xpl_process_product(p->tables, p->n_tables, c->first[a] ^ c->first[b] ^ c->span[x]);
            memcpy(p->buffer, products, c->size * sizeof *products);
            xpl_walsh(p->buffer, c->size);
            p->buffer[0] += (double)c->size; /* the kernel's 1 */
            for (size_t x = 0; x < c->size; x++)
                p->matrix[x * square + a * p->count + b] = p->buffer[x];
        }
    }
    for (size_t x = 0; x < c->size; x++)
        for (size_t a = 0; a < p->count; a++)
            p->matrix[x * square + a * p->count + a] += p->noise;
}

/* alpha = L^-T L^-1 values of one small matrix; returns values' alpha. */
static double solve_one(const double *inverse, size_t n, const double *values, double *alpha)
{
    double fit = 0;

    memset(alpha, 0, n * sizeof *alpha);
    for (size_t i = 0; i < n; i++) {
        double sum = xpl_dot(inverse + i * n, values, i + 1);

        for (size_t k = 0; k <= i; k++)
            alpha[k] += inverse[i * n + k] * sum;
        fit += sum * sum;
    }
    return fit;
}

bool xpl_process_solve(struct xpl_process *p)
{
    size_t m = p->count;

    fill_tables(p);
    fill_matrix(p);
    p->fit = p->log_determinant = 0;
    for (size_t x = 0; x < p->cosets->size; x++) {
        double *matrix = p->matrix + x * m * m, *inverse = p->inverse + x * m * m;

        if (!xpl_cholesky(matrix, m, p->column))
            return false;
        for (size_t a = 0; a < m; a++)
            p->log_determinant += 2 * log(matrix[a * m + a]);
        xpl_cholesky_invert(matrix, m, inverse);
        p->fit += solve_one(inverse, m, p->values + x * m, p->alpha + x * m);
    }
    return true;
}

/* ---- the likelihood ---- */

double xpl_process_likelihood(const struct xpl_process *p)
{
    double n = (double)(p->cosets->size * p->count);

    return rounded(-0.5 * n * log(p->fit / n) - 0.5 * p->log_determinant);
}

/* The derivative by the entries of one small matrix, lower triangle: alpha alpha' n / (2 fit) - K^-1 / 2. */
XPL_FOR_EACH_PROCESSOR static void differentiate_one(const double *inverse, size_t m, const double *alpha,
                                                     double factor, double *ret)
{
    memset(ret, 0, m * m * sizeof *ret);
    for (size_t i = 0; i < m; i++) {
        const double *restrict row = inverse + i * m;

        for (size_t a = 0; a <= i; a++) {
            double *restrict to = ret + a * m;

            for (size_t b = 0; b <= a; b++)
                to[b] -= 0.5 * row[a] * row[b];
        }
    }
    for (size_t a = 0; a < m; a++)
        for (size_t b = 0; b <= a; b++)
            ret[a * m + b] += factor * alpha[a] * alpha[b];
}

/* By the kernel's values of blocks a and b, into the buffer. */
static void differentiate_pair(struct xpl_process *p, size_t a, size_t b)
{
    size_t square = p->count * p->count;

    for (size_t x = 0; x < p->cosets->size; x++)
        p->buffer[x] = p->matrix[x * square + a * p->count + b];
    xpl_walsh(p->buffer, p->cosets->size);
}

/* By the kernel's value of two masks that differ in these superpixels: added up by each eight bits of them. */
static void add_change(struct xpl_process *p, xpl_mask differing, double change)
{
    for (uint32_t t = 0; t < p->n_tables; t++)
        p->changes[t * XPL_TABLE_MASKS + (differing >> (t * XPL_TABLE_BITS) & (XPL_TABLE_MASKS - 1))] += change;
}

/* By theta: each change once for every superpixel in which its two masks differ. */
static void by_theta(const struct xpl_process *p, double *ret)
{
    for (uint32_t i = 0; i < p->n_tables * XPL_TABLE_MASKS; i++)
        for (uint32_t left = i % XPL_TABLE_MASKS; left; left &= left - 1)
            ret[i / XPL_TABLE_MASKS * XPL_TABLE_BITS + (uint32_t)__builtin_ctz(left)] -= p->changes[i];
    for (uint32_t j = 0; j < p->d; j++)
        ret[j] *= p->theta[j];
}

void xpl_process_gradient(struct xpl_process *p, double *ret)
{
    const struct xpl_cosets *c = p->cosets;
    size_t m = p->count;
    double factor = 0.5 * (double)(c->size * m) / p->fit;

    memset(ret, 0, (p->d + 1) * sizeof *ret);
    memset(p->changes, 0, sizeof p->changes);
    for (size_t x = 0; x < c->size; x++) {
        differentiate_one(p->inverse + x * m * m, m, p->alpha + x * m, factor, p->matrix + x * m * m);
        for (size_t a = 0; a < m; a++)
            ret[p->d] += p->noise * p->matrix[x * m * m + a * m + a];
    }
    for (size_t a = 0; a < m; a++) {
        for (size_t b = 0; b <= a; b++) {
            const double *products = products_of(p, a, b);
            double times = a == b ? 1 : 2;

            differentiate_pair(p, a, b);
            for (size_t x = 0; x < c->size; x++)
                add_change(p, c->first[a] ^ c->first[b] ^ c->span[x], times * p->buffer[x] * products[x]);
        }
    }
    by_theta(p, ret);
}

/* ---- what predictions need ---- */

void xpl_process_diagonal(const struct xpl_process *p, double *ret)
{
    size_t m = p->count;

    memset(ret, 0, m * sizeof *ret);
    for (size_t x = 0; x < p->cosets->size; x++)
        for (size_t i = 0; i < m; i++)
            for (size_t a = 0; a <= i; a++)
                ret[a] += p->inverse[(x * m + i) * m + a] * p->inverse[(x * m + i) * m + a];
    for (size_t a = 0; a < m; a++)
        ret[a] /= (double)p->cosets->size;
}

/* A Kronecker product of [[1, decay], [decay, 1]]. */
XPL_FOR_EACH_PROCESSOR void xpl_process_spread(const struct xpl_process *p, double *field)
{
    size_t all = (size_t)1 << p->d;

    for (uint32_t j = 0; j < p->d; j++) {
        size_t half = (size_t)1 << j;
        double decay = xpl_process_product(p->tables, p->n_tables, (xpl_mask)1 << j);

        for (size_t block = 0; block < all; block += 2 * half) {
            double *restrict off = field + block, *restrict on = off + half;

            for (size_t i = 0; i < half; i++) {
                double value = off[i];

                off[i] += decay * on[i];
                on[i] += decay * value;
            }
        }
    }
}
