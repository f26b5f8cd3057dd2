/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in an explanation. */
#include "tests/unit/explain/explain_test.h"

#include <math.h>
#include <string.h>

#include "tests/unit/explain/models.h"

struct setting {
    struct model model;
    struct xpl_segments segments;
    struct xpl_explain_input in;
};

static struct setting *setting_of(void **state, model_fn f, uint32_t d, uint32_t n_classes)
{
    struct setting *setting = XPL_NEW(*state, struct setting);

    assert_non_null(setting);
    setting->model = (struct model){.f = f, .d = d, .n_classes = n_classes};
    setting->in = model_input(&setting->model, &setting->segments);
    return setting;
}

static struct xpl_explanation *explain(void **state, struct setting *setting)
{
    struct xpl_explanation *explanation = NULL;
    struct xpl_error err = {0};

    assert_int_equal(xpl_explain(*state, &setting->in, &explanation, &err), XPL_OK);
    return explanation;
}

static void a_constant_model_yields_no_signed_zone(void **state)
{
    struct xpl_explanation *e = explain(state, setting_of(state, constant, 12, 2));

    for (uint32_t i = 0; i < e->n_classes; i++) {
        const struct xpl_class_explanation *c = &e->classes[i];

        assert_true(c->constant);
        assert_true(isnan(c->r2) && isnan(c->q2));
        assert_int_equal(c->verdict, XPL_VERDICT_LOW);
        assert_near(c->local_prediction, c->probability, 1e-12);
        for (uint32_t j = 0; j < 12; j++) {
            assert_int_equal(c->decisions[j], XPL_NEGLIGIBLE);
            assert_near(c->weights[j], 0, 0);
            assert_near(c->low[j], 0, 0);
            assert_near(c->high[j], 0, 0);
        }
    }
}

static void one_zone_is_found_and_the_others_are_negligible(void **state)
{
    struct xpl_explanation *e = explain(state, setting_of(state, fourth_superpixel, 13, 2));
    const struct xpl_class_explanation *c = &e->classes[0];

    assert_int_equal(c->index, 0);
    for (uint32_t j = 0; j < 13; j++) {
        assert_near(c->weights[j], j == 3 ? 0.6 : 0, 1e-12);
        assert_int_equal(c->decisions[j], j == 3 ? XPL_POSITIVE : XPL_NEGLIGIBLE);
        assert_int_equal(e->classes[1].decisions[j], j == 3 ? XPL_NEGATIVE : XPL_NEGLIGIBLE);
    }
    assert_near(c->sum_gap, 0, 1e-12);
    assert_near(c->probability, 0.8, 0);
    assert_near(c->intercept, 0.2, 1e-12);
}

static void the_classes_of_a_binary_model_mirror_each_other(void **state)
{
    struct xpl_explanation *e = explain(state, setting_of(state, all_of_first_six, 10, 2));

    assert_int_equal(e->n_classes, 2);
    for (uint32_t j = 0; j < 10; j++)
        assert_near(e->classes[0].weights[j], -e->classes[1].weights[j], 1e-12);
}

static void an_exact_explanation_has_intervals_of_no_width_and_no_q2(void **state)
{
    struct xpl_explanation *e = explain(state, setting_of(state, all_of_first_six, 8, 2));
    const struct xpl_class_explanation *c = &e->classes[0];

    assert_true(c->exact);
    assert_true(isnan(c->q2));
    assert_true(c->r2 > 0 && c->r2 < 0.8);
    assert_memory_equal(c->low, c->weights, 8 * sizeof(double));
    assert_memory_equal(c->high, c->weights, 8 * sizeof(double));
    assert_false(isnan(c->deletion_auc) || isnan(c->insertion_auc));
}

static void intervals_hold_the_exact_weights_and_widen_with_confidence(void **state)
{
    struct setting *exact = setting_of(state, saturated, 12, 2);
    struct setting *narrow = setting_of(state, saturated, 12, 2), *wide = setting_of(state, saturated, 12, 2);
    struct xpl_class_explanation *truth, *half, *most;

    exact->in.params.design = XPL_DESIGN_EXACT;
    narrow->in.params.confidence = 0.5;
    wide->in.params.confidence = 0.99;
    truth = explain(state, exact)->classes;
    half = explain(state, narrow)->classes;
    most = explain(state, wide)->classes;
    for (uint32_t j = 0; j < 12; j++) {
        assert_true(most->low[j] <= truth->weights[j] && truth->weights[j] <= most->high[j]);
        assert_true(most->high[j] - most->low[j] > half->high[j] - half->low[j]);
    }
}

