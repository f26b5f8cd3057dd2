/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/explain/explain_test.h"

#include <string.h>

#include "lib/explain/designs/design.h"

static const uint8_t seed[XPL_HASH_BYTES] = {1, 2, 3};

static struct xpl_design *plan(void **state, uint32_t d, const struct xpl_explain_params *params)
{
    struct xpl_design *design = NULL;
    struct xpl_error err = {0};

    assert_int_equal(xpl_design_plan(*state, d, params, seed, &design, &err), XPL_OK);
    return design;
}

static struct xpl_design *ladder(void **state, uint32_t d)
{
    struct xpl_explain_params params = xpl_explain_params_default();

    return plan(state, d, &params);
}

static struct xpl_design *budgeted(void **state, uint32_t d, uint32_t budget)
{
    struct xpl_explain_params params = xpl_explain_params_default();

    params.budget = budget;
    return plan(state, d, &params);
}

static void assert_refused(void **state, uint32_t d, const struct xpl_explain_params *params, const char *field)
{
    struct xpl_design *design = NULL;
    struct xpl_error err = {0};

    assert_int_equal(xpl_design_plan(*state, d, params, seed, &design, &err), XPL_BAD_FIELD);
    assert_string_equal(err.field, field);
    assert_null(design);
}

static size_t count_distinct(void **state, const xpl_mask *masks, size_t n)
{
    bool *seen = xpl_arena_array(*state, 65536, sizeof *seen);
    size_t distinct = 0;

    for (size_t i = 0; i < n; i++) {
        distinct += !seen[masks[i]];
        seen[masks[i]] = true;
    }
    return distinct;
}

/* Whether all combinations of the columns in `subset` appear equally often. */
static bool is_balanced(const xpl_mask *masks, size_t n, xpl_mask subset)
{
    size_t counts[256] = {0}, combinations = (size_t)1 << __builtin_popcountll(subset);

    for (size_t i = 0; i < n; i++) {
        size_t combination = 0;

        for (xpl_mask left = subset; left != 0; left &= left - 1)
            combination = combination << 1 | (masks[i] >> __builtin_ctzll(left) & 1u);
        counts[combination]++;
    }
    for (size_t c = 0; c < combinations; c++)
        if (counts[c] * combinations != n)
            return false;
    return true;
}

static bool has_strength(const xpl_mask *masks, size_t n, uint32_t d, int strength)
{
    for (xpl_mask subset = 1; subset >> d == 0; subset++)
        if (__builtin_popcountll(subset) == strength && !is_balanced(masks, n, subset))
            return false;
    return true;
}

static void the_code_has_256_words_of_distance_6_and_is_closed_under_complement(void **state)
{
    struct xpl_design *design = ladder(state, 16);
    int smallest = 16;

    for (size_t i = 0; i < 256; i++) {
        bool complement = false;

        for (size_t k = 0; k < 256; k++) {
            int distance = __builtin_popcountll(design->masks[i] ^ design->masks[k]);

            complement |= distance == 16;
            if (i != k && distance < smallest)
                smallest = distance;
        }
        assert_true(complement);
    }
    assert_int_equal(smallest, 6);
}

static void the_stages_are_balanced_over_any_5_columns_and_the_last_over_7(void **state)
{
    struct xpl_design *design = ladder(state, 16);

    assert_int_equal(design->n_stages, 8);
    for (size_t stage = 0; stage < 8; stage++) {
        int strength = stage == 7 ? 7 : 5;

        assert_true(has_strength(design->masks, design->stages[stage].end, 16, strength));
        assert_false(has_strength(design->masks, design->stages[stage].end, 16, strength + 1));
    }
}

static void from_12_superpixels_each_stage_adds_256_distinct_masks_up_to_2048(void **state)
{
    for (uint32_t d = 12; d <= 16; d++) {
        struct xpl_design *design = ladder(state, d);

        assert_int_equal(design->n_stages, 8);
        for (size_t stage = 0; stage < 8; stage++) {
            size_t end = 256 * (stage + 1);

            assert_int_equal(design->stages[stage].end, end);
            assert_int_equal(count_distinct(state, design->masks, end), end);
            assert_false(design->stages[stage].exact);
        }
        assert_string_equal(design->stages[3].name, "nordstrom_robinson_1024");
    }
}

