/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/fitting/surrogate.h"

#include <math.h>
#include <string.h>

#include "lib/explain/fitting/quadrature.h"

#define CLIP           1e-4 /* probabilities nearer to 0 or 1 are taken for this far */
#define NEAR           0.01 /* 0 or 1: to be stretched */
#define STRETCHED      0.5
#define HARD_SHARE     0.9               /* of the scores; then they are no logits cut off */
#define SMALLEST_SHARE 0.02              /* of 1 / d: no superpixel is left out for good */
#define LEARNING_COST  ((size_t)1 << 26) /* multiplications: bounds the blocks it learns from, */
#define TUNING_COST    ((size_t)1 << 22) /* and those it is tuned on */
#define STEPS          20
#define FIRST_THETA    2.0 /* all of them together */
#define FIRST_NOISE    1e-2

struct learning {
    const struct xpl_surrogate_rows *rows;
    const struct xpl_cosets *cosets;
    double *target; /* n: standardised logits */
    double mean, deviation;
    bool hard;
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

/* Whether nearly all scores are 0 or 1, and not all the same. Their logits would be a step of arbitrary height. */
static bool are_hard(const double *scores, size_t n)
{
    size_t off = 0, on = 0;

    for (size_t i = 0; i < n; i++) {
        off += scores[i] <= CLIP;
        on += scores[i] >= 1 - CLIP;
    }
    return (double)(off + on) >= HARD_SHARE * (double)n && off > 0 && on > 0;
}

static double learnt_from(const struct learning *l, double score)
{
    return l->hard ? score : logit(score);
}

/* Of a standardised prediction. */
static double probability(const struct xpl_surrogate *s, double standard)
{
    double x = standard * s->deviation + s->mean;

    if (s->hard)
        return x; /* beyond 0 and 1, too: cut off, its mistakes would all be to one side */
    return rounded(1 / (1 + exp(-x)));
}

static bool standardise(struct learning *l)
{
    size_t n = l->rows->n;
    double sum = 0, squares = 0;

    l->hard = are_hard(l->rows->scores, n);
    for (size_t i = 0; i < n; i++)
        sum += l->target[i] = learnt_from(l, l->rows->scores[i]);
    l->mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (l->target[i] - l->mean) * (l->target[i] - l->mean);
    l->deviation = sqrt(squares / (double)n);
    if (!(l->deviation > 1e-9))
        return false;
    for (size_t i = 0; i < n; i++)
        l->target[i] = (l->target[i] - l->mean) / l->deviation;
    return true;
}

/* ---- theta and the noise ---- */

/* What is stepped: logarithms of theta, and of the noise behind them. */
struct steps {
    uint32_t n;
    double at[XPL_MAX_SEGMENTS + 1], low[XPL_MAX_SEGMENTS + 1], high[XPL_MAX_SEGMENTS + 1];
    double step[XPL_MAX_SEGMENTS + 1], slope[XPL_MAX_SEGMENTS + 1];
};

/* Shares of theta: the first-order effects; the same for all when there are none (parity). */
static void start_steps(const struct learning *l, struct steps *s)
{
    double effects[XPL_MAX_SEGMENTS], total = 0;
    uint32_t d = l->rows->n_segments;

    *s = (struct steps){.n = d + 1};
    for (uint32_t j = 0; j < d; j++) {
        double on = 0, off = 0;
        size_t n_on = 0;

        for (size_t i = 0; i < l->rows->n; i++) {
            bool shown = l->rows->masks[i] >> j & 1u;

            n_on += shown;
            *(shown ? &on : &off) += l->target[i];
        }
        effects[j] = n_on && n_on < l->rows->n ? fabs(on / (double)n_on - off / (double)(l->rows->n - n_on)) : 0;
        total += effects[j];
    }
    for (uint32_t j = 0; j < d; j++) {
        double share = total > 1e-9 ? fmax(effects[j] / total, SMALLEST_SHARE / d) : 1.0 / d;

        s->at[j] = rounded(log(FIRST_THETA * share));
        s->low[j] = -7.6; /* a change of 0.05 % */
        s->high[j] = 2.3; /* nothing in common */
    }
    s->at[d] = rounded(log(FIRST_NOISE));
    s->low[d] = -11.5;
    s->high[d] = 0;
    for (uint32_t k = 0; k <= d; k++)
        s->step[k] = 0.3;
}

static void take_steps(struct steps *s, const double *gradient)
{
    for (uint32_t k = 0; k < s->n; k++) {
        double slope = gradient[k], turn = slope * s->slope[k];

        if (turn > 0)
            s->step[k] = fmin(1.3 * s->step[k], 1.5);
        if (turn < 0) {
            s->step[k] *= 0.5;
            slope = 0; /* stays where it is once */
        }
        s->slope[k] = slope;
        if (slope != 0)
            s->at[k] = fmin(fmax(s->at[k] + (slope > 0 ? s->step[k] : -s->step[k]), s->low[k]), s->high[k]);
    }
}

static void go_to(struct xpl_process *p, const double *at)
{
    for (uint32_t j = 0; j < p->d; j++)
        p->theta[j] = rounded(exp(at[j]));
    p->noise = rounded(exp(at[p->d]));
}

/* Finds the most likely theta and noise; the process stays there, unsolved. */
static void tune(const struct learning *l, struct xpl_process *p)
{
    double best[XPL_MAX_SEGMENTS + 1], gradient[XPL_MAX_SEGMENTS + 1], most = -INFINITY;
    struct steps s;

    start_steps(l, &s);
    memcpy(best, s.at, sizeof best);
    for (int i = 0; i < STEPS; i++) {
        go_to(p, s.at);
        if (!xpl_process_solve(p) || !(p->fit > 0))
            break;
        if (xpl_process_likelihood(p) > most) {
            most = xpl_process_likelihood(p);
            memcpy(best, s.at, sizeof best);
        }
        xpl_process_gradient(p, gradient);
        take_steps(&s, gradient);
    }
    go_to(p, best);
}

/* As many of the first blocks as that many multiplications allow; one of them costs its size x their number^3. */
static size_t blocks_for(const struct xpl_cosets *c, size_t cost)
{
    size_t count = c->count;

    while (count > 1 && count * count * count > cost / c->size)
        count--;
    return count;
}

static enum xpl_status learn(struct xpl_arena *scratch, const struct learning *l, struct xpl_process **ret,
                             bool *ret_solved, struct xpl_error *err)
{
    uint32_t d = l->rows->n_segments;
    size_t count = blocks_for(l->cosets, LEARNING_COST), few = blocks_for(l->cosets, TUNING_COST);
    struct xpl_process *p = xpl_process_new(scratch, l->cosets, count, d, l->target);
    struct xpl_process *tuned = few < count ? xpl_process_new(scratch, l->cosets, few, d, l->target) : p;

    if (!p || !tuned)
        return xpl_no_memory(err);
    tune(l, tuned);
    memcpy(p->theta, tuned->theta, sizeof p->theta);
    p->noise = tuned->noise;
    *ret_solved = xpl_process_solve(p);
    *ret = p;
    return XPL_OK;
}

/* ---- what it predicts ---- */

static void fill_field(const struct xpl_process *p, struct xpl_surrogate *s)
{
    size_t all = (size_t)1 << p->d;

    for (size_t i = 0; i < s->n_learnt; i++)
        s->field[s->masks[i]] += s->alpha[i];
    xpl_process_spread(p, s->field);
    for (size_t i = 0; i < all; i++)
        s->field[i] = probability(s, s->sum + s->field[i]);
}

/* How much larger its mistakes are than it thinks: logits of hard answers (0 or 1) make it too sure. At least 1. */
static double honesty(const struct learning *l, const struct xpl_process *p, const struct xpl_surrogate *s)
{
    double wrong = 0, thought = 0;

    for (size_t i = 0; i < s->n_learnt; i++) {
        double mistake = l->rows->scores[i] - s->left_out[i];
        double slope = (s->hard ? 1 : s->left_out[i] * (1 - s->left_out[i])) * s->deviation;

        wrong += mistake * mistake;
        thought += slope * slope * p->fit / (double)s->n_learnt / p->column[i / l->cosets->size];
    }
    return wrong > thought ? sqrt(wrong / fmax(thought, 1e-12)) : 1;
}

static enum xpl_status fill_doubt(struct xpl_arena *scratch, const struct learning *l, struct xpl_process *p,
                                  struct xpl_surrogate *s, struct xpl_error *err)
{
    double scale = honesty(l, p, s) * sqrt(p->fit / (double)s->n_learnt) * s->deviation;
    struct xpl_field_takes of_weights;
    struct xpl_quadrature q = {p, s->masks, s->n, s->field, s->hard, l->rows->takes, l->rows->further};
    enum xpl_status st;

