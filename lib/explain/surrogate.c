/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/surrogate.h"

#include <math.h>
#include <string.h>

#include "lib/explain/cholesky.h"

#define TUNING_ROWS    128u
#define CLIP           1e-4 /* probabilities nearer to 0 or 1 are taken for this far */
#define SMALLEST_SHARE 0.02 /* of 1 / d: no superpixel is left out for good */
#define TABLE_BITS     8u
#define TABLE_MASKS    (1u << TABLE_BITS)
#define MAX_TABLES     ((XPL_MAX_SEGMENTS + TABLE_BITS - 1) / TABLE_BITS)

static const double scales[] = {0.5, 1, 2, 4, 8, 16};
static const double noises[] = {1e-4, 1e-3, 3e-2, 1e-1};

#define FIRST_NOISE 1e-2
#define N_SCALES    (sizeof scales / sizeof *scales)
#define N_NOISES    (sizeof noises / sizeof *noises)

struct process {
    struct xpl_arena *arena;
    const xpl_mask *masks;
    size_t n; /* rows it learns from */
    uint32_t d;
    double *target; /* n: standardised logits */
    double mean, deviation;
    double share[XPL_MAX_SEGMENTS]; /* of theta; sum about 1 */
    double decay[XPL_MAX_SEGMENTS]; /* exp(-theta_j) */
    double *tables;                 /* as in struct xpl_surrogate */
    uint32_t n_tables;
    double noise;
    double *matrix, *inverse, *column; /* n x n, n x n, n */
    double *alpha;                     /* n */
};

/* Rounded, because exp and log differ in their last bit between processors. */
static double rounded(double x)
{
    return nearbyint(x * 0x1p40) * 0x1p-40;
}

static double logit(double p)
{
    p = p < CLIP ? CLIP : p > 1 - CLIP ? 1 - CLIP : p;
    return rounded(log(p / (1 - p)));
}

static double probability(double x)
{
    return rounded(1 / (1 + exp(-x)));
}

/* ---- the kernel ---- */

static void fill_products(double *products, const double *decay, uint32_t n)
{
    products[0] = 1;
    for (uint32_t x = 1; x < 1u << n; x++)
        products[x] = products[x & (x - 1)] * decay[__builtin_ctz(x)];
}

static void set_scale(struct process *p, double scale)
{
    for (uint32_t j = 0; j < p->d; j++)
        p->decay[j] = rounded(exp(-scale * p->share[j]));
    for (uint32_t t = 0; t < p->n_tables; t++) {
        uint32_t first = t * TABLE_BITS, left = p->d - first;

        fill_products(p->tables + t * TABLE_MASKS, p->decay + first, left < TABLE_BITS ? left : TABLE_BITS);
    }
}

static double product(const double *tables, uint32_t n_tables, xpl_mask differing)
{
    double result = tables[differing & (TABLE_MASKS - 1)];

    for (uint32_t t = 1; t < n_tables; t++)
        result *= tables[t * TABLE_MASKS + (differing >> (t * TABLE_BITS) & (TABLE_MASKS - 1))];
    return result;
}

static double kernel(const struct process *p, xpl_mask a, xpl_mask b)
{
    return 1 + product(p->tables, p->n_tables, a ^ b);
}

/* Of every `step`-th row; lower triangle, n x n. */
static void fill_matrix(struct process *p, size_t n, size_t step)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            p->matrix[i * n + k] = kernel(p, p->masks[i * step], p->masks[k * step]);
        p->matrix[i * n + i] = 2 + p->noise;
    }
}

/* ---- what it learns ---- */

static bool standardise(struct process *p, const double *scores)
{
    double sum = 0, squares = 0;

    for (size_t i = 0; i < p->n; i++)
        sum += p->target[i] = logit(scores[i]);
    p->mean = sum / (double)p->n;
    for (size_t i = 0; i < p->n; i++)
        squares += (p->target[i] - p->mean) * (p->target[i] - p->mean);
    p->deviation = sqrt(squares / (double)p->n);
    if (!(p->deviation > 1e-9))
        return false;
    for (size_t i = 0; i < p->n; i++)
        p->target[i] = (p->target[i] - p->mean) / p->deviation;
    return true;
}

/* Shares of theta: the first-order effects; the same for all when there are none (parity). */
static void share_out(struct process *p)
{
    double effects[XPL_MAX_SEGMENTS], total = 0;

    for (uint32_t j = 0; j < p->d; j++) {
        double on = 0, off = 0;
        size_t n_on = 0;

        for (size_t i = 0; i < p->n; i++) {
            bool shown = p->masks[i] >> j & 1u;

            n_on += shown;
            *(shown ? &on : &off) += p->target[i];
        }
        effects[j] = n_on && n_on < p->n ? fabs(on / (double)n_on - off / (double)(p->n - n_on)) : 0;
        total += effects[j];
    }
    for (uint32_t j = 0; j < p->d; j++)
        p->share[j] = total > 1e-9 ? fmax(effects[j] / total, SMALLEST_SHARE / p->d) : 1.0 / p->d;
}

