/* SPDX-License-Identifier: Apache-2.0 */
/* When the engine goes on, when it stops, and what it says about that. */
#include "tests/unit/explain/explain_test.h"

#include <math.h>
#include <string.h>

#include "lib/explain/designs/design.h"
#include "lib/explain/fitting/fit.h"
#include "lib/explain/fitting/surrogate.h"
#include "tests/unit/explain/models.h"

struct setting {
    struct model model;
    struct xpl_segments segments;
    struct xpl_explain_input in;
};

static struct setting *setting_of(void **state, model_fn f, uint32_t d)
{
    struct setting *setting = XPL_NEW(*state, struct setting);

    assert_non_null(setting);
    setting->model = (struct model){.f = f, .d = d, .n_classes = 2};
    setting->in = model_input(&setting->model, &setting->segments);
    return setting;
}

static struct xpl_explanation *explain(void **state, struct setting *setting)
{
    struct xpl_explanation *explanation = NULL;
    struct xpl_error err = {0};

    assert_int_equal(xpl_explain(*state, &setting->in, &explanation, &err), XPL_OK);
    assert_int_equal(err.status, XPL_OK);
    assert_int_equal(explanation->calls + explanation->held_out, setting->model.scored);
    assert_in_range(setting->model.repeated, 0, explanation->held_out); /* a later stage may have some of them */
    return explanation;
}

static void assert_fails(void **state, struct setting *setting, enum xpl_status expected)
{
    struct xpl_explanation *explanation = NULL;
    struct xpl_error err = {0};

    assert_int_equal(xpl_explain(*state, &setting->in, &explanation, &err), expected);
    assert_int_equal(err.status, expected);
    assert_true(*err.message != '\0');
    assert_null(explanation);
}

static void an_additive_model_needs_256_calls(void **state)
{
    for (uint32_t d = 9; d <= 16; d++) {
        struct xpl_explanation *e = explain(state, setting_of(state, additive, d));

        assert_int_equal(e->calls, 256);
        assert_int_equal(e->stopped, XPL_STOPPED_CONFIDENT);
        assert_string_equal(e->design, "nordstrom_robinson_256");
        assert_int_equal(e->classes[0].verdict, XPL_VERDICT_HIGH);
        assert_int_equal(e->n_warnings, 0);
    }
}

static void up_to_8_superpixels_everything_is_scored(void **state)
{
    for (uint32_t d = 2; d <= 8; d++) {
        struct xpl_explanation *e = explain(state, setting_of(state, parity, d));

        assert_int_equal(e->calls, 1 << d);
        assert_true(e->exact);
        assert_int_equal(e->stopped, XPL_STOPPED_COMPLETE);
        assert_string_equal(e->design, "all_masks");
    }
}

/* The weights of a model of which all is known. */
static void true_weights(void **state, model_fn f, uint32_t d, double *ret)
{
    struct setting *setting = setting_of(state, f, d);
    struct xpl_explanation *e;

    setting->in.params.design = XPL_DESIGN_EXACT;
    e = explain(state, setting);
    assert_true(e->exact);
    memcpy(ret, e->classes[0].weights, d * sizeof *ret);
}

static void a_model_with_some_pairs_is_learned_from_the_first_stage(void **state)
{
    struct xpl_explanation *e = explain(state, setting_of(state, additive_with_pairs, 12));
    double weights[12];

    true_weights(state, additive_with_pairs, 12, weights);
    assert_int_equal(e->calls, 256);
    assert_true(e->held_out == 16 && e->stopped == XPL_STOPPED_CONFIDENT); /* tried before it is believed */
    assert_true(e->classes[0].q2 >= 0.8 && e->classes[0].q2 < 0.95);
    assert_true(e->classes[0].surrogate_q2 > 0.99);
    assert_int_equal(e->classes[0].verdict, XPL_VERDICT_MEDIUM);
    for (uint32_t j = 0; j < 12; j++)
        assert_near(e->classes[0].weights[j], weights[j], 2e-4);
}

