/* SPDX-License-Identifier: Apache-2.0 */
/* Shapley values against all orders, and KernelSHAP against the exact ones. */
#include "tests/unit/explain/explain_test.h"

#include <math.h>

#include "lib/explain/designs/design.h"
#include "lib/explain/fitting/shapley.h"
#include "tests/unit/explain/models.h"

static const uint8_t seed[XPL_HASH_BYTES] = {0};

static struct xpl_design *design_of(void **state, uint32_t d, enum xpl_design_mode mode)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_design *design = NULL;

    params.design = mode;
    assert_int_equal(xpl_design_plan(*state, d, &params, seed, &design, NULL), XPL_OK);
    return design;
}

static bool values_of(void **state, const struct xpl_design *design, size_t n, model_fn f, double *ret, double *base)
{
    double *scores = XPL_NEW_ARRAY(*state, double, n);
    bool exact;

    for (size_t i = 0; i < n; i++)
        scores[i] = f(design->masks[i], 0);
    assert_int_equal(xpl_shapley_values(*state, design->masks, scores, n, design->n_segments, ret, base, &exact, NULL),
                     XPL_OK);
    return exact;
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
        double values[7], orders[7] = {0}, base, sum = 0;

        assert_true(values_of(state, design_of(state, 7, XPL_DESIGN_EXACT), 128, models[m], values, &base));
        add_orders(models[m], 7, 0, 1, orders);
        assert_near(base, models[m](0, 0), 0);
        for (uint32_t j = 0; j < 7; j++) {
            assert_near(values[j], orders[j], 1e-12);
            sum += values[j];
        }
        assert_near(sum, models[m](127, 0) - models[m](0, 0), 1e-12);
    }
}

static void values_from_some_masks_add_up_and_come_near(void **state)
{
    struct xpl_design *all = design_of(state, 12, XPL_DESIGN_EXACT), *some = design_of(state, 12, XPL_DESIGN_AUTO);
    static const model_fn models[] = {additive, two_pairs, additive_with_pairs};

    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        double exact[12], fitted[12], base, sum = 0;

        values_of(state, all, 4096, models[m], exact, &base);
        assert_false(values_of(state, some, 512, models[m], fitted, &base));
        for (uint32_t j = 0; j < 12; j++) {
            assert_near(fitted[j], exact[j], 1e-9); /* pairs are no higher than the design's strength */
            sum += fitted[j];
        }
        assert_near(sum, models[m](4095, 0) - models[m](0, 0), 1e-12);
    }
}

static void both_ends_are_needed(void **state)
{
    static const xpl_mask masks[] = {7, 1, 2, 4};
    static const double scores[] = {1, 0, 0, 0};
    double values[3], base;
    struct xpl_error err = {0};
    bool exact;

    assert_int_equal(xpl_shapley_values(*state, masks, scores, 4, 3, values, &base, &exact, &err), XPL_NOT_AVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(exact_values_are_the_mean_over_all_orders),
        TEST(values_from_some_masks_add_up_and_come_near),
        TEST(both_ends_are_needed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
