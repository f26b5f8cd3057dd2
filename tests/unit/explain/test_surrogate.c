/* SPDX-License-Identifier: Apache-2.0 */
/* The surrogate against functions of which every value is known, and against formulas written out. */
#include "tests/unit/explain/explain_test.h"

#include <math.h>

#include "lib/explain/designs/design.h"
#include "lib/explain/fitting/cholesky.h"
#include "lib/explain/fitting/estimate.h"
#include "lib/explain/fitting/field.h"
#include "lib/explain/fitting/surrogate.h"
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

static double *scores_of(void **state, const struct xpl_design *design, model_fn f)
{
    double *scores = XPL_NEW_ARRAY(*state, double, design->n);

    for (size_t i = 0; i < design->n; i++)
        scores[i] = f(design->masks[i], 0);
    return scores;
}

static struct xpl_surrogate *learn_before(void **state, const struct xpl_design *design, size_t n, model_fn f,
                                          struct xpl_blocks further)
{
    struct xpl_surrogate_rows rows = {.masks = design->masks,
                                      .scores = scores_of(state, design, f),
                                      .n = n,
                                      .n_segments = design->n_segments,
                                      .kernel_width = XPL_FIT_KERNEL_WIDTH,
                                      .further = further};
    struct xpl_surrogate *surrogate = NULL;

    assert_int_equal(xpl_surrogate_fit(*state, *state, &rows, &surrogate, NULL), XPL_OK);
    return surrogate;
}

static struct xpl_surrogate *learn(void **state, const struct xpl_design *design, size_t n, model_fn f)
{
    return learn_before(state, design, n, f, (struct xpl_blocks){0});
}

/* ---- matrices ---- */

#define SIZE 5

static void a_factor_and_its_inverse_give_the_matrix_and_the_unit_matrix(void **state)
{
    double a[SIZE * SIZE], l[SIZE * SIZE] = {0}, inverse[SIZE * SIZE] = {0}, column[SIZE];

    (void)state;
    for (size_t i = 0; i < SIZE; i++)
        for (size_t k = 0; k < SIZE; k++)
            l[i * SIZE + k] = a[i * SIZE + k] = exp(-fabs((double)i - (double)k)) + (i == k ? 0.5 : 0);
    assert_true(xpl_cholesky(l, SIZE, column));
    xpl_cholesky_invert(l, SIZE, inverse);
    for (size_t i = 0; i < SIZE; i++) {
        for (size_t k = 0; k <= i; k++) {
            double product = 0, unit = 0;

            for (size_t j = 0; j <= k; j++)
                product += l[i * SIZE + j] * l[k * SIZE + j];
            for (size_t j = k; j <= i; j++)
                unit += l[i * SIZE + j] * inverse[j * SIZE + k];
            assert_near(product, a[i * SIZE + k], 1e-14);
            assert_near(unit, i == k, 1e-14);
        }
    }
}

static void a_matrix_that_is_not_positive_definite_is_refused(void **state)
{
    double a[] = {1, 0, 2, 1}, column[2];

    (void)state;
    assert_false(xpl_cholesky(a, 2, column));
}

/* ---- predictions ---- */

static void masks_that_were_not_scored_are_predicted(void **state)
{
    static const model_fn models[] = {additive, additive_with_pairs, two_pairs, fourth_superpixel};
    struct xpl_design *design = design_of(state, 12, XPL_DESIGN_AUTO);

    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        struct xpl_surrogate *surrogate = learn(state, design, 512, models[m]);
        double wrong = 0;

        for (xpl_mask mask = 0; mask < 4096; mask++)
            wrong = fmax(wrong, fabs(surrogate->field[mask] - models[m](mask, 0)));
        assert_true(wrong < 0.03);
    }
}

/* Refitting without a row is what "left out" means. */
static void left_out_predictions_are_those_of_a_surrogate_without_the_row(void **state)
{
    struct xpl_design *design = design_of(state, 12, XPL_DESIGN_REFERENCE); /* is tuned on the first rows alone */
    struct xpl_surrogate *all = learn(state, design, 300, additive_with_pairs), *without;
    xpl_mask last = design->masks[299];

    without = learn(state, design, 299, additive_with_pairs);
    assert_near(all->left_out[299], without->field[last], 1e-4);
    assert_true(fabs(all->field[last] - additive_with_pairs(last, 0)) <=
                fabs(all->left_out[299] - additive_with_pairs(last, 0)) + 1e-9);
}