static void the_blocks_to_choose_from_are_translates_and_all_distinct(void **state)
{
    for (uint32_t d = 12; d <= 16; d++) {
        struct xpl_design *design = ladder(state, d), *small = budgeted(state, d, 600);

        assert_int_equal(design->pool, 4096);
        assert_int_equal(count_distinct(state, design->masks, 4096), 4096);
        for (size_t i = 0; i < 4096; i++)
            assert_int_equal(design->masks[i] ^ design->masks[i % 256],
                             design->masks[i / 256 * 256] ^ design->masks[0]);
        assert_int_equal(small->n, 512);
        assert_memory_equal(small->masks, design->masks, 4096 * sizeof *small->masks);
    }
    assert_int_equal(ladder(state, 11)->block, 0);
    assert_int_equal(budgeted(state, 12, 256)->pool, 256);
}

static void nine_to_eleven_superpixels_end_with_all_masks(void **state)
{
    for (uint32_t d = 9; d <= 11; d++) {
        struct xpl_design *design = ladder(state, d);
        const struct xpl_design_stage *last = &design->stages[design->n_stages - 1];

        assert_int_equal(design->n_stages, d == 9 ? 2 : 3);
        assert_int_equal(design->stages[0].end, 256);
        assert_int_equal(design->stages[1].end, 512);
        assert_int_equal(last->end, 1 << d);
        assert_int_equal(count_distinct(state, design->masks, last->end), 1 << d);
        assert_true(last->exact);
        assert_string_equal(last->name, "all_masks");
    }
}

static void up_to_8_superpixels_all_masks_are_one_stage(void **state)
{
    for (uint32_t d = 2; d <= 8; d++) {
        struct xpl_design *design = ladder(state, d);

        assert_int_equal(design->n_stages, 1);
        assert_int_equal(count_distinct(state, design->masks, design->n), 1 << d);
        assert_true(design->stages[0].exact);
    }
}

static void all_on_comes_first_and_all_off_is_in_the_first_stage(void **state)
{
    for (uint32_t d = 2; d <= 16; d++) {
        struct xpl_design *design = ladder(state, d);
        bool off = false;

        assert_int_equal(design->masks[0], xpl_design_all_on(d));
        for (size_t i = 0; i < design->stages[0].end; i++)
            off |= design->masks[i] == 0;
        assert_true(off);
    }
}

static void a_later_stage_is_not_stricter_and_the_last_has_no_threshold(void **state)
{
    struct xpl_design *design = ladder(state, 14);

    assert_near(design->stages[0].enough, 0.95, 0);
    for (uint32_t i = 1; i < 7; i++)
        assert_true(design->stages[i].enough > 1 && design->stages[i].least_q2 <= design->stages[i - 1].least_q2);
    assert_true(design->stages[6].caution > 0 && design->stages[7].caution <= 0);
}

static void a_budget_below_256_takes_whole_cosets_of_strength_3(void **state)
{
    static const struct {
        uint32_t budget, masks;
    } cases[] = {{64, 64}, {95, 64}, {100, 96}, {208, 192}, {255, 224}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xpl_design *design = budgeted(state, 12, cases[i].budget);

        assert_int_equal(design->n_stages, 1);
        assert_int_equal(design->n, cases[i].masks);
        assert_int_equal(count_distinct(state, design->masks, design->n), cases[i].masks);
        assert_true(has_strength(design->masks, design->n, 12, 3));
        assert_int_equal(design->masks[0], xpl_design_all_on(12));
        assert_true(design->over_budget);
    }
}

static void few_superpixels_with_a_small_budget_take_balanced_masks_too(void **state)
{
    for (uint32_t d = 7; d <= 8; d++) {
        struct xpl_design *design = budgeted(state, d, 100);

        assert_in_range(design->n, 64, 100);
        assert_int_equal(count_distinct(state, design->masks, design->n), design->n);
        assert_true(has_strength(design->masks, design->n, d, 3));
        assert_false(design->stages[0].exact);
    }
}