static void curves_over_masks_that_were_not_scored_say_that_they_are_predicted(void **state)
{
    struct xpl_explanation *e = explain(state, setting_of(state, additive, 16, 2));

    assert_true(e->classes[0].auc_predicted);
    assert_true(isfinite(e->classes[0].deletion_auc) && isfinite(e->classes[0].insertion_auc));
    e = explain(state, setting_of(state, additive, 6, 2));
    assert_false(e->classes[0].auc_predicted);
    assert_true(isfinite(e->classes[0].deletion_auc) && isfinite(e->classes[0].insertion_auc));
}

/* Noise that is known: evenly within 0.035 of what it would be. */
static double noisy(xpl_mask mask, uint32_t class_index)
{
    static uint64_t state;
    double p;

    state = state * 6364136223846793005u + 1442695040888963407u;
    p = 0.4 + 0.05 * __builtin_popcountll(mask & 15) + 0.07 * ((double)(state >> 40) / (1 << 24) - 0.5);
    return class_index == 0 ? p : 1 - p;
}

static void a_model_that_does_not_repeat_itself_is_told_of_and_widens_the_intervals(void **state)
{
    struct setting *setting = setting_of(state, noisy, 6, 1);
    struct xpl_explanation *e;
    uint32_t covered = 0;

    e = explain(state, setting);
    assert_true(e->exact && e->repeats > 0 && e->difference <= 0.07);
    assert_true(e->classes[0].noise > 0.01 && e->classes[0].noise < 0.03);
    assert_near(e->classes[0].noise_share, 1 - e->classes[0].r2, 0.1); /* nothing else is left open by the weights */
    assert_true(e->classes[0].noise_share > 0.05);
    assert_int_equal(e->n_warnings, 1);
    assert_near(e->classes[0].probability, 0.6, 0.02);
    for (uint32_t j = 0; j < 6; j++) {
        double truth = j < 4 ? 0.05 : 0;

        assert_true(e->classes[0].high[j] - e->classes[0].low[j] > 0.005);
        covered += e->classes[0].low[j] <= truth && truth <= e->classes[0].high[j];
    }
    assert_true(covered >= 5);
    assert_true(explain(state, setting_of(state, additive, 6, 2))->repeats > 0);
    assert_true(explain(state, setting_of(state, additive, 6, 2))->classes[0].noise <= 0);
}

/* Another value for every mask: nothing to learn, nothing that weights can show. */
static double by_chance(xpl_mask mask, uint32_t class_index)
{
    double p = 0.2 + 0.6 * (double)((uint32_t)mask * 2654435761u >> 8 & 0xffff) / 0xffff;

    return class_index == 0 ? p : 1 - p;
}

static void further_figures_say_how_far_weights_can_be_trusted(void **state)
{
    struct xpl_explanation *e = explain(state, setting_of(state, additive, 8, 2));

    assert_near(e->classes[0].not_additive, 0, 1e-9);
    assert_near(e->classes[0].infidelity, 0, 1e-9);
    assert_near(e->classes[0].top_stability, 1, 1e-12);
    e = explain(state, setting_of(state, additive, 12, 2));
    assert_near(e->classes[0].not_additive, 0, 1e-6); /* though a surrogate in logits bends a little */
    e = explain(state, setting_of(state, by_chance, 12, 2));
    assert_true(e->classes[0].not_additive > 0.9); /* though a surrogate that knows nothing is flat */
    e = explain(state, setting_of(state, parity, 8, 2));
    assert_true(e->classes[0].not_additive > 0.99 && e->classes[0].infidelity > 0.9);
    e = explain(state, setting_of(state, all_of_first_six, 12, 2));
    assert_true(e->classes[0].not_additive > 0.3);
    e = explain(state, setting_of(state, constant, 8, 2));
    assert_true(isnan(e->classes[0].not_additive) && isnan(e->classes[0].infidelity) &&
                isnan(e->classes[0].top_stability));
}

static void a_budget_that_is_the_design_leaves_no_call_to_ask_again(void **state)
{
    struct setting *setting = setting_of(state, additive, 6, 2);

    setting->in.params.budget = 64;
    assert_int_equal(explain(state, setting)->repeats, 0);
    assert_int_equal(setting->model.checks, 0);
}

