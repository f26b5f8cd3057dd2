/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/quadrature.h"

#include <math.h>
#include <string.h>

#include "lib/explain/cholesky.h"
#include "lib/explain/field.h"

/* What the process knows of the weights, and what a block shares with it and them. */
struct gains {
    const struct xpl_quadrature *q;
    size_t parts;    /* of a block: each is shifted like a block of the process */
    double *shared;  /* d x rows: covariance of each weight with the rows, transformed, L^-1 applied */
    double *of_next; /* d x all further masks: with the further masks, as they are */
    double *cross;   /* size x parts x count: a block with the rows, transformed */
    double *own;     /* size x parts x parts: a block with itself */
    double *weights; /* d x size x parts: a block with the weights */
    double *column;
};

static void invert_rows(const struct xpl_process *p, const double *values, size_t x, double *ret)
{
    size_t m = p->count;

    for (size_t i = 0; i < m; i++) {
        const double *row = p->inverse + (x * m + i) * m;
        double sum = 0;

        for (size_t k = 0; k <= i; k++)
            sum += row[k] * values[k];
        ret[i] = sum;
    }
}

static enum xpl_status allocate(struct xpl_arena *scratch, struct gains *g, struct xpl_error *err)
{
    const struct xpl_process *p = g->q->process;
    const struct xpl_blocks *next = &g->q->further;
    size_t size = p->cosets->size, rows = size * p->count;

    g->parts = next->count > 0 && next->size % size == 0 ? next->size / size : 0;
    g->shared = XPL_NEW_ARRAY(scratch, double, p->d *rows);
    g->of_next = XPL_NEW_ARRAY(scratch, double, p->d * next->count * next->size + 1);
    g->cross = XPL_NEW_ARRAY(scratch, double, g->parts *rows + 1);
    g->own = XPL_NEW_ARRAY(scratch, double, size * g->parts * g->parts + 1);
    g->weights = XPL_NEW_ARRAY(scratch, double, p->d * next->size + 1);
    g->column = XPL_NEW_ARRAY(scratch, double, p->count + g->parts);
    return g->shared && g->of_next && g->cross && g->own && g->weights && g->column ? XPL_OK : xpl_no_memory(err);
}

/* ---- the weights ---- */

static enum xpl_status find_variances(struct xpl_arena *scratch, struct gains *g, double *ret, struct xpl_error *err)
{
    const struct xpl_quadrature *q = g->q;
    struct xpl_process *p = q->process;
    size_t all = (size_t)1 << p->d, n = p->count * p->cosets->size, n_next = q->further.count * q->further.size;
    double *of_field = XPL_NEW_ARRAY(scratch, double, all), *product = XPL_NEW_ARRAY(scratch, double, all);
    double *rows = XPL_NEW_ARRAY(scratch, double, n), *values = XPL_NEW_ARRAY(scratch, double, n);
    struct xpl_field_kernel kernel;

    if (!of_field || !product || !rows || !values)
        return xpl_no_memory(err);
    xpl_field_kernel_init(&kernel, p->d, q->kernel_width);
    for (uint32_t j = 0; j < p->d; j++) {
        double sum = 0, *shared = g->shared + j * n;

        ret[j] = 0;
        for (size_t i = 0; i < all; i++)
            sum += of_field[i] = xpl_field_take(&kernel, i, j) * (q->hard ? 1 : q->field[i] * (1 - q->field[i]));
        memcpy(product, of_field, all * sizeof *product);
        xpl_process_spread(p, product);
        for (size_t i = 0; i < all; i++)
            ret[j] += (product[i] + sum) * of_field[i];
        for (size_t i = 0; i < n; i++)
            rows[i] = product[q->masks[i]] + sum;
        for (size_t i = 0; i < n_next; i++)
            g->of_next[j * n_next + i] = product[q->further.masks[i]] + sum;
        xpl_process_transform(p, rows, values);
        for (size_t x = 0; x < p->cosets->size; x++)
            invert_rows(p, values + x * p->count, x, shared + x * p->count);
        for (size_t i = 0; i < n; i++)
            ret[j] -= shared[i] * shared[i];
        ret[j] = fmax(ret[j], 0);
    }
    return XPL_OK;
}

