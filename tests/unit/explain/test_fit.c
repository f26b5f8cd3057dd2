/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/explain/explain_test.h"

#include <math.h>
#include <string.h>

#include "lib/explain/designs/design.h"
#include "lib/explain/fitting/confidence.h"
#include "lib/explain/fitting/estimate.h"
#include "tests/tools/fit_case.h"

#define VECTORS "tests/parity/vectors.txt"

static const uint8_t seed[XPL_HASH_BYTES] = {0};

static struct xpl_fit_rows rows_of(void **state, uint32_t d, enum xpl_design_mode mode, uint32_t budget)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_design *design = NULL;
    uint32_t stage;

    params.design = mode;
    params.budget = budget;
    assert_int_equal(xpl_design_plan(*state, d, &params, seed, &design, NULL), XPL_OK);
    stage = design->n_stages > 2 ? 2 : 0; /* the first one of strength 5 */
    return (struct xpl_fit_rows){design->masks, design->repeats, design->stages[stage].end, d, 0, 0};
}

static struct xpl_fit *factor(void **state, const struct xpl_fit_rows *rows)
{
    struct xpl_fit *fit = NULL;

    assert_int_equal(xpl_fit_factor(*state, rows, &fit, NULL), XPL_OK);
    return fit;
}

static void standard_errors(void **state, const struct xpl_fit *fit, const double *scores, double *ret)
{
    struct xpl_estimate_rows rows = {.fit = fit};
    struct xpl_estimate estimate;

    assert_int_equal(xpl_estimate_class(*state, &rows, scores, &estimate, NULL), XPL_OK);
    memcpy(ret, estimate.standard_errors, fit->rows.n_segments * sizeof *ret);
}

/* A score that is not additive: a product over some superpixels and a sum over others. */
static double mixed(xpl_mask mask)
{
    double sum = 0.1 + 0.2 * (double)(mask & 1) - 0.1 * (double)(mask >> 3 & 1);

    return (mask & 6) == 6 ? sum + 0.5 : sum * sum;
}

static double *score_rows(void **state, const struct xpl_fit_rows *rows, double (*f)(xpl_mask mask))
{
    double *scores = XPL_NEW_ARRAY(*state, double, rows->n);

    assert_non_null(scores);
    for (size_t i = 0; i < rows->n; i++)
        scores[i] = f(rows->masks[i]);
    return scores;
}

static double additive(xpl_mask mask)
{
    double sum = 0.25;

    for (uint32_t j = 0; j < 12; j++)
        sum += (double)(mask >> j & 1) * 0.01 * ((double)j - 4);
    return sum;
}

static double one_third(xpl_mask mask)
{
    (void)mask;
    return 1.0 / 3.0;
}

static void the_kernel_falls_from_1_for_all_on_to_exp_minus_8_for_all_off(void **state)
{
    (void)state;
    assert_near(xpl_fit_kernel(12, 12, XPL_FIT_KERNEL_WIDTH), 1, 0);
    assert_near(xpl_fit_kernel(0, 12, XPL_FIT_KERNEL_WIDTH), exp(-8), 1e-12);
    assert_near(xpl_fit_kernel(3, 12, XPL_FIT_KERNEL_WIDTH), exp(-2), 1e-12);
    for (uint32_t shown = 0; shown < 12; shown++)
        assert_true(xpl_fit_kernel(shown, 12, XPL_FIT_KERNEL_WIDTH) <
                    xpl_fit_kernel(shown + 1, 12, XPL_FIT_KERNEL_WIDTH));
}

static void an_additive_score_is_recovered_exactly(void **state)
{
    struct xpl_fit_rows rows = rows_of(state, 12, XPL_DESIGN_AUTO, 0);
    double *scores = score_rows(state, &rows, additive), errors[XPL_MAX_SEGMENTS];
    struct xpl_fit *fit = factor(state, &rows);
    struct xpl_fit_result result;

    xpl_fit_solve(fit, scores, &result);
    standard_errors(state, fit, scores, errors);
    assert_near(result.coefficients[0], 0.25, 1e-12);
    for (uint32_t j = 0; j < 12; j++) {
        assert_near(result.coefficients[j + 1], 0.01 * ((double)j - 4), 1e-12);
        assert_near(errors[j], 0, 1e-12);
    }
    assert_near(result.r2, 1, 1e-12);
    assert_near(xpl_confidence_q2(fit, scores, &result), 1, 1e-12);
}

