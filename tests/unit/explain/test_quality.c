/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/explain/explain_test.h"

#include <math.h>
#include <string.h>

#include "lib/explain/trust/quality.h"

static const xpl_mask all_masks[] = {7, 6, 5, 4, 3, 2, 1, 0};
static const double weights[] = {0.1, 0.5, -0.2};

static struct xpl_quality_index index_of(void **state, size_t n)
{
    struct xpl_quality_index index;

    assert_int_equal(xpl_quality_index_build(*state, all_masks, n, 3, &index, NULL), XPL_OK);
    return index;
}

static struct xpl_class_explanation aucs(const struct xpl_quality_index *index, const double *scores,
                                         const struct xpl_surrogate *surrogate)
{
    static double copy[3];
    struct xpl_class_explanation explained = {.weights = copy};

    memcpy(copy, weights, sizeof copy);
    xpl_quality_aucs(index, scores, surrogate, &explained);
    return explained;
}

static void deletion_goes_from_all_on_by_falling_weight(void **state)
{
    struct xpl_quality_index index = index_of(state, 8);
    double scores[8] = {0.9, 0, 0.5, 0.3, 0, 0, 0, 0.1}; /* 111 -> 101 -> 100 -> 000 */

    assert_near(aucs(&index, scores, NULL).deletion_auc, (0.45 + 0.5 + 0.3 + 0.05) / 3, 1e-12);
}

static void insertion_goes_from_all_off_by_falling_weight(void **state)
{
    struct xpl_quality_index index = index_of(state, 8);
    double scores[8] = {0.9, 0, 0, 0, 0.8, 0.6, 0, 0.1}; /* 000 -> 010 -> 011 -> 111 */

    assert_near(aucs(&index, scores, NULL).insertion_auc, (0.05 + 0.6 + 0.8 + 0.45) / 3, 1e-12);
}

static void a_curve_over_masks_that_were_not_scored_is_not_a_number(void **state)
{
    struct xpl_quality_index index = index_of(state, 7); /* without "all off" */
    double scores[7] = {0.9, 0.1, 0.5, 0.3, 0.8, 0.6, 0.2};
    struct xpl_class_explanation explained = aucs(&index, scores, NULL);

    assert_true(isnan(explained.deletion_auc) && isnan(explained.insertion_auc) && !explained.auc_predicted);
    assert_true(isnan(xpl_quality_sum_gap(&index, scores, weights)));
}

static void a_curve_over_masks_that_were_not_scored_is_predicted_by_a_surrogate(void **state)
{
    struct xpl_quality_index index = index_of(state, 7);
    double scores[7] = {0.9, 0.1, 0.5, 0.3, 0.8, 0.6, 0.2}, field[8] = {0.4, 0, 0, 0, 0, 0, 0, 0};
    struct xpl_surrogate surrogate = {.field = field};
    struct xpl_class_explanation explained = aucs(&index, scores, &surrogate); /* 111 101 100 000; 000 010 011 111 */

    assert_near(explained.deletion_auc, (0.45 + 0.5 + 0.3 + 0.2) / 3, 1e-12);
    assert_near(explained.insertion_auc, (0.2 + 0.6 + 0.8 + 0.45) / 3, 1e-12);
    assert_true(explained.auc_predicted);
}

static void the_sum_gap_compares_the_weights_with_the_whole_change(void **state)
{
    struct xpl_quality_index index = index_of(state, 8);
    double scores[8] = {0.9, 0, 0, 0, 0, 0, 0, 0.2};

    assert_near(xpl_quality_sum_gap(&index, scores, weights), 0.3, 1e-12);
}

static enum xpl_verdict_level judge(void **state, bool exact, double r2, double q2)
{
    double some[] = {0.1, 0.5, -0.2};
    struct xpl_class_explanation explained = {
        .weights = some, .low = some, .high = some, .exact = exact, .change = 1, .r2 = r2, .q2 = q2};

    assert_int_equal(xpl_quality_judge(*state, &explained, 3, NULL), XPL_OK);
    assert_non_null(explained.reason);
    assert_true(strlen(explained.reason) > 20);
    return explained.verdict;
}

static void the_verdict_follows_q2_and_when_exact_r2(void **state)
{
    assert_int_equal(judge(state, false, 1, 0.95), XPL_VERDICT_HIGH);
    assert_int_equal(judge(state, false, 1, 0.949), XPL_VERDICT_MEDIUM);
    assert_int_equal(judge(state, false, 1, 0.8), XPL_VERDICT_MEDIUM);
    assert_int_equal(judge(state, false, 1, 0.79), XPL_VERDICT_LOW);
    assert_int_equal(judge(state, false, 1, -3), XPL_VERDICT_LOW);
    assert_int_equal(judge(state, true, 0.96, NAN), XPL_VERDICT_HIGH);
    assert_int_equal(judge(state, true, 0.5, NAN), XPL_VERDICT_LOW);
}

static void no_weights_give_a_low_verdict_that_says_no_zone_matters(void **state)
{
    double none[] = {1e-10, -1e-10, 0};
    struct xpl_class_explanation explained = {.weights = none, .r2 = 1, .q2 = 1};

    assert_int_equal(xpl_quality_judge(*state, &explained, 3, NULL), XPL_OK);
    assert_int_equal(explained.verdict, XPL_VERDICT_LOW);
    assert_non_null(strcasestr(explained.reason, "no zone matters"));
    explained.constant = true;
    assert_int_equal(xpl_quality_judge(*state, &explained, 3, NULL), XPL_OK);
    assert_int_equal(explained.verdict, XPL_VERDICT_LOW);
    assert_non_null(strcasestr(explained.reason, "no zone matters"));
}

