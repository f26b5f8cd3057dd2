/* SPDX-License-Identifier: Apache-2.0 */
/* Shapley values against all orders, and those of some masks against the exact ones. */
#include "tests/unit/explain/explain_test.h"

#include <math.h>

#include "lib/explain/designs/design.h"
#include "lib/explain/fitting/shapley.h"
#include "tests/unit/explain/models.h"

static const uint8_t seed[XPL_HASH_BYTES] = {0};

static struct xpl_design *array_of(void **state, uint32_t d)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_design *design = NULL;

    params.design = XPL_DESIGN_ARRAY;
    params.budget = d > 16 ? 1024 : 512;
    assert_int_equal(xpl_design_plan(*state, d, &params, seed, &design, NULL), XPL_OK);
    return design;
}

static struct xpl_shapley values_of(void **state, const xpl_mask *masks, size_t n, uint32_t d, model_fn f)
{
    double *scores = XPL_NEW_ARRAY(*state, double, n);
    struct xpl_shapley shapley;

    for (size_t i = 0; i < n; i++)
        scores[i] = f(masks[i], 0);
    assert_int_equal(xpl_shapley_values(*state, masks, scores, n, d, &shapley, NULL), XPL_OK);
    if (!shapley.exact)
        assert_true(xpl_shapley_q2(scores, shapley.left_out, n) > 0.9);
    return shapley;
}

static struct xpl_shapley exact_values_of(void **state, uint32_t d, model_fn f)
{
    size_t n = (size_t)1 << d;
    xpl_mask *masks = XPL_NEW_ARRAY(*state, xpl_mask, n);

    for (size_t i = 0; i < n; i++)
        masks[i] = i;
    return values_of(state, masks, n, d, f);
}

/* Every order of switching on, by recursion. */
static void add_orders(model_fn f, uint32_t d, xpl_mask on, double share, double *ret)
{
    uint32_t left = d - (uint32_t)__builtin_popcountll(on);

    for (uint32_t j = 0; j < d; j++) {
        if (on >> j & 1u)
            continue;
        ret[j] += share / left * (f(on | (xpl_mask)1 << j, 0) - f(on, 0));
        add_orders(f, d, on | (xpl_mask)1 << j, share / left, ret);
    }
}

static void exact_values_are_the_mean_over_all_orders(void **state)
{
    static const model_fn models[] = {additive, parity, all_of_first_six, two_pairs, saturated};

    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        struct xpl_shapley found = exact_values_of(state, 7, models[m]);
        double orders[7] = {0}, sum = 0;

        assert_true(found.exact && !found.left_out);
        add_orders(models[m], 7, 0, 1, orders);
        assert_near(found.base, models[m](0, 0), 0);
        for (uint32_t j = 0; j < 7; j++) {
            assert_near(found.values[j], orders[j], 1e-12);
            sum += found.values[j];
        }
        assert_near(sum, models[m](127, 0) - models[m](0, 0), 1e-12);
    }
}

/* Near 0 and near 1, where logits are cut off. */
static double rare(xpl_mask mask, uint32_t class)
{
    return 1e-4 * logistic(mask, class);
}

static double sure(xpl_mask mask, uint32_t class)
{
    return 1 - rare(mask, class);
}

/* As two steps of a soft function: what KernelSHAP gets wrong by a tenth with such masks. */
static double curved(xpl_mask mask, uint32_t class)
{
    return 1 / (1 + exp(3 - 25 * additive(mask, class)));
}

static void values_from_some_masks_add_up_and_come_near(void **state)
{
    static const model_fn models[] = {logistic, two_pairs, additive_with_pairs, curved, rare, sure};
    static const struct {
        uint32_t d;
        double near; /* of the largest value; 18 superpixels: orders drawn at random */
    } cases[] = {{12, 0.003}, {18, 0.05}};

    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        uint32_t d = cases[c].d;
        struct xpl_design *some = array_of(state, d);

        for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
            struct xpl_shapley exact = exact_values_of(state, d, models[m]);
            struct xpl_shapley found = values_of(state, some->masks, some->n, d, models[m]);
            double sum = 0, largest = 0;

            for (uint32_t j = 0; j < d; j++)
                largest = fmax(largest, fabs(exact.values[j]));
            for (uint32_t j = 0; j < d; j++) {
                assert_near(found.values[j], exact.values[j], cases[c].near * largest);
                sum += found.values[j];
            }
            assert_near(sum, models[m](xpl_design_all_on(d), 0) - models[m](0, 0), 1e-12);
            assert_false(found.exact);
        }
    }
}

/* What is said of them from a replay's masks, at 95 %. */
static struct xpl_intervals intervals_of(void **state, const struct xpl_fit_rows *rows, model_fn f, double doubt,
                                         struct xpl_shapley *ret)
{
    uint32_t d = rows->n_segments;
    struct xpl_intervals intervals = {XPL_NEW_ARRAY(*state, double, d), XPL_NEW_ARRAY(*state, double, d),
                                      XPL_NEW_ARRAY(*state, enum xpl_decision, d)};
    double *scores = XPL_NEW_ARRAY(*state, double, rows->n);
    enum xpl_interval_kind kind = xpl_estimate_shapley_kind(XPL_DESIGN_ARRAY, rows->n == (size_t)1 << d, rows->n);