static void a_constant_score_has_no_weights_and_no_r2(void **state)
{
    struct xpl_fit_rows rows = rows_of(state, 12, XPL_DESIGN_AUTO, 0);
    double *scores = score_rows(state, &rows, one_third);
    struct xpl_fit *fit = factor(state, &rows);
    struct xpl_fit_result result;

    xpl_fit_solve(fit, scores, &result);
    assert_true(result.constant);
    assert_near(result.coefficients[0], 1.0 / 3.0, 1e-12);
    for (uint32_t j = 0; j < 12; j++)
        assert_near(result.coefficients[j + 1], 0, 0);
    assert_true(isnan(result.r2));
    assert_true(isnan(xpl_confidence_q2(fit, scores, &result)));
}

static double binomial(uint32_t n, uint32_t k)
{
    double result = 1;

    for (uint32_t i = 0; i < k; i++)
        result = result * (n - i) / (i + 1);
    return result;
}

/* beta_j = E_P[phi_j f], P(z) ~ w(|z|): Garreau & Mardaoui 2021. */
static double closed_form(uint32_t d, uint32_t segment, double (*f)(xpl_mask mask))
{
    double total = 0, ones = 0, pairs = 0, beta = 0, m, v, c;

    for (uint32_t k = 0; k <= d; k++) {
        double p = binomial(d, k) * xpl_fit_kernel(k, d, XPL_FIT_KERNEL_WIDTH);

        total += p;
        ones += p * k;
        pairs += p * k * (k - 1.0);
    }
    m = ones / total / d;
    v = m * (1 - m);
    c = pairs / total / (d * (d - 1.0)) - m * m;
    for (xpl_mask mask = 0; mask >> d == 0; mask++) {
        uint32_t shown = (uint32_t)__builtin_popcountll(mask);
        double phi = (((double)(mask >> segment & 1) - m) - c * (shown - d * m) / (v - c + d * c)) / (v - c);

        beta += xpl_fit_kernel(shown, d, XPL_FIT_KERNEL_WIDTH) / total * phi * f(mask);
    }
    return beta;
}

static void all_masks_give_the_closed_form(void **state)
{
    for (uint32_t d = 4; d <= 10; d += 3) {
        struct xpl_fit_rows rows = rows_of(state, d, XPL_DESIGN_EXACT, 0);
        struct xpl_fit_result result;

        xpl_fit_solve(factor(state, &rows), score_rows(state, &rows, mixed), &result);
        for (uint32_t j = 0; j < d; j++)
            assert_near(result.coefficients[j + 1], closed_form(d, j, mixed), 1e-11);
    }
}

/* The weighted sum of squares that Q2 is about, by fitting again without each row. */
static double refitted_q2(void **state, const struct xpl_fit_rows *rows, const double *scores)
{
    xpl_mask *masks = XPL_NEW_ARRAY(*state, xpl_mask, rows->n);
    double *left = XPL_NEW_ARRAY(*state, double, rows->n), sum = 0;
    struct xpl_fit_result whole;

    xpl_fit_solve(factor(state, rows), scores, &whole);
    for (size_t out = 0; out < rows->n; out++) {
        struct xpl_fit_rows others = {masks, NULL, 0, rows->n_segments, rows->ridge, 0};
        uint32_t shown = (uint32_t)__builtin_popcountll(rows->masks[out]);
        struct xpl_fit_result result;
        double residual;

        for (size_t i = 0; i < rows->n; i++) {
            if (i == out)
                continue;
            masks[others.n] = rows->masks[i];
            left[others.n++] = scores[i];
        }
        xpl_fit_solve(factor(state, &others), left, &result);
        residual = scores[out] - xpl_fit_predict(&result, rows->n_segments, rows->masks[out]);
        sum += xpl_fit_kernel(shown, rows->n_segments, XPL_FIT_KERNEL_WIDTH) * residual * residual;
    }
    return 1 - sum / whole.variation;
}

static void q2_is_that_of_fits_without_the_row(void **state)
{
    for (int ridge = 0; ridge <= 1; ridge++) {
        struct xpl_fit_rows rows = rows_of(state, 10, XPL_DESIGN_AUTO, 64);
        double *scores = score_rows(state, &rows, mixed);
        struct xpl_fit_result result;
        struct xpl_fit *fit;

        rows.ridge = ridge;
        fit = factor(state, &rows);
        xpl_fit_solve(fit, scores, &result);
        assert_near(xpl_confidence_q2(fit, scores, &result), refitted_q2(state, &rows, scores), 1e-9);
    }
}

