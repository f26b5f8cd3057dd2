/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/fitting/quadrature.h"

#include <math.h>
#include <string.h>

#include "lib/base/processors.h"
#include "lib/explain/fitting/cholesky.h"
#include "lib/explain/fitting/field.h"
#include "lib/explain/fitting/vectors.h"

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

    for (size_t i = 0; i < m; i++)
        ret[i] = xpl_dot(p->inverse + (x * m + i) * m, values, i + 1);
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

/*
 * What weight j takes of the field at a mask z is on(z) [j shown] - all(z). So the kernel is applied to `on` and `all`
 * once, and what it makes of `on` where j is shown is found by undoing its factor for j.
 */
struct takes {
    uint32_t d;
    double *on, *all, *k_on, *k_all; /* 2^d each; k_: times the kernel less 1 */
    double sum_all;
};

static enum xpl_status find_takes(struct xpl_arena *scratch, const struct xpl_quadrature *q, struct takes *ret,
                                  struct xpl_error *err)
{
    size_t n = (size_t)1 << q->process->d;

    *ret = (struct takes){
        .d = q->process->d, .on = XPL_NEW_ARRAY(scratch, double, n), .all = XPL_NEW_ARRAY(scratch, double, n)};
    if (!ret->on || !ret->all)
        return xpl_no_memory(err);
    for (size_t z = 0; z < n; z++) {
        double slope = q->hard ? 1 : q->field[z] * (1 - q->field[z]);
        uint32_t shown = (uint32_t)__builtin_popcountll(z);

        ret->on[z] = slope * q->takes->shown[shown];
        ret->all[z] = slope * q->takes->always[shown];
    }
    for (size_t i = 0; q->takes->but_scored && i < q->n_masks; i++)
        ret->on[q->masks[i]] = ret->all[q->masks[i]] = 0;
    for (size_t z = 0; z < n; z++)
        ret->sum_all += ret->all[z];
    ret->k_on = xpl_arena_copy(scratch, ret->on, n * sizeof *ret->on);
    ret->k_all = xpl_arena_copy(scratch, ret->all, n * sizeof *ret->all);
    if (!ret->k_on || !ret->k_all)
        return xpl_no_memory(err);
    xpl_process_spread(q->process, ret->k_on);
    xpl_process_spread(q->process, ret->k_all);
    return XPL_OK;
}

/* One weight: what it takes of the field in all, its variance, and the factor of the kernel for its superpixel. */
struct weight {
    uint32_t j;
    double decay, sum, variance;
};

/* Times the kernel less 1: what a weight takes, at one mask. */
static double k_take(const struct takes *t, const struct weight *w, xpl_mask z)
{
    xpl_mask j = (xpl_mask)1 << w->j;
    double shown = (t->k_on[z | j] - w->decay * t->k_on[z & ~j]) / (1 - w->decay * w->decay);

    return (z & j ? shown : w->decay * shown) - t->k_all[z];
}

/* The variance before anything was learnt. */
static struct weight prior_of(const struct takes *t, const struct xpl_process *p, uint32_t j)
{
    struct weight w = {.j = j, .decay = xpl_process_product(p->tables, p->n_tables, (xpl_mask)1 << j)};
    size_t all = (size_t)1 << t->d, half = (size_t)1 << j;
    double undo = 1 / (1 - w.decay * w.decay);

    w.sum = -t->sum_all;
    for (size_t first = 0; first < all; first += 2 * half) {
        for (size_t off = first; off < first + half; off++) {
            size_t on = off + half;
            double shown = (t->k_on[on] - w.decay * t->k_on[off]) * undo;

            w.sum += t->on[on];
            w.variance += (shown - t->k_all[on]) * (t->on[on] - t->all[on]);
            w.variance -= (w.decay * shown - t->k_all[off]) * t->all[off];
        }
    }
    w.variance += w.sum * w.sum; /* the kernel's 1 */
    return w;
}

static enum xpl_status find_variances(struct xpl_arena *scratch, struct gains *g, double *ret, struct xpl_error *err)
{
    const struct xpl_quadrature *q = g->q;
    struct xpl_process *p = q->process;
    size_t n = p->count * p->cosets->size, n_next = q->further.count * q->further.size;
    double *rows = XPL_NEW_ARRAY(scratch, double, n), *values = XPL_NEW_ARRAY(scratch, double, n);
    struct takes takes;
    enum xpl_status st;

    if (!rows || !values)
        return xpl_no_memory(err);
    if ((st = find_takes(scratch, q, &takes, err)))
        return st;
    for (uint32_t j = 0; j < p->d; j++) {
        struct weight weight = prior_of(&takes, p, j);
        double *shared = g->shared + j * n;

        for (size_t i = 0; i < n; i++)
            rows[i] = k_take(&takes, &weight, q->masks[i]) + weight.sum;
        for (size_t i = 0; i < n_next; i++)
            g->of_next[j * n_next + i] = k_take(&takes, &weight, q->further.masks[i]) + weight.sum;
        xpl_process_transform(p, rows, values);
        for (size_t x = 0; x < p->cosets->size; x++)
            invert_rows(p, values + x * p->count, x, shared + x * p->count);
        for (size_t i = 0; i < n; i++)
            weight.variance -= shared[i] * shared[i];
        ret[j] = fmax(weight.variance, 0);
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

/* In one small matrix: what the rows tell already is taken out, the rest is what the block adds. */
XPL_FOR_EACH_PROCESSOR static double gain_of_one(struct gains *g, size_t x)
{
    const struct xpl_process *p = g->q->process;
    size_t m = p->count, parts = g->parts, n = m * p->cosets->size;
    double *cross = g->cross + x * parts * m, *own = g->own + x * parts * parts, gain = 0;

    for (size_t a = 0; a < parts; a++) {
        invert_rows(p, cross + a * m, x, g->column);
        memcpy(cross + a * m, g->column, m * sizeof *cross);
        for (size_t b = 0; b <= a; b++)
            own[a * parts + b] -= xpl_dot(cross + a * m, cross + b * m, m);
    }
    if (!xpl_cholesky(own, parts, g->column))
        return 0;
    for (uint32_t j = 0; j < p->d; j++) {
        double *weight = g->weights + (j * p->cosets->size + x) * parts;

        for (size_t a = 0; a < parts; a++)
            weight[a] -= xpl_dot(cross + a * m, g->shared + j * n + x * m, m);
        xpl_cholesky_forward(own, parts, weight);
        gain += xpl_dot(weight, weight, parts);
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
