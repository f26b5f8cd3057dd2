/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest sets that keep or change the class, against models of which they are known. */
#include "tests/unit/explain/explain_test.h"

#include "tests/unit/explain/models.h"

struct setting {
    struct model model;
    struct xpl_segments segments;
    struct xpl_explain_input in;
};

static struct setting *setting_of(void **state, model_fn f, uint32_t d, enum xpl_design_mode mode)
{
    struct setting *setting = XPL_NEW(*state, struct setting);

    setting->model = (struct model){.f = f, .d = d, .n_classes = 2};
    setting->in = model_input(&setting->model, &setting->segments);
    setting->in.params.contrastive = true;
    setting->in.params.design = mode;
    return setting;
}

static const struct xpl_explanation *explain(void **state, struct setting *setting)
{
    struct xpl_explanation *explanation = NULL;

    assert_int_equal(xpl_explain(*state, &setting->in, &explanation, NULL), XPL_OK);
    assert_true(explanation->contrast.asked);
    return explanation;
}

/* Zones 0, 1, 2 decide by their majority; the others add a little that never does. */
static double majority(xpl_mask mask, uint32_t class_index)
{
    double p = 0.2 * __builtin_popcountll(mask & 7) + 0.2 + 0.0005 * __builtin_popcountll(mask >> 3);

    return class_index == 0 ? p : 1 - p;
}

/* Any of zones 4 and 5 is enough, and both must be hidden. */
static double either(xpl_mask mask, uint32_t class_index)
{
    double p = mask & 0x30 ? 0.8 : 0.3;

    return class_index == 0 ? p : 1 - p;
}

static double always(xpl_mask mask, uint32_t class_index)
{
    double p = 0.6 + 0.01 * __builtin_popcountll(mask);

    return class_index == 0 ? p : 1 - p;
}

static void check_majority(const struct xpl_explanation *e)
{
    const struct xpl_contrast *contrast = &e->contrast;

    assert_int_equal(contrast->class_index, 0);
    assert_true(contrast->positive.found && contrast->negative.found);
    assert_int_equal(__builtin_popcountll(contrast->positive.segments), 2);
    assert_int_equal(__builtin_popcountll(contrast->positive.segments & 7), 2);
    assert_int_equal(contrast->positive.class_index, 0);
    assert_int_equal(__builtin_popcountll(contrast->negative.segments), 2);
    assert_int_equal(__builtin_popcountll(contrast->negative.segments & 7), 2);
    assert_int_equal(contrast->negative.class_index, 1);
    assert_true(contrast->positive.irreducible && contrast->negative.irreducible);
}

static void with_all_masks_the_smallest_sets_are_known_without_a_call(void **state)
{
    struct setting *setting = setting_of(state, majority, 8, XPL_DESIGN_AUTO);
    const struct xpl_explanation *e = explain(state, setting);

    check_majority(e);
    assert_true(e->contrast.positive.smallest && e->contrast.negative.smallest);
    assert_int_equal(e->contrast.calls, 0);
    assert_int_equal(setting->model.scored, 256);
}

static void with_fewer_masks_a_few_calls_find_them(void **state)
{
    static const enum xpl_design_mode modes[] = {XPL_DESIGN_AUTO, XPL_DESIGN_ADAPTIVE, XPL_DESIGN_REFERENCE};

    for (size_t k = 0; k < 3; k++) {
        for (uint32_t d = 12; d <= 30; d += 9) {
            struct setting *setting = setting_of(state, majority, d, modes[k]);
            const struct xpl_explanation *e = explain(state, setting);

            check_majority(e);
            assert_false(e->contrast.positive.smallest);
            assert_in_range(e->contrast.calls, 1, 150);
            assert_int_equal(setting->model.scored, e->calls + e->held_out + e->contrast.calls);
            assert_int_equal(setting->model.repeated, 0);
        }
    }
}

static void zones_that_stand_in_for_each_other_must_all_be_hidden(void **state)
{
    const struct xpl_explanation *e = explain(state, setting_of(state, either, 12, XPL_DESIGN_AUTO));

    assert_int_equal(__builtin_popcountll(e->contrast.positive.segments), 1);
    assert_true((e->contrast.positive.segments & 0x30) != 0);
    assert_true(e->contrast.negative.segments == 0x30);
}

static void a_class_that_never_changes_needs_no_zone_and_has_no_negative(void **state)
{
    const struct xpl_explanation *e = explain(state, setting_of(state, always, 12, XPL_DESIGN_AUTO));

    assert_true(e->contrast.positive.found && e->contrast.positive.segments == 0);
    assert_false(e->contrast.negative.found);
}

