/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/fitting/shapley.h"

#include "lib/explain/designs/design.h"
#include "lib/explain/fitting/cholesky.h"

struct values {
    const xpl_mask *masks;
    const double *scores;
    size_t n;
    uint32_t d;
    double on, off; /* f(all on), f(all off) */
};

static double choose(uint32_t n, uint32_t k)
{
    double result = 1;

    for (uint32_t i = 0; i < k; i++)
        result = result * (n - i) / (i + 1);
    return result;
}

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

/* Each mask with j counts for it, by how many orders end with j in that set; each without j against it. */
static void exact_values(const struct values *v, double *ret)
{
    for (uint32_t j = 0; j < v->d; j++)
        ret[j] = 0;
    for (size_t i = 0; i < v->n; i++) {
        uint32_t shown = (uint32_t)__builtin_popcountll(v->masks[i]);
        double with = shown > 0 ? v->scores[i] / (v->d * choose(v->d - 1, shown - 1)) : 0;
        double without = shown < v->d ? v->scores[i] / (v->d * choose(v->d - 1, shown)) : 0;

        for (uint32_t j = 0; j < v->d; j++)
            ret[j] += v->masks[i] >> j & 1u ? with : -without;
    }
}

/* The last value is what the others leave of the whole difference: d - 1 unknowns, regressors z_j - z_last. */
static bool fitted_values(struct xpl_arena *arena, const struct values *v, double *ret)
{
    uint32_t size = v->d - 1;
    double *gram = XPL_NEW_ARRAY(arena, double, (size_t)size *size), *column = XPL_NEW_ARRAY(arena, double, size);
    double rest = v->on - v->off;

    if (!gram || !column)
        return false;
    for (uint32_t j = 0; j < size; j++)
        ret[j] = 0;
    for (size_t i = 0; i < v->n; i++) {
        uint32_t shown = (uint32_t)__builtin_popcountll(v->masks[i]);
        double last = (double)(v->masks[i] >> size & 1u), target = v->scores[i] - v->off - last * rest, weight;

        if (shown == 0 || shown == v->d)
            continue;
        weight = size / (choose(v->d, shown) * shown * (v->d - shown));
        for (uint32_t j = 0; j < size; j++) {
            double regressor = (double)(v->masks[i] >> j & 1u) - last;

            ret[j] += weight * regressor * target;
            for (uint32_t k = 0; k <= j; k++)
                gram[(size_t)j * size + k] += weight * regressor * ((double)(v->masks[i] >> k & 1u) - last);
        }
    }
    if (!xpl_cholesky(gram, size, column))
        return false;
    xpl_cholesky_forward(gram, size, ret);
    xpl_cholesky_backward(gram, size, ret);
    for (uint32_t j = 0; j < size; j++)
        rest -= ret[j];
    ret[size] = rest;
    return true;
}

enum xpl_status xpl_shapley_values(struct xpl_arena *arena, const xpl_mask *masks, const double *scores, size_t n,
                                   uint32_t n_segments, double *ret_values, double *ret_base, bool *ret_exact,
                                   struct xpl_error *err)
{
    struct values v = {.masks = masks, .scores = scores, .n = n, .d = n_segments};

    if (!find_ends(&v))
        return xpl_fail(err, XPL_NOT_AVAILABLE,
                        "Shapley values need the scores of everything shown and everything hidden");
    *ret_base = v.off;
    *ret_exact = n == (size_t)1 << n_segments;
    if (*ret_exact)
        exact_values(&v, ret_values);
    else if (!fitted_values(arena, &v, ret_values))
        return xpl_fail(err, XPL_NOT_AVAILABLE, "the scored masks do not determine Shapley values");
    return XPL_OK;
}
