/* SPDX-License-Identifier: Apache-2.0 */
/* The verdicts of whole explanations: of classes that mirror each other, and of models that do not repeat themselves.
 */
#include "tests/unit/explain/explain_test.h"

#include <math.h>
#include <string.h>

#include "tests/unit/explain/models.h"

static struct xpl_explanation *explain(void **state, model_fn f, uint32_t d, uint32_t n_classes,
                                       enum xpl_design_mode mode)
{
    struct xpl_explain_params params = xpl_explain_params_default();

    params.design = mode;
    params.classes = XPL_CLASSES_ALL;
    return explain_model(*state, f, d, n_classes, &params);
}

/* ---- two classes ---- */

static double shift, spread; /* of logits */

static double shifted(xpl_mask mask, uint32_t class_index)
{
    double sum = shift, p;

    for (uint32_t j = 0; j < 12; j++)
        sum += spread * (mask >> j & 1 ? 1 : -1) * (j % 3 == 0 ? 1 : j % 3 == 1 ? -0.5 : 0.1);
    p = 1 / (1 + exp(-sum));
    return class_index == 0 ? p : 1 / (1 + exp(sum));
}

/* The same with a third class that hardly ever is the answer. */
static double shifted_of_three(xpl_mask mask, uint32_t class_index)
{
    return class_index == 2 ? 1e-6 : shifted(mask, class_index) * (1 - 1e-6);
}

/* As a model answers that rounds to three digits. */
static double rounded(xpl_mask mask, uint32_t class_index)
{
    return nearbyint(1000 * shifted(mask, class_index)) / 1000;
}

/* Lowest and highest of a class over all masks. */
static double keeps_within(model_fn f, uint32_t d, uint32_t class_index)
{
    double low = 1, high = 0;

    for (xpl_mask mask = 0; mask >> d == 0; mask++) {
        low = fmin(low, f(mask, class_index));
        high = fmax(high, f(mask, class_index));
    }
    return (high - low) / high;
}

static void two_classes_that_mirror_each_other_get_one_verdict(void **state)
{
    static const enum xpl_design_mode modes[] = {XPL_DESIGN_EXACT, XPL_DESIGN_AUTO, XPL_DESIGN_ADAPTIVE};
    static const double spreads[] = {0.01, 0.1, 0.5};
    uint32_t n_low = 0, n_other = 0, n_rare = 0;

    for (size_t i = 0; i < 3 * 3 * 33; i++) {
        uint32_t d = modes[i % 3] == XPL_DESIGN_EXACT ? 8 : 12;
        const struct xpl_class_explanation *c;
        bool hardly;

        shift = -8 + 0.5 * (double)(i / 9);
        spread = spreads[i / 3 % 3];
        c = explain(state, shifted, d, 2, modes[i % 3])->classes;
        hardly = fmin(keeps_within(shifted, d, 0), keeps_within(shifted, d, 1)) < 0.01;
        assert_int_equal(c[0].verdict, c[1].verdict);
        if (hardly) {
            assert_int_equal(c[0].verdict, XPL_VERDICT_LOW);
            assert_non_null(strstr(c[0].reason, "Hardly any zone matters"));
            assert_non_null(strstr(c[1].reason, "Hardly any zone matters"));
            n_rare += strstr(c[1].reason, "mirror image") != NULL;
        }
        n_low += hardly;
        n_other += c[0].verdict != XPL_VERDICT_LOW;
    }
    assert_true(n_low > 50 && n_other > 50 && n_rare > 50);
}

static void classes_of_a_model_that_rounds_mirror_each_other_too(void **state)
{
    for (shift = 3; shift < 7; shift += 0.25) {
        const struct xpl_class_explanation *c;

        spread = 0.5;
        c = explain(state, rounded, 8, 2, XPL_DESIGN_EXACT)->classes;
        assert_int_equal(c[0].verdict, c[1].verdict);
    }
}

/* An improbable class of many is no other one's mirror: it may lose all it has. */
static void a_class_of_more_than_two_is_judged_by_itself(void **state)
{
    struct xpl_explanation *e;

    shift = 6;
    spread = 0.2;
    e = explain(state, shifted_of_three, 8, 3, XPL_DESIGN_EXACT);
    assert_int_equal(e->classes[0].verdict, XPL_VERDICT_LOW);
    assert_int_equal(e->classes[1].verdict, XPL_VERDICT_MEDIUM);
}