    if (!q.takes) {
        xpl_field_takes(p->d, l->rows->kernel_width, &of_weights);
        q.takes = &of_weights;
    }
    st = xpl_quadrature_run(scratch, &q, s->doubt, s->gains, err);
    for (uint32_t j = 0; !st && j < p->d; j++)
        s->doubt[j] = scale * sqrt(s->doubt[j]);
    for (size_t block = 0; !st && block < q.further.count; block++)
        s->gains[block] *= scale * scale;
    return st;
}

struct xpl_stretch xpl_surrogate_stretch(const double *scores, size_t n, double *ret_scores)
{
    struct xpl_stretch stretch = {.scale = 1};
    double low = 1, high = 0;

    for (size_t i = 0; i < n; i++) {
        low = fmin(low, scores[i]);
        high = fmax(high, scores[i]);
    }
    if (high > low && high < NEAR)
        stretch.scale = STRETCHED / high;
    if (high > low && low > 1 - NEAR)
        stretch = (struct xpl_stretch){.from = 1, .scale = -STRETCHED / (1 - low)};
    for (size_t i = 0; i < n; i++)
        ret_scores[i] = (scores[i] - stretch.from) * stretch.scale;
    return stretch;
}

double xpl_surrogate_at(const struct xpl_surrogate *s, xpl_mask mask)
{
    double value = s->sum;

    if (s->field)
        return s->field[mask];
    for (size_t i = 0; i < s->n_learnt; i++)
        value += s->alpha[i] * xpl_process_product(s->tables, s->n_tables, mask ^ s->masks[i]);
    return probability(s, value);
}

double xpl_surrogate_mistakes(const struct xpl_surrogate *s, const xpl_mask *masks, const double *scores,
                              const double *weights, size_t n)
{
    double wrong = 0, all = 0;

    for (size_t i = 0; i < n; i++) {
        double residual = scores[i] - xpl_surrogate_at(s, masks[i]);

        wrong += weights[i] * residual * residual;
        all += weights[i];
    }
    return wrong / all;
}

static void fill_left_out(const struct learning *l, const struct xpl_process *p, struct xpl_surrogate *s)
{
    xpl_process_diagonal(p, p->column);
    for (size_t i = 0; i < s->n_learnt; i++) {
        double without = l->target[i] - s->alpha[i] / p->column[i / l->cosets->size];

        s->left_out[i] = probability(s, without);
    }
    for (size_t i = s->n_learnt; i < s->n; i++)
        s->left_out[i] = xpl_surrogate_at(s, s->masks[i]);
}

/* Takes from the process what predictions need. */
static enum xpl_status keep(struct xpl_arena *arena, const struct learning *l, struct xpl_process *p,
                            struct xpl_surrogate *s, struct xpl_error *err)
{
    bool has_field = p->d <= XPL_FIELD_SEGMENTS;