    for (size_t i = 0; i < rows->n; i++)
        scores[i] = f(rows->masks[i], 0);
    assert_int_equal(xpl_shapley_values(*state, rows->masks, scores, rows->n, d, ret, NULL), XPL_OK);
    assert_int_equal(xpl_shapley_doubt(*state, rows, scores, doubt, 0, ret, NULL), XPL_OK);
    assert_true(ret->has_errors);
    xpl_shapley_intervals(ret, d, 0.95, kind, &intervals);
    return intervals;
}

static void intervals_hold_the_exact_values(void **state)
{
    static const model_fn models[] = {additive, logistic, two_pairs, additive_with_pairs, curved,
                                      rare,     sure,     saturated, all_of_first_six,    fourth_superpixel};
    uint32_t held = 0, all = 0;

    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        for (uint32_t d = 11; d <= 13; d++) {
            struct xpl_design *some = array_of(state, d);
            struct xpl_fit_rows rows = {.masks = some->masks, .n = some->n, .n_segments = d};
            struct xpl_shapley exact = exact_values_of(state, d, models[m]), found;
            struct xpl_intervals intervals = intervals_of(state, &rows, models[m], 0.1, &found);

            for (uint32_t j = 0; j < d; j++) {
                held += intervals.low[j] <= exact.values[j] && exact.values[j] <= intervals.high[j];
                assert_true(intervals.high[j] > intervals.low[j]);
                assert_true(intervals.decisions[j] != XPL_NEGATIVE || exact.values[j] < 0);
                assert_true(intervals.decisions[j] != XPL_POSITIVE || exact.values[j] > 0);
            }
            all += d;
        }
    }
    assert_true(held >= 0.95 * all);
}

static void exact_values_have_intervals_of_no_width(void **state)
{
    struct xpl_fit_rows rows = {.n = 1 << 7, .n_segments = 7};
    xpl_mask *masks = XPL_NEW_ARRAY(*state, xpl_mask, rows.n);
    struct xpl_intervals intervals;
    struct xpl_shapley found;

    for (size_t i = 0; i < rows.n; i++)
        masks[i] = i;
    rows.masks = masks;
    intervals = intervals_of(state, &rows, additive, 0, &found);
    for (uint32_t j = 0; j < 7; j++) {
        assert_near(intervals.low[j], found.values[j], 0);
        assert_near(intervals.high[j], found.values[j], 0);
    }
}

static void what_is_doubted_or_contradicted_is_less_sure(void **state)
{
    struct xpl_design *some = array_of(state, 12);
    struct xpl_fit_rows rows = {.masks = some->masks, .n = some->n, .n_segments = 12};
    double *scores = XPL_NEW_ARRAY(*state, double, rows.n);
    struct xpl_shapley plain, doubted, contradicted;

    for (size_t i = 0; i < rows.n; i++)
        scores[i] = two_pairs(rows.masks[i], 0);
    plain = doubted = contradicted = values_of(state, rows.masks, rows.n, 12, two_pairs);
    assert_int_equal(xpl_shapley_doubt(*state, &rows, scores, 0, 0, &plain, NULL), XPL_OK);
    assert_int_equal(xpl_shapley_doubt(*state, &rows, scores, 0.5, 0, &doubted, NULL), XPL_OK);
    assert_int_equal(xpl_shapley_doubt(*state, &rows, scores, 0, 0.5, &contradicted, NULL), XPL_OK);
    for (uint32_t j = 0; j < 12; j++)
        assert_true(plain.errors[j] < doubted.errors[j] && doubted.errors[j] < contradicted.errors[j]);
}

static void values_of_many_zones_have_no_errors(void **state)
{
    struct xpl_design *some = array_of(state, 18);

    assert_false(values_of(state, some->masks, some->n, 18, logistic).has_errors);
}

static void nothing_counts_when_nothing_varies(void **state)
{
    static const xpl_mask masks[] = {7, 1, 2, 0};
    static const double scores[] = {0.5, 0.5, 0.5, 0.5};
    struct xpl_shapley found;

    assert_int_equal(xpl_shapley_values(*state, masks, scores, 4, 3, &found, NULL), XPL_OK);
    for (uint32_t j = 0; j < 3; j++)
        assert_near(found.values[j], 0, 0);
    assert_true(isnan(xpl_shapley_q2(scores, found.left_out, 4)));
}

static void both_ends_are_needed(void **state)
{
    static const xpl_mask masks[] = {7, 1, 2, 4};
    static const double scores[] = {1, 0, 0, 0};
    struct xpl_error err = {0};
    struct xpl_shapley found;

    assert_int_equal(xpl_shapley_values(*state, masks, scores, 4, 3, &found, &err), XPL_NOT_AVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(exact_values_are_the_mean_over_all_orders),
        TEST(values_from_some_masks_add_up_and_come_near),
        TEST(intervals_hold_the_exact_values),
        TEST(exact_values_have_intervals_of_no_width),
        TEST(what_is_doubted_or_contradicted_is_less_sure),
        TEST(values_of_many_zones_have_no_errors),
        TEST(nothing_counts_when_nothing_varies),
        TEST(both_ends_are_needed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