static void top2_are_the_two_most_probable_in_order(void **state)
{
    struct xpl_explanation *e = explain(state, setting_of(state, additive, 4, 2)); /* class 1 is the likelier */

    assert_int_equal(e->n_classes, 2);
    assert_int_equal(e->classes[0].index, 1);
    assert_int_equal(e->classes[1].index, 0);
    e = explain(state, setting_of(state, many, 6, 30));
    assert_int_equal(e->n_classes, 2);
    assert_int_equal(e->classes[0].index, 0);
    assert_int_equal(e->classes[1].index, 1);
}

static void all_classes_come_most_probable_first(void **state)
{
    struct setting *setting = setting_of(state, many, 6, 30);
    struct xpl_explanation *e;

    setting->in.params.classes = XPL_CLASSES_ALL;
    e = explain(state, setting);
    assert_int_equal(e->n_classes, 30);
    assert_int_equal(e->n_kept, 30);
    for (uint32_t i = 1; i < 30; i++)
        assert_true(e->classes[i - 1].probability >= e->classes[i].probability);
}

static void scores_are_kept_of_16_classes_and_the_asked_ones(void **state)
{
    struct setting *setting = setting_of(state, many, 6, 30);
    struct xpl_explanation *e;

    setting->in.params.classes = XPL_CLASSES_LIST;
    setting->in.params.class_list[0] = 28;
    setting->in.params.class_list[1] = 2;
    setting->in.params.n_class_list = 2;
    e = explain(state, setting);
    assert_int_equal(e->n_classes, 2);
    assert_int_equal(e->classes[0].index, 2);
    assert_int_equal(e->classes[1].index, 28);
    assert_int_equal(e->n_kept, 17);
    assert_int_equal(e->kept_classes[16], 28);
    for (size_t i = 0; i < e->calls; i++)
        for (uint32_t k = 0; k < e->n_kept; k++)
            assert_near(e->kept_scores[i * e->n_kept + k], (float)many(e->masks[i], e->kept_classes[k]), 0);
}

static void a_class_the_model_does_not_have_is_refused(void **state)
{
    struct setting *setting = setting_of(state, many, 6, 30);
    struct xpl_explanation *e = NULL;
    struct xpl_error err = {0};

    setting->in.params.classes = XPL_CLASSES_LIST;
    setting->in.params.class_list[0] = 30;
    setting->in.params.n_class_list = 1;
    assert_int_equal(xpl_explain(*state, &setting->in, &e, &err), XPL_BAD_FIELD);
    assert_string_equal(err.field, "parameters.image.classes");
}

static void the_scores_of_a_trial_call_are_used_and_counted(void **state)
{
    struct setting *setting = setting_of(state, additive, 12, 2), *other = setting_of(state, additive, 12, 2);
    double full[2] = {additive(0xFFF, 0), additive(0xFFF, 1)};
    struct xpl_explanation *with, *without;

    setting->in.full_scores = full;
    with = explain(state, setting);
    without = explain(state, other);
    assert_int_equal(with->calls, 256);
    /* and once more to see whether it repeats itself, and those that the fit is tried on */
    assert_int_equal(setting->model.scored, 255 + 1 + with->held_out);
    assert_false(setting->model.seen[0xFFF]);
    assert_memory_equal(with->classes[0].weights, without->classes[0].weights, 12 * sizeof(double));
}

static void the_same_question_gets_the_same_bytes(void **state)
{
    for (enum xpl_design_mode mode = XPL_DESIGN_AUTO; mode <= XPL_DESIGN_REFERENCE; mode++) {
        struct setting *one = setting_of(state, additive_with_pairs, 12, 2);
        struct setting *two = setting_of(state, additive_with_pairs, 12, 2);
        struct xpl_explanation *a, *b;

        one->in.params.design = two->in.params.design = mode;
        a = explain(state, one);
        b = explain(state, two);
        assert_int_equal(a->calls, b->calls);
        assert_memory_equal(a->masks, b->masks, a->calls * sizeof *a->masks);
        assert_memory_equal(a->kept_scores, b->kept_scores, a->calls * a->n_kept * sizeof *a->kept_scores);
        assert_memory_equal(a->classes[0].weights, b->classes[0].weights, 12 * sizeof(double));
        assert_memory_equal(a->classes[0].low, b->classes[0].low, 12 * sizeof(double));
        assert_memory_equal(&a->classes[0].r2, &b->classes[0].r2, sizeof(double));
    }
}