static void rows_it_did_not_learn_from_are_predicted_by_those_it_did(void **state)
{
    struct xpl_design *design = design_of(state, 12, XPL_DESIGN_REFERENCE);
    struct xpl_surrogate *surrogate = learn(state, design, 1000, additive_with_pairs);

    assert_in_range(surrogate->n_learnt, 256, 999);
    for (size_t i = surrogate->n_learnt; i < 1000; i++)
        assert_near(surrogate->left_out[i], surrogate->field[design->masks[i]], 0);
}

/* In any other order they are no blocks of a code, and the whole matrix is solved at once. */
static void rows_in_blocks_say_the_same_as_rows_in_any_order(void **state)
{
    struct xpl_design *blocks = design_of(state, 13, XPL_DESIGN_AUTO), mixed = *blocks;
    struct xpl_surrogate *fast = learn(state, blocks, 128, two_pairs), *slow;

    mixed.masks = xpl_arena_copy(*state, blocks->masks, blocks->n * sizeof *blocks->masks);
    for (size_t i = 0; i < 128; i++)
        mixed.masks[i] = blocks->masks[i * 37 % 128];
    slow = learn(state, &mixed, 128, two_pairs);
    for (xpl_mask mask = 0; mask < 8192; mask++)
        assert_near(fast->field[mask], slow->field[mask], 1e-6);
    for (uint32_t j = 0; j < 13; j++)
        assert_near(fast->doubt[j], slow->doubt[j], 1e-6);
}

/* A block has told most where, after it was learnt, least is left in doubt. */
static void what_a_block_would_tell_is_known_before_it_is_scored(void **state)
{
    struct xpl_design *design = design_of(state, 12, XPL_DESIGN_AUTO);
    struct xpl_blocks further = {design->masks + 256, 7, 256};
    struct xpl_surrogate *surrogate = learn_before(state, design, 256, two_pairs, further);
    double doubt = 0;

    for (uint32_t j = 0; j < 12; j++)
        doubt += surrogate->doubt[j] * surrogate->doubt[j];
    for (size_t block = 0; block < 7; block++)
        assert_true(surrogate->gains[block] > 0.1 * doubt && surrogate->gains[block] < doubt);
}

static double majority(xpl_mask mask, uint32_t class_index)
{
    (void)class_index;
    return __builtin_popcountll(mask) > 6;
}

/* In logits the weights of the field were off by a fifth. */
static void answers_of_0_and_1_are_learnt_as_they_are(void **state)
{
    struct xpl_design *design = design_of(state, 12, XPL_DESIGN_AUTO);
    struct xpl_surrogate *surrogate = learn(state, design, 2048, majority);
    double found[XPL_FIT_MAX_SIZE], truth[XPL_FIT_MAX_SIZE], *field = XPL_NEW_ARRAY(*state, double, 4096);

    for (xpl_mask mask = 0; mask < 4096; mask++)
        field[mask] = majority(mask, 0);
    xpl_field_weights(field, 12, XPL_FIT_KERNEL_WIDTH, truth);
    xpl_field_weights(surrogate->field, 12, XPL_FIT_KERNEL_WIDTH, found);
    assert_true(surrogate->hard);
    assert_false(learn(state, design, 256, two_pairs)->hard);
    for (uint32_t j = 1; j <= 12; j++)
        assert_near(found[j], truth[j], 0.06 * truth[j]);
}

static void scores_that_do_not_vary_have_no_surrogate(void **state)
{
    assert_null(learn(state, design_of(state, 12, XPL_DESIGN_AUTO), 256, constant));
}

/* ---- weights ---- */