static void a_stage_that_does_not_fit_is_left_out(void **state)
{
    struct xpl_design *design = budgeted(state, 12, 1000);

    assert_int_equal(design->n_stages, 3);
    assert_int_equal(design->n, 768);
    assert_true(design->over_budget);
    assert_false(budgeted(state, 12, 2048)->over_budget);
}

static void perturbations_count_caps_the_budget_and_is_named_when_it_is_too_small(void **state)
{
    struct xpl_explain_params params = xpl_explain_params_default();

    params.budget = 2000;
    params.perturbations_count = 300;
    assert_int_equal(plan(state, 12, &params)->n, 256);
    params.perturbations_count = 63;
    assert_refused(state, 12, &params, "parameters.lime.perturbations_count");
    params.perturbations_count = 0;
    params.budget = 40;
    assert_refused(state, 12, &params, "parameters.image.budget");
}

static void exact_is_all_masks_or_an_error(void **state)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_design *design;

    params.design = XPL_DESIGN_EXACT;
    design = plan(state, 12, &params);
    assert_int_equal(count_distinct(state, design->masks, design->n), 4096);
    assert_true(design->stages[0].exact);
    params.budget = 4095;
    assert_refused(state, 12, &params, "parameters.image.budget");
}

static void reference_draws_as_many_samples_as_asked_and_scores_each_mask_once(void **state)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_design *design;
    size_t samples = 0;

    params.design = XPL_DESIGN_REFERENCE;
    params.perturbations_count = 1000;
    design = plan(state, 9, &params);
    for (size_t i = 0; i < design->n; i++)
        samples += design->repeats[i];
    assert_int_equal(samples, 1000);
    assert_int_equal(count_distinct(state, design->masks, design->n), design->n);
    assert_true(design->n < 512);
    assert_int_equal(design->masks[0], xpl_design_all_on(9));
    assert_false(design->stages[0].exact);
}

static void reference_depends_on_the_seed_alone(void **state)
{
    static const uint8_t other_seed[XPL_HASH_BYTES] = {9};
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_design *one, *again, *other = NULL;

    params.design = XPL_DESIGN_REFERENCE;
    params.perturbations_count = 200;
    one = plan(state, 14, &params);
    again = plan(state, 14, &params);
    assert_int_equal(xpl_design_plan(*state, 14, &params, other_seed, &other, NULL), XPL_OK);
    assert_int_equal(one->n, again->n);
    assert_memory_equal(one->masks, again->masks, one->n * sizeof *one->masks);
    assert_true(other->n != one->n || memcmp(one->masks, other->masks, one->n * sizeof *one->masks) != 0);
}

static void reference_keeps_to_the_budget(void **state)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_design *design;

    params.design = XPL_DESIGN_REFERENCE;
    params.budget = 500;
    design = plan(state, 12, &params);
    assert_true(design->n <= 500);
    assert_true(design->over_budget);
    assert_false(plan(state, 8, &params)->over_budget); /* 256 masks are all there are */
    params.budget = 20;
    assert_refused(state, 12, &params, "parameters.image.budget");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_code_has_256_words_of_distance_6_and_is_closed_under_complement),
        TEST(the_stages_are_balanced_over_any_5_columns_and_the_last_over_7),
        TEST(from_12_superpixels_each_stage_adds_256_distinct_masks_up_to_2048),
        TEST(the_blocks_to_choose_from_are_translates_and_all_distinct),
        TEST(nine_to_eleven_superpixels_end_with_all_masks),
        TEST(up_to_8_superpixels_all_masks_are_one_stage),
        TEST(all_on_comes_first_and_all_off_is_in_the_first_stage),
        TEST(a_later_stage_is_not_stricter_and_the_last_has_no_threshold),
        TEST(a_budget_below_256_takes_whole_cosets_of_strength_3),
        TEST(few_superpixels_with_a_small_budget_take_balanced_masks_too),
        TEST(a_stage_that_does_not_fit_is_left_out),
        TEST(perturbations_count_caps_the_budget_and_is_named_when_it_is_too_small),
        TEST(exact_is_all_masks_or_an_error),
        TEST(reference_draws_as_many_samples_as_asked_and_scores_each_mask_once),
        TEST(reference_depends_on_the_seed_alone),
        TEST(reference_keeps_to_the_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