    *s = (struct xpl_surrogate){.n = l->rows->n,
                                .masks = l->rows->masks,
                                .n_learnt = p->count * l->cosets->size,
                                .n_tables = p->n_tables,
                                .mean = l->mean,
                                .deviation = l->deviation,
                                .hard = l->hard,
                                .n_gains = has_field ? l->rows->further.count : 0,
                                .left_out = XPL_NEW_ARRAY(arena, double, l->rows->n)};
    s->alpha = XPL_NEW_ARRAY(arena, double, s->n_learnt);
    s->tables = xpl_arena_copy(arena, p->tables, (size_t)p->n_tables * XPL_TABLE_MASKS * sizeof *p->tables);
    s->field = has_field ? XPL_NEW_ARRAY(arena, double, (size_t)1 << p->d) : NULL;
    s->doubt = has_field ? XPL_NEW_ARRAY(arena, double, p->d) : NULL;
    s->gains = has_field ? XPL_NEW_ARRAY(arena, double, l->rows->further.count + 1) : NULL;
    if (!s->left_out || !s->alpha || !s->tables || (has_field && (!s->field || !s->doubt || !s->gains)))
        return xpl_no_memory(err);
    xpl_process_restore(p, p->alpha, s->alpha);
    for (size_t i = 0; i < s->n_learnt; i++)
        s->sum += s->alpha[i];
    return XPL_OK;
}

enum xpl_status xpl_surrogate_fit(struct xpl_arena *arena, struct xpl_arena *scratch,
                                  const struct xpl_surrogate_rows *rows, struct xpl_surrogate **ret,
                                  struct xpl_error *err)
{
    struct xpl_surrogate *s = XPL_NEW(arena, struct xpl_surrogate);
    struct learning l = {.rows = rows, .target = XPL_NEW_ARRAY(scratch, double, rows->n)};
    struct xpl_cosets *cosets;
    struct xpl_process *p;
    enum xpl_status st;
    bool solved;

    if (!s || !l.target)
        return xpl_no_memory(err);
    *ret = NULL;
    if (!standardise(&l))
        return XPL_OK;
    if ((st = xpl_cosets_find(scratch, rows->masks, rows->n, &cosets, err)))
        return st;
    l.cosets = cosets;
    if ((st = learn(scratch, &l, &p, &solved, err)) || !solved || (st = keep(arena, &l, p, s, err)))
        return st;
    if (s->field)
        fill_field(p, s);
    fill_left_out(&l, p, s);
    if (s->field && (st = fill_doubt(scratch, &l, p, s, err)))
        return st;
    *ret = s;
    return XPL_OK;
}