static void weights_of_a_known_function_are_those_of_the_fit_to_all_masks(void **state)
{
    static const model_fn models[] = {additive, parity, all_of_first_six, two_pairs};

    for (uint32_t d = 2; d <= 12; d += 5) {
        struct xpl_design *design = design_of(state, d, XPL_DESIGN_EXACT);
        struct xpl_fit_rows rows = {.masks = design->masks, .n = design->n, .n_segments = d};
        struct xpl_fit *fit;

        assert_int_equal(xpl_fit_factor(*state, &rows, &fit, NULL), XPL_OK);
        for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
            double *field = XPL_NEW_ARRAY(*state, double, design->n), coefficients[XPL_FIT_MAX_SIZE];
            struct xpl_fit_result result;

            for (xpl_mask mask = 0; mask < design->n; mask++)
                field[mask] = models[m](mask, 0);
            xpl_field_weights(field, d, XPL_FIT_KERNEL_WIDTH, coefficients);
            xpl_fit_solve(fit, scores_of(state, design, models[m]), &result);
            for (uint32_t c = 0; c <= d; c++)
                assert_near(coefficients[c], result.coefficients[c], 1e-12);
        }
    }
}

static struct xpl_estimate estimate_of(void **state, const struct xpl_fit *fit, const struct xpl_fit *whole,
                                       bool with_surrogate, const double *scores)
{
    struct xpl_estimate_rows rows = {
        .fit = fit, .whole = whole, .with_surrogate = with_surrogate, .mode = XPL_DESIGN_ARRAY};
    struct xpl_estimate estimate;

    assert_int_equal(xpl_estimate_class(*state, &rows, scores, &estimate, NULL), XPL_OK);
    return estimate;
}

static void without_a_surrogate_the_estimate_is_the_linear_fit(void **state)
{
    struct xpl_design *design = design_of(state, 12, XPL_DESIGN_AUTO);
    struct xpl_fit_rows rows = {.masks = design->masks, .n = 256, .n_segments = 12};
    double *scores = scores_of(state, design, all_of_first_six);
    struct xpl_estimate with, without;
    struct xpl_fit *fit;

    assert_int_equal(xpl_fit_factor(*state, &rows, &fit, NULL), XPL_OK);
    without = estimate_of(state, fit, NULL, false, scores);
    with = estimate_of(state, fit, NULL, true, scores);
    assert_memory_equal(without.coefficients, without.linear.coefficients, 13 * sizeof(double));
    assert_true(isnan(without.surrogate_q2) && !without.surrogate && with.surrogate);
    assert_near(with.q2, without.q2, 0);
    assert_near(with.lime_error, without.error * sqrt(256 / 5000.0), 1e-15);
}

static void the_surrogate_makes_weights_better_where_zones_do_not_add_up(void **state)
{
    struct xpl_design *all = design_of(state, 12, XPL_DESIGN_EXACT), *design = design_of(state, 12, XPL_DESIGN_AUTO);
    struct xpl_fit_rows rows = {.masks = design->masks, .n = 256, .n_segments = 12};
    double truth[XPL_FIT_MAX_SIZE], wrong_linear = 0, wrong = 0, *field = XPL_NEW_ARRAY(*state, double, all->n);
    struct xpl_estimate estimate;
    struct xpl_fit *fit;

    for (xpl_mask mask = 0; mask < all->n; mask++)
        field[mask] = two_pairs(mask, 0);
    xpl_field_weights(field, 12, XPL_FIT_KERNEL_WIDTH, truth);
    assert_int_equal(xpl_fit_factor(*state, &rows, &fit, NULL), XPL_OK);
    estimate = estimate_of(state, fit, NULL, true, scores_of(state, design, two_pairs));
    for (uint32_t j = 1; j <= 12; j++) {
        wrong_linear += fabs(estimate.linear.coefficients[j] - truth[j]);
        wrong += fabs(estimate.coefficients[j] - truth[j]);
    }
    assert_true(wrong < 0.2 * wrong_linear);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_factor_and_its_inverse_give_the_matrix_and_the_unit_matrix),
        TEST(a_matrix_that_is_not_positive_definite_is_refused),
        TEST(masks_that_were_not_scored_are_predicted),
        TEST(left_out_predictions_are_those_of_a_surrogate_without_the_row),
        TEST(rows_it_did_not_learn_from_are_predicted_by_those_it_did),
        TEST(rows_in_blocks_say_the_same_as_rows_in_any_order),
        TEST(what_a_block_would_tell_is_known_before_it_is_scored),
        TEST(answers_of_0_and_1_are_learnt_as_they_are),
        TEST(scores_that_do_not_vary_have_no_surrogate),
        TEST(weights_of_a_known_function_are_those_of_the_fit_to_all_masks),
        TEST(without_a_surrogate_the_estimate_is_the_linear_fit),
        TEST(the_surrogate_makes_weights_better_where_zones_do_not_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