static void a_repeated_row_counts_as_often_as_it_is_repeated(void **state)
{
    static const xpl_mask once[] = {7, 1, 2, 4, 3, 0}, twice[] = {7, 1, 1, 2, 4, 4, 4, 3, 0};
    static const uint32_t repeats[] = {1, 2, 1, 3, 1, 1};
    struct xpl_fit_rows short_rows = {once, repeats, 6, 3, 1, 0}, long_rows = {twice, NULL, 9, 3, 1, 0};
    struct xpl_fit *a = factor(state, &short_rows), *b = factor(state, &long_rows);
    double *x = score_rows(state, &short_rows, mixed), *y = score_rows(state, &long_rows, mixed);
    double errors_a[XPL_MAX_SEGMENTS], errors_b[XPL_MAX_SEGMENTS];
    struct xpl_fit_result p, q;

    xpl_fit_solve(a, x, &p);
    xpl_fit_solve(b, y, &q);
    standard_errors(state, a, x, errors_a);
    standard_errors(state, b, y, errors_b);
    for (uint32_t c = 0; c < 4; c++)
        assert_near(p.coefficients[c], q.coefficients[c], 1e-12);
    for (uint32_t j = 0; j < 3; j++)
        assert_near(errors_a[j], errors_b[j], 1e-12);
    assert_near(p.r2, q.r2, 1e-12);
    assert_near(xpl_confidence_q2(a, x, &p), xpl_confidence_q2(b, y, &q), 1e-12);
}

static void masks_that_do_not_tell_superpixels_apart_are_an_error(void **state)
{
    static const xpl_mask masks[] = {3, 0, 3, 0};
    struct xpl_fit_rows rows = {masks, NULL, 4, 2, 0, 0};
    struct xpl_fit *fit = NULL;
    struct xpl_error err = {0};

    assert_int_equal(xpl_fit_factor(*state, &rows, &fit, &err), XPL_INTERNAL);
    assert_null(fit);
}

static void check_vector(void **state, const struct fit_case *given)
{
    struct xpl_fit *fit = factor(state, &given->rows);
    double errors[XPL_MAX_SEGMENTS];
    struct xpl_fit_result result;

    xpl_fit_solve(fit, given->scores, &result);
    standard_errors(state, fit, given->scores, errors);
    for (uint32_t c = 0; c < fit->size; c++)
        assert_near(result.coefficients[c], given->coefficients[c], 1e-9);
    for (uint32_t j = 0; j < given->rows.n_segments; j++)
        assert_near(errors[j], given->errors[j], 1e-9);
    assert_near(result.r2, given->r2, 1e-9);
    assert_near(xpl_confidence_q2(fit, given->scores, &result), given->q2, 1e-9);
}

static void the_recorded_figures_of_other_software_are_met(void **state)
{
    FILE *file = fopen(VECTORS, "r");
    struct fit_case given;
    int found, n = 0;

    assert_non_null(file);
    for (; (found = fit_case_read(*state, file, &given)) > 0; n++)
        check_vector(state, &given);
    fclose(file);
    assert_int_equal(found, 0);
    assert_true(n >= 4);
}

static void intervals_are_normal_quantiles_and_narrower_for_balanced_designs(void **state)
{
    (void)state;
    assert_near(xpl_confidence_factor(0.95, XPL_INTERVAL_RANDOM), 1.959963984540054, 1e-10);
    assert_near(xpl_confidence_factor(0.95, XPL_INTERVAL_DESIGN), 0.75 * 1.959963984540054, 1e-10);
    assert_near(xpl_confidence_factor(0.5, XPL_INTERVAL_RANDOM), 0.6744897501960817, 1e-10);
    assert_near(xpl_confidence_factor(0.999, XPL_INTERVAL_RANDOM), 3.290526731491926, 1e-10);
}

static void a_decision_needs_an_interval_on_one_side_of_zero(void **state)
{
    (void)state;
    assert_int_equal(xpl_confidence_decide(0.3, 0.2, 0.5), XPL_POSITIVE);
    assert_int_equal(xpl_confidence_decide(-0.3, 0.2, 0.5), XPL_NEGATIVE);
    assert_int_equal(xpl_confidence_decide(0.1, 0.2, 0.5), XPL_OPEN);
    assert_int_equal(xpl_confidence_decide(0.01, 0.012, 0.5), XPL_NEGLIGIBLE);
    assert_int_equal(xpl_confidence_decide(0.01, 0.02, 0.5), XPL_OPEN);
    assert_int_equal(xpl_confidence_decide(9e-7, 0, 0.5), XPL_NEGLIGIBLE);
    assert_int_equal(xpl_confidence_decide(9e-7, 0, 1e-6), XPL_OPEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_kernel_falls_from_1_for_all_on_to_exp_minus_8_for_all_off),
        TEST(an_additive_score_is_recovered_exactly),
        TEST(a_constant_score_has_no_weights_and_no_r2),
        TEST(all_masks_give_the_closed_form),
        TEST(q2_is_that_of_fits_without_the_row),
        TEST(a_repeated_row_counts_as_often_as_it_is_repeated),
        TEST(masks_that_do_not_tell_superpixels_apart_are_an_error),
        TEST(the_recorded_figures_of_other_software_are_met),
        TEST(intervals_are_normal_quantiles_and_narrower_for_balanced_designs),
        TEST(a_decision_needs_an_interval_on_one_side_of_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