/* ---- further blocks ---- */

/* The kernel between the part of a block that begins with `mask` and a block of the process, or another part. */
static void transform_pair(struct xpl_process *p, xpl_mask difference, double *ret, size_t stride)
{
    const struct xpl_cosets *c = p->cosets;

    for (size_t x = 0; x < c->size; x++)
        p->buffer[x] = xpl_process_product(p->tables, p->n_tables, difference ^ c->span[x]);
    xpl_walsh(p->buffer, c->size);
    p->buffer[0] += (double)c->size; /* the kernel's 1 */
    for (size_t x = 0; x < c->size; x++)
        ret[x * stride] = p->buffer[x];
}

static void fill_block(struct gains *g, const xpl_mask *block)
{
    struct xpl_process *p = g->q->process;
    size_t parts = g->parts, size = p->cosets->size;

    for (size_t a = 0; a < parts; a++) {
        for (size_t b = 0; b < p->count; b++)
            transform_pair(p, block[a * size] ^ p->cosets->first[b], g->cross + a * p->count + b, parts * p->count);
        for (size_t b = 0; b <= a; b++)
            transform_pair(p, block[a * size] ^ block[b * size], g->own + a * parts + b, parts * parts);
        for (size_t x = 0; x < size; x++)
            g->own[x * parts * parts + a * parts + a] += p->noise;
    }
}

/* The weights with a block whose rows follow the order of the span, as those of the process do. */
static void fill_weights(struct gains *g, size_t block)
{
    struct xpl_process *p = g->q->process;
    size_t size = p->cosets->size, n_next = g->q->further.count * g->q->further.size;
    double scale = 1 / sqrt((double)size);

    for (uint32_t j = 0; j < p->d; j++) {
        for (size_t a = 0; a < g->parts; a++) {
            const double *from = g->of_next + j * n_next + block * g->q->further.size + a * size;

            for (size_t x = 0; x < size; x++)
                p->buffer[x] = from[p->cosets->row[x]];
            xpl_walsh(p->buffer, size);
            for (size_t x = 0; x < size; x++)
                g->weights[(j * size + x) * g->parts + a] = p->buffer[x] * scale;
        }
    }
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* In one small matrix: what the rows tell already is taken out, the rest is what the block adds. */
static double gain_of_one(struct gains *g, size_t x)
{
    const struct xpl_process *p = g->q->process;
    size_t m = p->count, parts = g->parts, n = m * p->cosets->size;
    double *cross = g->cross + x * parts * m, *own = g->own + x * parts * parts, gain = 0;

    for (size_t a = 0; a < parts; a++) {
        invert_rows(p, cross + a * m, x, g->column);
        memcpy(cross + a * m, g->column, m * sizeof *cross);
        for (size_t b = 0; b <= a; b++)
            own[a * parts + b] -= dot(cross + a * m, cross + b * m, m);
    }
    if (!xpl_cholesky(own, parts, g->column))
        return 0;
    for (uint32_t j = 0; j < p->d; j++) {
        double *weight = g->weights + (j * p->cosets->size + x) * parts;

        for (size_t a = 0; a < parts; a++)
            weight[a] -= dot(cross + a * m, g->shared + j * n + x * m, m);
        xpl_cholesky_forward(own, parts, weight);
        gain += dot(weight, weight, parts);
    }
    return gain;
}

enum xpl_status xpl_quadrature_run(struct xpl_arena *scratch, const struct xpl_quadrature *q, double *ret_variances,
                                   double *ret_gains, struct xpl_error *err)
{
    struct gains g = {.q = q};
    enum xpl_status st;

    if ((st = allocate(scratch, &g, err)) || (st = find_variances(scratch, &g, ret_variances, err)))
        return st;
    for (size_t block = 0; block < q->further.count; block++) {
        ret_gains[block] = 0;
        if (g.parts == 0)
            continue;
        fill_block(&g, q->further.masks + block * q->further.size);
        fill_weights(&g, block);
        for (size_t x = 0; x < q->process->cosets->size; x++)
            ret_gains[block] += gain_of_one(&g, x);
    }
    return XPL_OK;
}