/* Log likelihood of the tuning rows, with the scale of the process chosen best; -INFINITY when it cannot be said. */
static double likelihood(struct process *p, size_t n, size_t step)
{
    double squares = 0, determinant = 0;

    fill_matrix(p, n, step);
    if (!xpl_cholesky(p->matrix, n, p->column))
        return -INFINITY;
    for (size_t i = 0; i < n; i++) {
        p->alpha[i] = p->target[i * step];
        determinant += log(p->matrix[i * n + i]);
    }
    xpl_cholesky_forward(p->matrix, n, p->alpha);
    for (size_t i = 0; i < n; i++)
        squares += p->alpha[i] * p->alpha[i];
    return rounded(-0.5 * (double)n * log(squares / (double)n) - determinant);
}

/* First the scale, then the noise: one after the other finds what the whole grid does, at a third of its cost. */
static void tune(struct process *p)
{
    size_t step = (p->n + TUNING_ROWS - 1) / TUNING_ROWS, n = p->n / step;
    double best = -INFINITY, best_scale = scales[0], best_noise = FIRST_NOISE, found;

    p->noise = FIRST_NOISE;
    for (size_t s = 0; s < N_SCALES; s++) {
        set_scale(p, scales[s]);
        if ((found = likelihood(p, n, step)) <= best)
            continue;
        best = found;
        best_scale = scales[s];
    }
    set_scale(p, best_scale);
    for (size_t k = 0; k < N_NOISES; k++) {
        p->noise = noises[k];
        if ((found = likelihood(p, n, step)) <= best)
            continue;
        best = found;
        best_noise = noises[k];
    }
    p->noise = best_noise;
}

/* alpha = K^-1 target, and the diagonal of K^-1 in `column`. */
static bool solve(struct process *p)
{
    size_t n = p->n;

    fill_matrix(p, n, 1);
    if (!xpl_cholesky(p->matrix, n, p->column))
        return false;
    xpl_cholesky_invert(p->matrix, n, p->inverse);
    memset(p->alpha, 0, n * sizeof *p->alpha);
    memset(p->column, 0, n * sizeof *p->column);
    for (size_t i = 0; i < n; i++) {
        const double *row = p->inverse + i * n;
        double sum = 0;

        for (size_t k = 0; k <= i; k++)
            sum += row[k] * p->target[k];
        for (size_t k = 0; k <= i; k++) {
            p->alpha[k] += row[k] * sum;
            p->column[k] += row[k] * row[k];
        }
    }
    return true;
}

/* ---- what it predicts ---- */

/* K(all masks, rows) x alpha: a product with the Kronecker product of [[1, decay], [decay, 1]]. */
static void fill_field(const struct process *p, double *field)
{
    size_t all = (size_t)1 << p->d;
    double sum = 0;

    memset(field, 0, all * sizeof *field);
    for (size_t i = 0; i < p->n; i++) {
        field[p->masks[i]] += p->alpha[i];
        sum += p->alpha[i];
    }
    for (uint32_t j = 0; j < p->d; j++) {
        size_t half = (size_t)1 << j;

        for (size_t block = 0; block < all; block += 2 * half) {
            double *off = field + block, *on = off + half;

            for (size_t i = 0; i < half; i++) {
                double value = off[i];

                off[i] += p->decay[j] * on[i];
                on[i] += p->decay[j] * value;
            }
        }
    }
    for (size_t i = 0; i < all; i++)
        field[i] = probability((sum + field[i]) * p->deviation + p->mean);
}

double xpl_surrogate_at(const struct xpl_surrogate *s, xpl_mask mask)
{
    double value = s->sum;

    if (s->field)
        return s->field[mask];
    for (size_t i = 0; i < s->n_learnt; i++)
        value += s->alpha[i] * product(s->tables, s->n_tables, mask ^ s->masks[i]);
    return probability(value * s->deviation + s->mean);
}

static void fill_left_out(const struct process *p, const xpl_mask *masks, size_t n, struct xpl_surrogate *s)
{
    for (size_t i = 0; i < p->n; i++)
        s->left_out[i] = probability((p->target[i] - p->alpha[i] / p->column[i]) * p->deviation + p->mean);
    for (size_t i = p->n; i < n; i++)
        s->left_out[i] = xpl_surrogate_at(s, masks[i]);
}