static void what_is_noise_is_not_called_a_combination_of_zones(void **state)
{
    double some[] = {0.1, 0.5, -0.2};
    struct xpl_class_explanation explained = {
        .weights = some, .low = some, .high = some, .change = 1, .q2 = 0.5, .noise_share = 0.4};

    assert_int_equal(xpl_quality_judge(*state, &explained, 3, NULL), XPL_OK);
    assert_int_equal(explained.verdict, XPL_VERDICT_LOW);
    assert_non_null(strstr(explained.reason, "Much of the score is noise"));
    explained.noise_share = 0.2;
    assert_int_equal(xpl_quality_judge(*state, &explained, 3, NULL), XPL_OK);
    assert_non_null(strstr(explained.reason, "combinations"));
    explained.q2 = 0.9;
    assert_int_equal(xpl_quality_judge(*state, &explained, 3, NULL), XPL_OK);
    assert_int_equal(explained.verdict, XPL_VERDICT_MEDIUM);
    assert_non_null(strstr(explained.reason, "some of the score is noise"));
}

/* Weights that add up perfectly say nothing when all of them together are a thousandth of the score. */
static void a_score_that_hardly_changes_gives_a_low_verdict(void **state)
{
    double some[] = {2e-4, -1e-4, 1e-4}, scores[] = {0.5571, 0.5575, 0.5569}, rare[] = {4e-4, 1e-4, 2e-4};
    struct xpl_class_explanation explained = {.weights = some, .low = some, .high = some, .r2 = 1, .q2 = 1};

    explained.change = xpl_quality_change(scores, 3);
    assert_near(explained.change, 6e-4 / 0.5575, 1e-12);
    assert_int_equal(xpl_quality_judge(*state, &explained, 3, NULL), XPL_OK);
    assert_int_equal(explained.verdict, XPL_VERDICT_LOW);
    assert_non_null(strstr(explained.reason, "Hardly any zone matters"));
    explained.change = xpl_quality_change(rare, 3); /* an improbable class may lose all it has */
    assert_near(explained.change, 0.75, 1e-12);
    assert_int_equal(xpl_quality_judge(*state, &explained, 3, NULL), XPL_OK);
    assert_int_equal(explained.verdict, XPL_VERDICT_HIGH);
    assert_near(xpl_quality_change((double[]){0, 0}, 2), 0, 0);
}

/* A low verdict is no word about how sure the weights are. */
static void the_verdict_tells_how_well_the_weights_are_known(void **state)
{
    double some[] = {0.1, -0.5, 0.2}, low[] = {0.08, -0.54, 0.2}, high[] = {0.12, -0.46, 0.2};
    struct xpl_class_explanation explained = {.weights = some, .low = low, .high = high, .change = 1, .q2 = 0.3};

    assert_int_equal(xpl_quality_judge(*state, &explained, 3, NULL), XPL_OK);
    assert_near(explained.weight_error, 0.08, 1e-12);
    assert_int_equal(explained.verdict, XPL_VERDICT_LOW);
    assert_non_null(strstr(explained.reason, "known to 8 % of the largest"));
    low[2] = -0.1;
    high[2] = 0.5;
    assert_int_equal(xpl_quality_judge(*state, &explained, 3, NULL), XPL_OK);
    assert_non_null(strstr(explained.reason, "known only to 60 % of the largest"));
    high[2] = 5;
    assert_int_equal(xpl_quality_judge(*state, &explained, 3, NULL), XPL_OK);
    assert_non_null(strstr(explained.reason, "too uncertain to tell anything"));
    memcpy(low, some, sizeof low);
    memcpy(high, some, sizeof high);
    high[0] += 1e-9;
    assert_int_equal(xpl_quality_judge(*state, &explained, 3, NULL), XPL_OK);
    assert_non_null(strstr(explained.reason, "known to less than 0.1 % of the largest"));
    explained.low = explained.high = some;
    assert_int_equal(xpl_quality_judge(*state, &explained, 3, NULL), XPL_OK);
    assert_non_null(strstr(explained.reason, "are exact"));
    explained.unrepeated = true;
    assert_int_equal(xpl_quality_judge(*state, &explained, 3, NULL), XPL_OK);
    assert_non_null(strstr(explained.reason, "exact if the model repeats itself"));
    explained.q2 = 1;
    explained.untried = true;
    assert_int_equal(xpl_quality_judge(*state, &explained, 3, NULL), XPL_OK);
    assert_int_equal(explained.verdict, XPL_VERDICT_MEDIUM);
    assert_non_null(strstr(explained.reason, "not tried on others"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(deletion_goes_from_all_on_by_falling_weight),
        TEST(insertion_goes_from_all_off_by_falling_weight),
        TEST(a_curve_over_masks_that_were_not_scored_is_not_a_number),
        TEST(a_curve_over_masks_that_were_not_scored_is_predicted_by_a_surrogate),
        TEST(the_sum_gap_compares_the_weights_with_the_whole_change),
        TEST(the_verdict_follows_q2_and_when_exact_r2),
        TEST(what_is_noise_is_not_called_a_combination_of_zones),
        TEST(a_score_that_hardly_changes_gives_a_low_verdict),
        TEST(the_verdict_tells_how_well_the_weights_are_known),
        TEST(no_weights_give_a_low_verdict_that_says_no_zone_matters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
