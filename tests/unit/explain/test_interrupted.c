/* SPDX-License-Identifier: Apache-2.0 */
/* The deadline, a cancellation and a failing model at any call of any mode: an answer that says so, or a clean end. */
#include "tests/unit/explain/explain_test.h"

#include "tests/unit/explain/models.h"

struct setting {
    struct model model;
    struct xpl_segments segments;
    struct xpl_explain_input in;
};

struct mode {
    enum xpl_design_mode design;
    uint32_t d;
    bool contrastive;
};

static const struct mode modes[] = {
    {XPL_DESIGN_AUTO, 8, false},     {XPL_DESIGN_AUTO, 12, true},      {XPL_DESIGN_AUTO, 20, false},
    {XPL_DESIGN_AUTO, 40, false},    {XPL_DESIGN_EXACT, 10, true},     {XPL_DESIGN_ARRAY, 14, true},
    {XPL_DESIGN_ARRAY, 25, false},   {XPL_DESIGN_ADAPTIVE, 12, true},  {XPL_DESIGN_ADAPTIVE, 30, false},
    {XPL_DESIGN_REFERENCE, 9, true}, {XPL_DESIGN_REFERENCE, 33, false}};

static enum xpl_status interrupt(void **state, const struct mode *mode, enum xpl_status why, size_t after,
                                 struct xpl_explanation **ret)
{
    XPL_AUTO(xpl_arena) own = xpl_arena_new(ARENA_BYTES);
    struct setting *setting = XPL_NEW(own, struct setting);
    struct xpl_error err = {0};
    enum xpl_status st;

    setting->model = (struct model){.f = parity, .d = mode->d, .n_classes = 2, .fail_with = why, .fail_after = after};
    setting->in = model_input(&setting->model, &setting->segments);
    setting->in.params.design = mode->design;
    setting->in.params.contrastive = mode->contrastive;
    setting->in.params.perturbations_count = mode->design == XPL_DESIGN_REFERENCE ? 400 : 0;
    *ret = NULL;
    st = xpl_explain(*state, &setting->in, ret, &err);
    assert_int_equal(err.status, st);
    assert_true((st == XPL_OK) == (*ret != NULL));
    assert_true(st == XPL_OK || *err.message != '\0');
    return st;
}

static void assert_whole(const struct xpl_explanation *e, uint32_t d)
{
    for (uint32_t i = 0; i < e->n_classes; i++)
        for (uint32_t j = 0; j < d; j++)
            assert_true(isfinite(e->classes[i].weights[j]) && e->classes[i].low[j] <= e->classes[i].weights[j] &&
                        e->classes[i].weights[j] <= e->classes[i].high[j]);
}

/* Partial results rest on complete stages only, and say so. */
static void the_deadline_gives_a_partial_answer_that_says_so_or_an_error(void **state)
{
    for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
        bool partial = false, early = false;

        for (size_t after = 0; after < 1200; after = 2 * after + 9) {
            struct xpl_explanation *e;
            enum xpl_status st = interrupt(state, &modes[m], XPL_DEADLINE, after, &e);

            assert_true(st == XPL_OK || st == XPL_DEADLINE);
            early |= st == XPL_DEADLINE;
            if (st)
                continue;
            assert_whole(e, modes[m].d);
            assert_true(e->calls <= after);
            if (e->stopped == XPL_STOPPED_DEADLINE) {
                partial = true;
                assert_true(e->n_warnings > 0);
            }
        }
        assert_true(early);
        if (modes[m].design == XPL_DESIGN_ADAPTIVE || (modes[m].design == XPL_DESIGN_AUTO && modes[m].d == 12))
            assert_true(partial);
    }
}

static void whatever_else_happens_ends_it_without_an_answer(void **state)
{
    static const enum xpl_status reasons[] = {XPL_CANCELLED, XPL_MODEL_UNREACHABLE, XPL_NO_MEMORY};

    for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
        for (size_t r = 0; r < 3; r++) {
            for (size_t after = 0; after < 64; after = after * 2 + 5) {
                struct xpl_explanation *e;

                assert_int_equal(interrupt(state, &modes[m], reasons[r], after, &e), reasons[r]);
            }
        }
    }
}

/* Ends the work at one of the looks at the time. */
struct alarm {
    size_t checks, rings_at;
    enum xpl_status why;
};

static enum xpl_status ring(void *context, struct xpl_error *err)
{
    struct alarm *alarm = context;

    return ++alarm->checks > alarm->rings_at ? xpl_fail(err, alarm->why, "enough") : XPL_OK;
}

static enum xpl_status explain_until(void **state, const struct mode *mode, struct alarm *alarm,
                                     struct xpl_explanation **ret)
{
    XPL_AUTO(xpl_arena) own = xpl_arena_new(ARENA_BYTES);
    struct setting *setting = XPL_NEW(own, struct setting);
    struct xpl_interrupt interrupt = {ring, alarm};

    setting->model = (struct model){.f = parity, .d = mode->d, .n_classes = 2};
    setting->in = model_input(&setting->model, &setting->segments);
    setting->in.params.design = mode->design;
    setting->in.params.perturbations_count = mode->design == XPL_DESIGN_REFERENCE ? 400 : 0;
    setting->in.interrupt = &interrupt;
    return xpl_explain(*state, &setting->in, ret, NULL);
}

/* The time that fits take: they may be ended, too. */
static void the_deadline_during_a_fit_ends_the_climb_with_what_was_scored(void **state)
{
    for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
        struct alarm at_once = {.why = XPL_DEADLINE};
        struct xpl_explanation *e;

        assert_int_equal(explain_until(state, &modes[m], &at_once, &e), XPL_OK);
        assert_int_equal(e->stopped, XPL_STOPPED_DEADLINE);
        assert_int_equal(e->stages, 1);
        assert_whole(e, modes[m].d);
    }
}

static void a_cancellation_during_any_fit_ends_it_without_an_answer(void **state)
{
    for (size_t m = 1; m < sizeof modes / sizeof *modes; m += 4) {
        struct alarm never = {.rings_at = SIZE_MAX};
        struct xpl_explanation *e = NULL;

        assert_int_equal(explain_until(state, &modes[m], &never, &e), XPL_OK);
        assert_true(never.checks >= 3); /* at a look, and for each class that is told */
        for (size_t at = 0; at < never.checks; at += never.checks / 2) { /* the first, one in between, the last */
            struct alarm alarm = {.rings_at = at, .why = XPL_CANCELLED};

            e = NULL;
            assert_int_equal(explain_until(state, &modes[m], &alarm, &e), XPL_CANCELLED);
            assert_null(e);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_deadline_gives_a_partial_answer_that_says_so_or_an_error),
        TEST(whatever_else_happens_ends_it_without_an_answer),
        TEST(the_deadline_during_a_fit_ends_the_climb_with_what_was_scored),
        TEST(a_cancellation_during_any_fit_ends_it_without_an_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