static void a_model_that_does_not_add_up_but_is_learned_has_to_prove_it_on_new_masks(void **state)
{
    struct xpl_explanation *e = explain(state, setting_of(state, two_pairs, 12));
    const struct xpl_class_explanation *c = &e->classes[0];
    double weights[12];

    true_weights(state, two_pairs, 12, weights);
    assert_int_equal(e->stages, 2);
    assert_int_equal(e->calls, 512);
    assert_int_equal(e->stopped, XPL_STOPPED_CONFIDENT);
    assert_int_equal(c->verdict, XPL_VERDICT_LOW);
    for (uint32_t j = 0; j < 12; j++) {
        assert_near(c->weights[j], weights[j], 1e-4);
        assert_true(c->low[j] <= weights[j] && weights[j] <= c->high[j]);
        assert_int_equal(c->decisions[j], j < 2 || j == 4 || j == 5 ? XPL_POSITIVE : XPL_NEGLIGIBLE);
    }
}

static void the_next_masks_are_those_that_make_the_weights_surest(void **state)
{
    struct xpl_explanation *e = explain(state, setting_of(state, two_pairs, 12));
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_surrogate_rows rows = {.n = 256, .n_segments = 12, .kernel_width = XPL_FIT_KERNEL_WIDTH};
    double scores[256];
    struct xpl_surrogate *surrogate;
    struct xpl_design *design;
    size_t best = 0;

    assert_int_equal(xpl_design_plan(*state, 12, &params, e->seed, &design, NULL), XPL_OK);
    for (size_t i = 0; i < 256; i++)
        scores[i] = two_pairs(design->masks[i], 0);
    rows.masks = design->masks;
    rows.scores = scores;
    rows.further = (struct xpl_blocks){design->masks + 256, 15, 256};
    assert_int_equal(xpl_surrogate_fit(*state, *state, &rows, &surrogate, NULL), XPL_OK);
    for (size_t block = 1; block < 15; block++)
        if (surrogate->gains[block] > surrogate->gains[best])
            best = block;
    assert_true(best > 0);
    assert_memory_equal(e->masks + 256, rows.further.masks + 256 * best, 256 * sizeof *e->masks);
}

static void a_saturated_model_gets_a_low_verdict(void **state)
{
    struct xpl_explanation *e = explain(state, setting_of(state, saturated, 14));

    assert_int_equal(e->calls, 2048);
    assert_int_equal(e->classes[0].verdict, XPL_VERDICT_LOW);
}

/* Of a tree: the leaf of three zones is seldom reached, and rows that do not reach it know nothing of it. */
static double tree(xpl_mask mask, uint32_t class_index)
{
    bool one = (mask & 3) == 3 || (mask & 0x700) == 0x600;

    return one == (class_index == 0);
}

static void what_few_rows_cannot_show_is_in_the_intervals_of_a_tree(void **state)
{
    const uint32_t d = 12;
    double truth[12];
    unsigned covered = 0;

    true_weights(state, tree, d, truth);
    for (uint8_t seed = 0; seed < 10; seed++) {
        struct setting *setting = setting_of(state, tree, d);
        struct xpl_class_explanation *c;

        setting->in.params.design = XPL_DESIGN_ADAPTIVE;
        setting->in.params.budget = 64;
        setting->in.seed[0] = seed;
        c = &explain(state, setting)->classes[0];
        for (uint32_t j = 0; j < d; j++)
            covered += c->low[j] <= truth[j] && truth[j] <= c->high[j];
    }
    assert_true(covered >= 114); /* of 120 */
}

static void parity_climbs_to_the_top_and_gets_a_low_verdict(void **state)
{
    struct xpl_explanation *e = explain(state, setting_of(state, parity, 12));

    assert_int_equal(e->calls, 2048);
    assert_int_equal(e->stages, 8);
    assert_int_equal(e->stopped, XPL_STOPPED_COMPLETE);
    assert_true(e->classes[0].q2 < 0.1);
    assert_int_equal(e->classes[0].verdict, XPL_VERDICT_LOW);
    for (uint32_t j = 0; j < 12; j++)
        assert_int_equal(e->classes[0].decisions[j], XPL_OPEN);
}

