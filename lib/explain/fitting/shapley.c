/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/fitting/shapley.h"

#include <math.h>

#include "lib/explain/designs/design.h"
#include "lib/explain/fitting/fit.h"
#include "lib/explain/fitting/surrogate.h"

#define ORDERS_COST    ((size_t)1 << 24) /* rows looked at for masks of random orders */
#define LEVER          0.15              /* what squares of mistakes make of the square of a value's error; measured */
#define HARD_DOUBT     2.0               /* what errors are multiplied with where answers are 0 and 1 */
#define SMALLEST_DOUBT 1e-3              /* of the largest value: no interval of a sample is narrower */

struct values {
    const xpl_mask *masks;
    const double *scores;
    size_t n;
    uint32_t d;
    double on, off; /* f(all on), f(all off) */
};

static bool find_ends(struct values *v)
{
    bool on = false, off = false;

    for (size_t i = 0; i < v->n; i++) {
        if (v->masks[i] == xpl_design_all_on(v->d)) {
            v->on = v->scores[i];
            on = true;
        } else if (v->masks[i] == 0) {
            v->off = v->scores[i];
            off = true;
        }
    }
    return on && off;
}

/* ---- all masks ---- */

static double choose(uint32_t n, uint32_t k)
{
    double result = 1;

    for (uint32_t i = 0; i < k; i++)
        result = result * (n - i) / (i + 1);
    return result;
}

/* Each mask with j counts for it, by how many orders end with j in that set; each without j against it. */
static void add_mask(xpl_mask mask, double score, uint32_t d, double *values)
{
    uint32_t shown = (uint32_t)__builtin_popcountll(mask);
    double with = shown > 0 ? score / (d * choose(d - 1, shown - 1)) : 0;
    double without = shown < d ? score / (d * choose(d - 1, shown)) : 0;

    for (uint32_t j = 0; j < d; j++)
        values[j] += mask >> j & 1u ? with : -without;
}

/* The same by the number of superpixels that a mask shows, and of what is not scored only. */
static void take_field(uint32_t d, struct xpl_field_takes *ret)
{
    *ret = (struct xpl_field_takes){.but_scored = true};
    for (uint32_t shown = 0; shown <= d; shown++) {
        double with = shown > 0 ? 1 / (d * choose(d - 1, shown - 1)) : 0;

        ret->always[shown] = shown < d ? 1 / (d * choose(d - 1, shown)) : 0;
        ret->shown[shown] = with + ret->always[shown];
    }
}

/* What was scored counts as it is, and not as it was predicted. */
static void add_field(const struct values *v, double *field, double *values)
{
    for (size_t i = 0; i < v->n; i++)
        field[v->masks[i]] = v->scores[i];
    for (xpl_mask mask = 0; mask < (xpl_mask)1 << v->d; mask++)
        add_mask(mask, field[mask], v->d, values);
}

/* ---- random orders ---- */

