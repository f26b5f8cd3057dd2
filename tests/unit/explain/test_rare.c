/* SPDX-License-Identifier: Apache-2.0 */
/* Zones that add up, and a jump when five of them are hidden at once, which few masks show. */
#include "tests/unit/explain/explain_test.h"

#include <math.h>
#include <string.h>

#include "lib/explain/designs/design.h"
#include "lib/explain/fitting/estimate.h"
#include "tests/unit/explain/models.h"

static struct {
    double weight[16], jump;
    xpl_mask hidden;
} drawn;

static double jumping(xpl_mask mask, uint32_t class_index)
{
    double p = 0.1 + ((mask & drawn.hidden) == 0 ? drawn.jump : 0);

    for (xpl_mask left = mask; left; left &= left - 1)
        p += drawn.weight[__builtin_ctzll(left)];
    return class_index == 0 ? p : 1 - p;
}

/* All alike, both signs, or one larger than the other. */
static void draw(uint32_t d, uint32_t kind, xpl_mask hidden, double jump)
{
    drawn.hidden = hidden;
    drawn.jump = jump;
    for (uint32_t j = 0; j < d; j++) {
        double place = (double)j / (d - 1);

        drawn.weight[j] = (kind == 0 ? 0.3 : kind == 1 ? 1.32 * place - 0.6 : 0.024 + 0.456 * place) / d;
    }
}

static struct xpl_explanation *explain(void **state, uint32_t d)
{
    struct xpl_explain_params params = xpl_explain_params_default();

    return explain_model(*state, jumping, d, 2, &params);
}

/* Of the weights of all masks, in the intervals. */
static uint32_t count_held(void **state, uint32_t d, const struct xpl_class_explanation *c)
{
    double *field = XPL_NEW_ARRAY(*state, double, (size_t)1 << d), truth[XPL_FIT_MAX_SIZE];
    uint32_t held = 0;

    for (xpl_mask mask = 0; mask >> d == 0; mask++)
        field[mask] = jumping(mask, c->index);
    xpl_field_weights(field, d, XPL_FIT_KERNEL_WIDTH, truth);
    for (uint32_t j = 0; j < d; j++)
        held += c->low[j] <= truth[j + 1] + 1e-12 && truth[j + 1] <= c->high[j] + 1e-12;
    return held;
}

static void intervals_hold_the_weights_of_what_jumps_rarely(void **state)
{
    static const double jumps[] = {0.05, 0.1, 0.2, 0.4};
    static const xpl_mask sets[] = {0x1F, 0xA92};
    uint32_t held = 0, all = 0;

    for (uint32_t i = 0; i < 3 * 3 * 4 * 2; i++) {
        uint32_t d = 12 + i % 3, of_this;

        draw(d, i / 3 % 3, sets[i / 36], jumps[i / 9 % 4]);
        of_this = count_held(state, d, explain(state, d)->classes);
        assert_true(of_this >= 0.85 * d);
        held += of_this;
        all += d;
    }
    assert_true(held >= 0.98 * all);
}

/* The estimate of a design of 512 masks, before and after it is looked at for rare jumps. */
static void estimate(void **state, model_fn f, struct xpl_estimate *ret_before, struct xpl_estimate *ret_after)
{
    static const uint8_t seed[XPL_HASH_BYTES] = {0};
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_estimate_rows rows = {.mode = XPL_DESIGN_ARRAY, .with_surrogate = true};
    struct xpl_fit_rows of = {.n_segments = 12};
    struct xpl_design *design = NULL;
    struct xpl_fit *fit = NULL;
    double scores[512];

    params.design = XPL_DESIGN_ARRAY;
    of.n = params.budget = 512;
    assert_int_equal(xpl_design_plan(*state, 12, &params, seed, &design, NULL), XPL_OK);
    of.masks = design->masks;
    assert_int_equal(design->n, of.n);
    assert_int_equal(xpl_fit_factor(*state, &of, &fit, NULL), XPL_OK);
    for (size_t i = 0; i < of.n; i++)
        scores[i] = f(of.masks[i], 0);
    rows.fit = fit;
    assert_int_equal(xpl_estimate_class(*state, &rows, scores, ret_before, NULL), XPL_OK);
    *ret_after = *ret_before;
    xpl_estimate_rare(&rows, scores, ret_after);
}

static void other_functions_are_not_less_sure(void **state)
{
    static const model_fn usual[] = {additive_with_pairs, two_pairs};
    struct xpl_estimate before, after;

    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        estimate(state, usual[i], &before, &after);
        assert_memory_equal(before.standard_errors, after.standard_errors, 12 * sizeof(double));
    }
    draw(12, 0, 0x1F, 0.3);
    estimate(state, jumping, &before, &after);
    for (uint32_t j = 0; j < 12; j++)
        assert_true(after.standard_errors[j] > 2 * before.standard_errors[j]);
    assert_near(after.error, before.error, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(intervals_hold_the_weights_of_what_jumps_rarely),
        TEST(other_functions_are_not_less_sure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