/* Two answers that are no probabilities of one question. */
static double independent(xpl_mask mask, uint32_t class_index)
{
    return class_index == 0 ? 0.9 + 1e-4 * (double)(mask & 1) : 0.1 + 0.1 * (double)(mask >> 1 & 1);
}

static void two_classes_that_do_not_make_up_one_are_judged_by_themselves(void **state)
{
    struct xpl_explanation *e = explain(state, independent, 6, 2, XPL_DESIGN_AUTO);

    assert_int_equal(e->classes[0].verdict, XPL_VERDICT_LOW);
    assert_int_equal(e->classes[1].verdict, XPL_VERDICT_HIGH);
}

/* ---- noise ---- */

static double noise;
static struct xpl_stream noise_stream;

static double even_noise(void)
{
    return noise * (2 * ldexp((double)(xpl_stream_next(&noise_stream) >> 11), -53) - 1);
}

/* Four zones that add up. The noise is drawn anew for each answer; class 1 is what is left of it. */
static double noisy_sum(xpl_mask mask, uint32_t class_index)
{
    static double p;

    if (class_index == 0)
        p = 0.5 + 0.03 * __builtin_popcountll(mask & 15) + even_noise();
    return class_index == 0 ? p : 1 - p;
}

/* A combination of two zones, and noise that is small beside it. */
static double noisy_pair(xpl_mask mask, uint32_t class_index)
{
    static double p;

    if (class_index == 0)
        p = 0.5 + ((mask & 3) == 0 || (mask & 3) == 3 ? 0.2 : 0) + even_noise();
    return class_index == 0 ? p : 1 - p;
}

static struct xpl_explanation *explain_noisy(void **state, model_fn f, uint32_t d, double amplitude)
{
    static const uint8_t seed[XPL_HASH_BYTES] = {7};

    noise = amplitude;
    xpl_stream_start(&noise_stream, seed);
    return explain(state, f, d, 2, XPL_DESIGN_AUTO);
}

static void the_verdict_names_noise_that_is_most_of_what_weights_leave_open(void **state)
{
    for (uint32_t d = 6; d <= 12; d += 6) {
        for (uint32_t i = 0; i < 2; i++) {
            struct xpl_class_explanation c = explain_noisy(state, noisy_sum, d, 0.15)->classes[i];

            assert_int_equal(c.verdict, XPL_VERDICT_LOW);
            assert_true(c.noise > 0.05 && c.noise_share > 0.5);
            assert_non_null(strstr(c.reason, "Much of the score is noise of the model's own"));
            c = explain_noisy(state, noisy_sum, d, 0.02)->classes[i];
            assert_int_equal(c.verdict, XPL_VERDICT_MEDIUM);
            assert_true(c.noise_share > 0.02 && c.noise_share < 0.3);
            assert_non_null(strstr(c.reason, "some of the score is noise of the model's own"));
        }
    }
}

static void the_verdict_names_combinations_where_noise_is_the_smaller_part(void **state)
{
    for (uint32_t d = 6; d <= 12; d += 6) {
        struct xpl_class_explanation c = explain_noisy(state, noisy_pair, d, 0.02)->classes[0];

        assert_int_equal(c.verdict, XPL_VERDICT_LOW);
        assert_true(c.noise_share > 0.001 && c.noise_share < 0.1);
        assert_non_null(strstr(c.reason, "combinations"));
        assert_null(strstr(c.reason, "noise"));
    }
}

static void a_model_that_repeats_itself_has_no_share_of_noise(void **state)
{
    struct xpl_class_explanation c = explain_noisy(state, noisy_sum, 12, 0)->classes[0];

    assert_true(c.noise <= 0 && c.noise_share <= 0);
    assert_int_equal(c.verdict, XPL_VERDICT_HIGH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_classes_that_mirror_each_other_get_one_verdict),
        TEST(classes_of_a_model_that_rounds_mirror_each_other_too),
        TEST(a_class_of_more_than_two_is_judged_by_itself),
        TEST(two_classes_that_do_not_make_up_one_are_judged_by_themselves),
        TEST(the_verdict_names_noise_that_is_most_of_what_weights_leave_open),
        TEST(the_verdict_names_combinations_where_noise_is_the_smaller_part),
        TEST(a_model_that_repeats_itself_has_no_share_of_noise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
