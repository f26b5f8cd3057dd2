/* SPDX-License-Identifier: Apache-2.0 */
/* How many requests in flight are found useful, against models whose own concurrency is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/scoring/depth.h"

#define SERVICE_US 5000.0

/* A quarter more than what was found, to wait at the model. */
static uint32_t kept(uint32_t best, uint32_t max)
{
    return best + best / 4 < max ? best + best / 4 : max;
}

/* A model that works on `concurrency` requests at a time: answers come at the rate of those it works on. */
static void answer(struct xpl_depth *depth, uint32_t concurrency, uint32_t n, double *now)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t worked_on = depth->now < concurrency ? depth->now : concurrency;

        *now += SERVICE_US / worked_on;
        xpl_depth_answered(depth, 4, (int64_t)*now);
    }
}

static uint32_t found(uint32_t known, uint32_t max, uint32_t concurrency)
{
    struct xpl_depth depth;
    double now = 1;

    xpl_depth_start(&depth, known, max);
    answer(&depth, concurrency, 500, &now);
    assert_true(depth.settled);
    assert_int_equal(depth.now, kept(xpl_depth_found(&depth), max));
    return xpl_depth_found(&depth);
}

static void the_depth_reaches_the_models_own_concurrency(void **state)
{
    (void)state;
    assert_int_equal(found(0, 64, 8), 8);
    assert_int_equal(found(0, 64, 32), 32);
    assert_int_equal(found(0, 64, 6), 8); /* 4 would leave a third of it idle */
    assert_int_equal(found(8, 64, 8), 8);
}

static void more_than_the_model_takes_is_not_kept(void **state)
{
    (void)state;
    assert_int_equal(found(0, 64, 1), XPL_DEPTH_FIRST);
    assert_int_equal(found(0, 64, 4), 4);
}

static void it_stays_within_the_limit(void **state)
{
    (void)state;
    assert_int_equal(found(0, 1, 16), 1);
    assert_int_equal(found(0, 6, 16), 6);
    assert_int_equal(found(32, 16, 64), 16);
}

static void a_refusal_halves_it_for_good(void **state)
{
    struct xpl_depth depth;
    double now = 1;

    (void)state;
    xpl_depth_start(&depth, 16, 64);
    xpl_depth_refused(&depth);
    assert_int_equal(depth.now, 8);
    answer(&depth, 64, 500, &now);
    assert_int_equal(depth.now, 8);
    assert_int_equal(xpl_depth_found(&depth), 8);
    for (int i = 0; i < 5; i++)
        xpl_depth_refused(&depth);
    assert_int_equal(depth.now, 1);
}

static void nothing_is_known_before_a_window_is_full(void **state)
{
    struct xpl_depth depth;
    double now = 1;

    (void)state;
    xpl_depth_start(&depth, 0, 64);
    assert_int_equal(xpl_depth_found(&depth), 0);
    answer(&depth, 64, 2 * XPL_DEPTH_FIRST, &now); /* the first answer only starts the window */
    assert_int_equal(xpl_depth_found(&depth), 0);
    xpl_depth_restart(&depth);
    answer(&depth, 64, 2 * XPL_DEPTH_FIRST, &now);
    assert_int_equal(xpl_depth_found(&depth), 0);
    answer(&depth, 64, 1, &now);
    assert_int_equal(xpl_depth_found(&depth), XPL_DEPTH_FIRST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_depth_reaches_the_models_own_concurrency),
        cmocka_unit_test(more_than_the_model_takes_is_not_kept),
        cmocka_unit_test(it_stays_within_the_limit),
        cmocka_unit_test(a_refusal_halves_it_for_good),
        cmocka_unit_test(nothing_is_known_before_a_window_is_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