static void an_and_of_six_superpixels_shows_the_six_and_admits_that_they_do_not_add_up(void **state)
{
    struct xpl_explanation *e = explain(state, setting_of(state, all_of_first_six, 12));
    const struct xpl_class_explanation *c = &e->classes[0];

    assert_int_equal(e->calls, 2048);
    assert_int_equal(c->verdict, XPL_VERDICT_LOW);
    for (uint32_t j = 0; j < 12; j++) {
        assert_true(j < 6 ? c->weights[j] > 0.03 : fabs(c->weights[j]) < 0.01);
        assert_true(j < 6 ? c->decisions[j] == XPL_POSITIVE : c->decisions[j] != XPL_POSITIVE);
    }
}

static void eleven_superpixels_that_do_not_add_up_end_exact(void **state)
{
    struct xpl_explanation *e = explain(state, setting_of(state, all_of_first_six, 11));

    assert_int_equal(e->calls, 2048);
    assert_int_equal(e->stages, 3);
    assert_true(e->exact);
    assert_int_equal(e->stopped, XPL_STOPPED_COMPLETE);
}

static void a_constant_model_is_not_asked_more_than_once_over(void **state)
{
    struct xpl_explanation *e = explain(state, setting_of(state, constant, 14));

    assert_int_equal(e->calls, 256);
    assert_int_equal(e->stages, 1);
}

static void a_constant_model_of_which_all_masks_were_scored_is_complete(void **state)
{
    struct xpl_explanation *e = explain(state, setting_of(state, constant, 6));

    assert_int_equal(e->stopped, XPL_STOPPED_COMPLETE);
}

static void the_plan_is_told_before_each_stage(void **state)
{
    struct setting *setting = setting_of(state, parity, 12);

    setting->model.fail_with = XPL_MODEL_FAILED;
    setting->model.fail_after = 512;
    assert_fails(state, setting, XPL_MODEL_FAILED);
    assert_int_equal(setting->model.planned, 768);
}

static void a_budget_stops_before_the_stage_that_does_not_fit(void **state)
{
    struct setting *setting = setting_of(state, parity, 12);
    struct xpl_explanation *e;

    setting->in.params.budget = 1000;
    e = explain(state, setting);
    assert_int_equal(e->calls, 768);
    assert_int_equal(e->stopped, XPL_STOPPED_BUDGET);
    assert_int_equal(e->n_warnings, 1);
}

static void a_budget_that_was_not_felt_is_not_blamed(void **state)
{
    struct setting *setting = setting_of(state, additive, 12);

    setting->in.params.budget = 1000;
    assert_int_equal(explain(state, setting)->stopped, XPL_STOPPED_CONFIDENT);
}

static void a_client_that_asks_for_208_perturbations_gets_192_calls(void **state)
{
    struct setting *setting = setting_of(state, additive, 11);
    struct xpl_explanation *e;

    setting->in.params.perturbations_count = 208;
    e = explain(state, setting);
    assert_int_equal(e->calls, 192);
    assert_int_equal(e->stopped, XPL_STOPPED_BUDGET);
    assert_string_equal(e->design, "nordstrom_robinson_192");
    for (uint32_t j = 0; j < 11; j++)
        assert_near(e->classes[0].weights[j], (j % 2 ? 0.005 : -0.005) * (j + 1), 1e-9);
}

static void a_budget_too_small_for_any_design_is_refused(void **state)
{
    struct setting *setting = setting_of(state, additive, 12);

    setting->in.params.budget = 32;
    assert_fails(state, setting, XPL_BAD_FIELD);
    assert_int_equal(setting->model.scored, 0);
}

static void the_deadline_leaves_the_last_complete_stage(void **state)
{
    struct setting *setting = setting_of(state, parity, 12), *whole = setting_of(state, parity, 12);
    struct xpl_explanation *e = NULL, *first;
    struct xpl_error err = {0};

    setting->model.fail_with = XPL_DEADLINE;
    setting->model.fail_after = 400;
    assert_int_equal(xpl_explain(*state, &setting->in, &e, &err), XPL_OK);
    assert_int_equal(err.status, XPL_OK);
    assert_int_equal(e->calls, 256);
    assert_int_equal(e->stages, 1);
    assert_int_equal(e->stopped, XPL_STOPPED_DEADLINE);
    assert_string_equal(e->design, "nordstrom_robinson_256");
    whole->in.params.budget = 256;
    first = explain(state, whole);
    assert_memory_equal(e->classes[0].weights, first->classes[0].weights, 12 * sizeof(double));
}