/* The same on every machine (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators"). */
static uint64_t draw(uint64_t *state)
{
    uint64_t x = *state += 0x9E3779B97F4A7C15u;

    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

static void shuffle(uint8_t *order, uint32_t d, uint64_t *state)
{
    for (uint32_t j = d - 1; j > 0; j--) {
        uint32_t other = (uint32_t)(draw(state) % (j + 1));
        uint8_t kept = order[j];

        order[j] = order[other];
        order[other] = kept;
    }
}

/* Switches on one after the other, from the first or from the last. */
static void add_order(const struct values *v, const struct xpl_surrogate *surrogate, const uint8_t *order, bool reverse,
                      double share, double *values)
{
    double before = v->off;
    xpl_mask mask = 0;

    for (uint32_t i = 0; i < v->d; i++) {
        uint8_t j = order[reverse ? v->d - 1 - i : i];
        double score;

        mask |= (xpl_mask)1 << j;
        score = i + 1 < v->d ? xpl_surrogate_at(surrogate, mask) : v->on;
        values[j] += share * (score - before);
        before = score;
    }
}

static void add_orders(const struct values *v, const struct xpl_surrogate *surrogate, double *values)
{
    size_t pairs = ORDERS_COST / (2 * v->d * surrogate->n_learnt) + 1;
    uint8_t order[XPL_MAX_SEGMENTS];
    uint64_t state = v->d;

    for (uint32_t j = 0; j < v->d; j++)
        order[j] = (uint8_t)j;
    for (size_t i = 0; i < pairs; i++) {
        shuffle(order, v->d, &state);
        add_order(v, surrogate, order, false, 0.5 / (double)pairs, values);
        add_order(v, surrogate, order, true, 0.5 / (double)pairs, values);
    }
}

/* ---- what was not scored is predicted ---- */

double xpl_shapley_q2(const double *scores, const double *left_out, size_t n)
{
    double mean = 0, wrong = 0, all = 0;

    for (size_t i = 0; i < n; i++)
        mean += scores[i] / (double)n;
    for (size_t i = 0; i < n; i++) {
        wrong += (scores[i] - left_out[i]) * (scores[i] - left_out[i]);
        all += (scores[i] - mean) * (scores[i] - mean);
    }
    return all > 0 ? 1 - wrong / all : (double)NAN;
}

static bool vary(const struct values *v)
{
    for (size_t i = 1; i < v->n; i++)
        if (v->scores[i] != v->scores[0])
            return true;
    return false;
}

/* They are linear in the scores: those of stretched ones are as many times as large. */
static enum xpl_status predicted_values(struct xpl_arena *arena, const struct values *given, struct xpl_shapley *ret,
                                        struct xpl_error *err)
{
    double *scores = XPL_NEW_ARRAY(arena, double, given->n);
    struct values v = *given;
    struct xpl_field_takes takes;
    struct xpl_surrogate_rows rows = {.masks = v.masks, .scores = scores, .n = v.n, .n_segments = v.d, .takes = &takes};
    struct xpl_surrogate *surrogate;
    struct xpl_stretch stretch;
    enum xpl_status st;

    if (!scores || !(ret->left_out = xpl_arena_copy(arena, v.scores, v.n * sizeof *v.scores)))
        return xpl_no_memory(err);
    take_field(v.d, &takes);
    stretch = xpl_surrogate_stretch(v.scores, v.n, scores);
    if ((st = xpl_surrogate_fit(arena, arena, &rows, &surrogate, err)))
        return st;
    if (!surrogate)
        return vary(given) ? xpl_fail(err, XPL_NOT_AVAILABLE, "the scored masks say too little for Shapley values")
                           : XPL_OK;
    v.scores = scores;
    v.on = (v.on - stretch.from) * stretch.scale;
    v.off = (v.off - stretch.from) * stretch.scale;
    if (surrogate->field)
        add_field(&v, surrogate->field, ret->values);
    else
        add_orders(&v, surrogate, ret->values);
    for (uint32_t j = 0; j < v.d; j++)
        ret->values[j] /= stretch.scale;
    ret->has_errors = surrogate->doubt != NULL;
    for (uint32_t j = 0; ret->has_errors && j < v.d; j++)
        ret->errors[j] = (surrogate->hard ? HARD_DOUBT : 1) * surrogate->doubt[j] / fabs(stretch.scale);
    for (size_t i = 0; i < v.n; i++)
        ret->left_out[i] = stretch.from + surrogate->left_out[i] / stretch.scale;
    return XPL_OK;
}

enum xpl_status xpl_shapley_values(struct xpl_arena *arena, const xpl_mask *masks, const double *scores, size_t n,
                                   uint32_t n_segments, struct xpl_shapley *ret, struct xpl_error *err)
{
    struct values v = {.masks = masks, .scores = scores, .n = n, .d = n_segments};

    if (!find_ends(&v))
        return xpl_fail(err, XPL_NOT_AVAILABLE,
                        "Shapley values need the scores of everything shown and everything hidden");
    *ret = (struct xpl_shapley){.base = v.off, .exact = n == (size_t)1 << n_segments, .has_errors = true};
    if (!ret->exact)
        return predicted_values(arena, &v, ret, err);
    for (size_t i = 0; i < n; i++)
        add_mask(masks[i], scores[i], n_segments, ret->values);
    return XPL_OK;
}

/* ---- how sure they are ---- */

/* Of the squares of mistakes: those of few masks, and those that many masks have in common. */
enum xpl_status xpl_shapley_doubt(struct xpl_arena *arena, const struct xpl_fit_rows *rows, const double *scores,
                                  double doubt, double contradicted, struct xpl_shapley *shapley, struct xpl_error *err)
{
    double weights = 0, variance, mistakes;
    struct xpl_fit_result linear;
    struct xpl_fit *fit;
    enum xpl_status st;

    if (shapley->exact)
        return XPL_OK;
    if ((st = xpl_fit_factor(arena, rows, &fit, err)))
        return st;
    xpl_fit_solve(fit, scores, &linear);
    for (size_t i = 0; i < rows->n; i++)
        weights += fit->weight[i];
    shapley->unseen = linear.constant ? 0 : xpl_confidence_unseen(fit, scores);
    variance = linear.variation / weights;
    mistakes = contradicted * variance;
    if (!linear.constant)
        mistakes = fmax(mistakes, doubt * (1 - xpl_confidence_q2(fit, scores, &linear)) * variance);
    for (uint32_t j = 0; j < rows->n_segments; j++)
        shapley->errors[j] = fmax(shapley->errors[j], sqrt(LEVER * mistakes));
    return XPL_OK;
}

void xpl_shapley_intervals(const struct xpl_shapley *shapley, uint32_t n_segments, double confidence,
                           enum xpl_interval_kind kind, struct xpl_intervals *ret)
{
    double factor = xpl_confidence_factor(confidence, kind), largest = 0;

    for (uint32_t j = 0; j < n_segments; j++)
        largest = fmax(largest, fabs(shapley->values[j]));
    for (uint32_t j = 0; j < n_segments; j++) {
        double value = shapley->values[j];
        double half =
            shapley->exact ? 0 : fmax(factor * shapley->errors[j], SMALLEST_DOUBT * largest) + shapley->unseen;

        ret->low[j] = value - half;
        ret->high[j] = value + half;
        ret->decisions[j] = xpl_confidence_decide(value, half, largest);
    }
}