static size_t rows_to_learn(size_t n, uint32_t d)
{
    size_t most = d > XPL_FIELD_SEGMENTS ? XPL_SURROGATE_ROWS_MANY : XPL_SURROGATE_ROWS;

    return n < most ? n : most;
}

static struct process *new_process(struct xpl_arena *arena, const xpl_mask *masks, size_t n, uint32_t d)
{
    struct process *p = XPL_NEW(arena, struct process);

    if (!p)
        return NULL;
    p->arena = arena;
    p->masks = masks;
    p->n = rows_to_learn(n, d);
    p->d = d;
    p->target = XPL_NEW_ARRAY(arena, double, p->n);
    p->matrix = XPL_NEW_ARRAY(arena, double, p->n * p->n);
    p->inverse = XPL_NEW_ARRAY(arena, double, p->n * p->n);
    p->column = XPL_NEW_ARRAY(arena, double, p->n);
    p->alpha = XPL_NEW_ARRAY(arena, double, p->n);
    p->n_tables = (d + TABLE_BITS - 1) / TABLE_BITS;
    p->tables = XPL_NEW_ARRAY(arena, double, (size_t)p->n_tables *TABLE_MASKS);
    return p->target && p->matrix && p->inverse && p->column && p->alpha && p->tables ? p : NULL;
}

/* Takes from the process what predictions need. */
static enum xpl_status keep(struct xpl_arena *arena, const struct process *p, size_t n, struct xpl_surrogate *s,
                            struct xpl_error *err)
{
    *s = (struct xpl_surrogate){.n = n,
                                .masks = p->masks,
                                .n_learnt = p->n,
                                .n_tables = p->n_tables,
                                .mean = p->mean,
                                .deviation = p->deviation,
                                .left_out = XPL_NEW_ARRAY(arena, double, n)};
    if (!s->left_out)
        return xpl_no_memory(err);
    if (p->d <= XPL_FIELD_SEGMENTS) {
        s->field = XPL_NEW_ARRAY(arena, double, (size_t)1 << p->d);
        if (!s->field)
            return xpl_no_memory(err);
        fill_field(p, s->field);
        return XPL_OK;
    }
    s->alpha = xpl_arena_copy(arena, p->alpha, p->n * sizeof *p->alpha);
    s->tables = xpl_arena_copy(arena, p->tables, (size_t)p->n_tables * TABLE_MASKS * sizeof *p->tables);
    for (size_t i = 0; i < p->n; i++)
        s->sum += p->alpha[i];
    return s->alpha && s->tables ? XPL_OK : xpl_no_memory(err);
}

enum xpl_status xpl_surrogate_fit(struct xpl_arena *arena, struct xpl_arena *scratch, const xpl_mask *masks,
                                  const double *scores, size_t n, uint32_t n_segments, struct xpl_surrogate **ret,
                                  struct xpl_error *err)
{
    struct xpl_surrogate *surrogate = XPL_NEW(arena, struct xpl_surrogate);
    struct process *p = new_process(scratch, masks, n, n_segments);
    enum xpl_status st;

    if (!surrogate || !p)
        return xpl_no_memory(err);
    *ret = NULL;
    if (!standardise(p, scores))
        return XPL_OK;
    share_out(p);
    tune(p);
    if (!solve(p))
        return XPL_OK;
    if ((st = keep(arena, p, n, surrogate, err)))
        return st;
    fill_left_out(p, masks, n, surrogate);
    *ret = surrogate;
    return XPL_OK;
}

struct xpl_surrogate *xpl_surrogate_extend(struct xpl_arena *arena, const struct xpl_surrogate *before,
                                           const xpl_mask *masks, size_t n, uint32_t n_segments)
{
    struct xpl_surrogate *s = xpl_arena_copy(arena, before, sizeof *before);

    if (!s || before->n_learnt != rows_to_learn(n, n_segments))
        return NULL;
    s->n = n;
    s->masks = masks;
    s->left_out = XPL_NEW_ARRAY(arena, double, n);
    if (before->field)
        s->field = xpl_arena_copy(arena, before->field, sizeof *s->field << n_segments);
    else
        s->alpha = xpl_arena_copy(arena, before->alpha, s->n_learnt * sizeof *s->alpha);
    if (before->tables)
        s->tables = xpl_arena_copy(arena, before->tables, (size_t)s->n_tables * TABLE_MASKS * sizeof *s->tables);
    if (!s->left_out || (before->field && !s->field) || (!before->field && (!s->alpha || !s->tables)))
        return NULL;
    memcpy(s->left_out, before->left_out, before->n * sizeof *s->left_out);
    for (size_t i = before->n; i < n; i++)
        s->left_out[i] = xpl_surrogate_at(s, masks[i]);
    return s;
}