static void a_deadline_before_the_first_stage_is_an_error(void **state)
{
    struct setting *setting = setting_of(state, parity, 12);

    setting->model.fail_with = XPL_DEADLINE;
    setting->model.fail_after = 100;
    assert_fails(state, setting, XPL_DEADLINE);
}

static void being_cancelled_ends_it_at_any_stage(void **state)
{
    struct setting *setting = setting_of(state, parity, 12);

    setting->model.fail_with = XPL_CANCELLED;
    setting->model.fail_after = 600;
    assert_fails(state, setting, XPL_CANCELLED);
}

static void a_list_goes_on_for_its_worst_class_that_is_not_constant(void **state)
{
    struct setting *setting = setting_of(state, many, 12);

    setting->model.n_classes = setting->in.n_classes = 20;
    setting->in.params.classes = XPL_CLASSES_LIST;
    setting->in.params.class_list[0] = 0;
    setting->in.params.class_list[1] = 3;
    setting->in.params.n_class_list = 2;
    assert_int_equal(explain(state, setting)->calls, 256);

    setting = setting_of(state, many, 12);
    setting->model.n_classes = setting->in.n_classes = 20;
    setting->in.params.classes = XPL_CLASSES_LIST;
    setting->in.params.class_list[0] = 0;
    setting->in.params.class_list[1] = 4;
    setting->in.params.n_class_list = 2;
    assert_true(explain(state, setting)->calls > 256);
}

static void exact_scores_all_masks_however_additive(void **state)
{
    struct setting *setting = setting_of(state, additive, 12);
    struct xpl_explanation *e;

    setting->in.params.design = XPL_DESIGN_EXACT;
    e = explain(state, setting);
    assert_int_equal(e->calls, 4096);
    assert_true(e->exact && e->classes[0].exact);
    assert_int_equal(e->stopped, XPL_STOPPED_COMPLETE);
}

static void reference_scores_the_distinct_masks_of_its_draws(void **state)
{
    struct setting *setting = setting_of(state, additive, 8);
    struct xpl_explanation *e;

    setting->in.params.design = XPL_DESIGN_REFERENCE;
    e = explain(state, setting);
    assert_int_equal(e->calls, 256);
    assert_false(e->exact);
    assert_string_equal(e->design, "uniform");
    assert_int_equal(e->stopped, XPL_STOPPED_COMPLETE);
    for (uint32_t j = 0; j < 8; j++) /* the ridge shrinks by a few per mille */
        assert_near(e->classes[0].weights[j], (j % 2 ? 0.005 : -0.005) * (j + 1), 2e-4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_additive_model_needs_256_calls),
        TEST(up_to_8_superpixels_everything_is_scored),
        TEST(a_model_with_some_pairs_is_learned_from_the_first_stage),
        TEST(a_model_that_does_not_add_up_but_is_learned_has_to_prove_it_on_new_masks),
        TEST(the_next_masks_are_those_that_make_the_weights_surest),
        TEST(a_saturated_model_gets_a_low_verdict),
        TEST(what_few_rows_cannot_show_is_in_the_intervals_of_a_tree),
        TEST(parity_climbs_to_the_top_and_gets_a_low_verdict),
        TEST(an_and_of_six_superpixels_shows_the_six_and_admits_that_they_do_not_add_up),
        TEST(eleven_superpixels_that_do_not_add_up_end_exact),
        TEST(a_constant_model_is_not_asked_more_than_once_over),
        TEST(a_constant_model_of_which_all_masks_were_scored_is_complete),
        TEST(the_plan_is_told_before_each_stage),
        TEST(a_budget_stops_before_the_stage_that_does_not_fit),
        TEST(a_budget_that_was_not_felt_is_not_blamed),
        TEST(a_client_that_asks_for_208_perturbations_gets_192_calls),
        TEST(a_budget_too_small_for_any_design_is_refused),
        TEST(the_deadline_leaves_the_last_complete_stage),
        TEST(a_deadline_before_the_first_stage_is_an_error),
        TEST(being_cancelled_ends_it_at_any_stage),
        TEST(a_list_goes_on_for_its_worst_class_that_is_not_constant),
        TEST(exact_scores_all_masks_however_additive),
        TEST(reference_scores_the_distinct_masks_of_its_draws),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