static void a_given_seed_replaces_that_of_the_task(void **state)
{
    struct setting *plain = setting_of(state, additive, 12, 2), *given = setting_of(state, additive, 12, 2);
    struct setting *again = setting_of(state, additive, 12, 2);
    struct xpl_explanation *a, *b, *c;

    again->in.seed[0] = 99;
    given->in.params.seed_given = again->in.params.seed_given = true;
    given->in.params.seed = again->in.params.seed = 5;
    plain->in.params.design = given->in.params.design = again->in.params.design = XPL_DESIGN_REFERENCE;
    a = explain(state, plain);
    b = explain(state, given);
    c = explain(state, again);
    assert_memory_equal(a->seed, plain->in.seed, XPL_HASH_BYTES);
    assert_memory_not_equal(a->seed, b->seed, XPL_HASH_BYTES);
    assert_memory_equal(b->seed, c->seed, XPL_HASH_BYTES);
    assert_int_equal(b->calls, c->calls);
    assert_memory_equal(b->masks, c->masks, b->calls * sizeof *b->masks);
    assert_true(a->calls != b->calls || memcmp(a->masks, b->masks, a->calls * sizeof *a->masks) != 0);
}

static double not_a_number(xpl_mask mask, uint32_t class_index)
{
    return mask == 5 ? (double)NAN : additive(mask, class_index);
}

static void a_score_that_is_no_number_is_the_models_error(void **state)
{
    struct setting *setting = setting_of(state, not_a_number, 6, 2);
    struct xpl_explanation *e = NULL;
    struct xpl_error err = {0};

    assert_int_equal(xpl_explain(*state, &setting->in, &e, &err), XPL_MODEL_BAD_ANSWER);
    assert_null(e);
}

static void one_superpixel_or_too_many_are_refused(void **state)
{
    static const uint32_t counts[] = {0, 1, 64};

    for (size_t i = 0; i < 3; i++) {
        struct setting *setting = setting_of(state, additive, counts[i], 2);
        struct xpl_explanation *e = NULL;
        struct xpl_error err = {0};

        assert_int_not_equal(xpl_explain(*state, &setting->in, &e, &err), XPL_OK);
        assert_null(e);
    }
}

static void running_out_of_memory_is_an_error_at_any_point(void **state)
{
    struct setting *setting = setting_of(state, additive_with_pairs, 12, 2);
    enum xpl_status st = XPL_NO_MEMORY;
    size_t failures = 0;

    for (size_t bytes = 256; st == XPL_NO_MEMORY && bytes < ARENA_BYTES; bytes += bytes / 4) {
        struct xpl_arena *small = xpl_arena_new(bytes);
        struct xpl_explanation *e = NULL;
        struct xpl_error err = {0};

        st = xpl_explain(small, &setting->in, &e, &err);
        failures += st == XPL_NO_MEMORY;
        assert_true(st == XPL_OK || e == NULL);
        xpl_arena_free(small);
    }
    assert_int_equal(st, XPL_OK);
    assert_true(failures > 5);
}

static void a_fallback_grid_is_mentioned(void **state)
{
    struct setting *setting = setting_of(state, additive, 4, 2);
    struct xpl_explanation *e;

    setting->segments.fell_back = true;
    e = explain(state, setting);
    assert_int_equal(e->n_warnings, 1);
    assert_non_null(strstr(e->warnings[0], "grid"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_constant_model_yields_no_signed_zone),
        TEST(one_zone_is_found_and_the_others_are_negligible),
        TEST(the_classes_of_a_binary_model_mirror_each_other),
        TEST(an_exact_explanation_has_intervals_of_no_width_and_no_q2),
        TEST(intervals_hold_the_exact_weights_and_widen_with_confidence),
        TEST(curves_over_masks_that_were_not_scored_say_that_they_are_predicted),
        TEST(a_model_that_does_not_repeat_itself_is_told_of_and_widens_the_intervals),
        TEST(further_figures_say_how_far_weights_can_be_trusted),
        TEST(a_budget_that_is_the_design_leaves_no_call_to_ask_again),
        TEST(top2_are_the_two_most_probable_in_order),
        TEST(all_classes_come_most_probable_first),
        TEST(scores_are_kept_of_16_classes_and_the_asked_ones),
        TEST(a_class_the_model_does_not_have_is_refused),
        TEST(the_scores_of_a_trial_call_are_used_and_counted),
        TEST(the_same_question_gets_the_same_bytes),
        TEST(a_given_seed_replaces_that_of_the_task),
        TEST(a_score_that_is_no_number_is_the_models_error),
        TEST(one_superpixel_or_too_many_are_refused),
        TEST(running_out_of_memory_is_an_error_at_any_point),
        TEST(a_fallback_grid_is_mentioned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