static void without_being_asked_nothing_is_searched(void **state)
{
    struct setting *setting = setting_of(state, majority, 12, XPL_DESIGN_AUTO);
    struct xpl_explanation *e = NULL;

    setting->in.params.contrastive = false;
    assert_int_equal(xpl_explain(*state, &setting->in, &e, NULL), XPL_OK);
    assert_false(e->contrast.asked);
    assert_int_equal(setting->model.scored, e->calls + e->held_out);
}

static void the_budget_is_kept(void **state)
{
    struct setting *setting = setting_of(state, majority, 12, XPL_DESIGN_AUTO);
    const struct xpl_explanation *e;

    setting->in.params.budget = 256;
    e = explain(state, setting);
    assert_int_equal(setting->model.scored, 256);
    assert_int_equal(e->contrast.calls, 0);
    assert_true(e->contrast.positive.found); /* among the masks that were scored */
    setting = setting_of(state, majority, 12, XPL_DESIGN_AUTO);
    setting->in.params.budget = 260;
    e = explain(state, setting);
    assert_true(setting->model.scored <= 260);
}

/* Whether a set of `majority` is what is said of it: with any zone less it does not keep, or change, the class. */
static bool is_irreducible(xpl_mask set, uint32_t d, bool negative)
{
    for (xpl_mask left = set; left; left &= left - 1) {
        xpl_mask less = set ^ (left & -left), shown = negative ? less ^ (((xpl_mask)1 << d) - 1) : less;

        if ((majority(shown, 0) > 0.5) != negative)
            return false;
    }
    return true;
}

static void a_search_that_the_budget_ends_does_not_claim_what_it_did_not_see(void **state)
{
    unsigned n_claims = 0, n_open = 0;

    for (uint32_t budget = 257; budget < 300; budget++) {
        struct setting *setting = setting_of(state, majority, 12, XPL_DESIGN_AUTO);
        const struct xpl_contrast *found;

        setting->in.params.budget = budget;
        found = &explain(state, setting)->contrast;
        for (int negative = 0; negative < 2; negative++) {
            const struct xpl_pertinent *set = negative ? &found->negative : &found->positive;

            assert_true(!set->irreducible || is_irreducible(set->segments, 12, negative));
            n_claims += set->irreducible;
            n_open += !set->irreducible;
        }
    }
    assert_true(n_claims > 0 && n_open > 0);
}

/* Never twice the same: with it the whole image is asked for again and again. */
static double noisy(xpl_mask mask, uint32_t class_index)
{
    static uint32_t calls;
    double p = 0.3 + 0.02 * __builtin_popcountll(mask) + 0.01 * (double)(++calls % 7);

    return class_index == 0 ? p : 1 - p;
}

static void the_budget_bounds_all_calls_together(void **state)
{
    static const enum xpl_design_mode modes[] = {XPL_DESIGN_AUTO, XPL_DESIGN_ADAPTIVE, XPL_DESIGN_ARRAY,
                                                 XPL_DESIGN_REFERENCE};

    for (size_t k = 0; k < 4; k++) {
        for (uint32_t budget = 250; budget < 265; budget++) {
            struct setting *setting = setting_of(state, noisy, 12, modes[k]);

            setting->in.params.budget = budget;
            explain(state, setting);
            assert_true(setting->model.scored + setting->model.checks <= budget);
        }
    }
}

static void a_deadline_in_the_search_leaves_what_was_found(void **state)
{
    struct setting *setting = setting_of(state, majority, 12, XPL_DESIGN_AUTO);
    struct xpl_explanation *none = NULL;
    const struct xpl_explanation *e;

    setting->model.fail_after = 257; /* the design, and the whole image again */
    setting->model.fail_with = XPL_DEADLINE;
    e = explain(state, setting);
    assert_true(e->contrast.positive.found);
    setting = setting_of(state, majority, 12, XPL_DESIGN_AUTO);
    setting->model.fail_after = 257;
    setting->model.fail_with = XPL_CANCELLED;
    assert_int_equal(xpl_explain(*state, &setting->in, &none, NULL), XPL_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(with_all_masks_the_smallest_sets_are_known_without_a_call),
        TEST(with_fewer_masks_a_few_calls_find_them),
        TEST(zones_that_stand_in_for_each_other_must_all_be_hidden),
        TEST(a_class_that_never_changes_needs_no_zone_and_has_no_negative),
        TEST(without_being_asked_nothing_is_searched),
        TEST(the_budget_is_kept),
        TEST(a_search_that_the_budget_ends_does_not_claim_what_it_did_not_see),
        TEST(the_budget_bounds_all_calls_together),
        TEST(a_deadline_in_the_search_leaves_what_was_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
