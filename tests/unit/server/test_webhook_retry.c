/* SPDX-License-Identifier: Apache-2.0 */
/* When a delivery that failed is made again. */
/* cmocka wants these four, in this order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/background/webhook_retry.h"

#define NOW      ((int64_t)1700000000 * 1000000)
#define HOUR_MS  ((int64_t)3600 * 1000)
#define N_CHANCE 200

static const struct xpl_settings settings = {.webhooks_attempts = 20, .webhooks_retry_ms = 5000};

/* The shortest and the longest pause of many. */
static void pauses(int64_t attempts, int64_t *ret_min_ms, int64_t *ret_max_ms)
{
    *ret_min_ms = INT64_MAX;
    *ret_max_ms = 0;
    for (int i = 0; i < N_CHANCE; i++) {
        int64_t ms = (xpl_webhook_retry_at(&settings, attempts, NOW, 0) - NOW) / 1000;

        *ret_min_ms = ms < *ret_min_ms ? ms : *ret_min_ms;
        *ret_max_ms = ms > *ret_max_ms ? ms : *ret_max_ms;
    }
}

static void pauses_grow_threefold_less_up_to_half_by_chance(void **state)
{
    int64_t expected_ms = 5000;

    (void)state;
    for (int64_t attempts = 1; attempts <= 7; attempts++, expected_ms *= 3) {
        int64_t min, max;

        pauses(attempts, &min, &max);
        assert_true(min >= expected_ms / 2 && max <= expected_ms);
        assert_true(max - min > expected_ms / 4);
    }
}

static void pauses_have_an_end(void **state)
{
    int64_t min, max;

    (void)state;
    pauses(19, &min, &max);
    assert_true(min >= 3 * HOUR_MS && max <= 6 * HOUR_MS);
}

static void the_last_attempt_is_followed_by_none(void **state)
{
    (void)state;
    assert_true(xpl_webhook_retry_at(&settings, 19, NOW, 0) > NOW);
    assert_int_equal(xpl_webhook_retry_at(&settings, 20, NOW, 0), 0);
    assert_int_equal(xpl_webhook_retry_at(&settings, 21, NOW, HOUR_MS), 0);
}

static void a_receiver_may_ask_for_more_time_but_not_for_ever(void **state)
{
    (void)state;
    assert_int_equal(xpl_webhook_retry_at(&settings, 1, NOW, HOUR_MS), NOW + HOUR_MS * 1000);
    assert_true(xpl_webhook_retry_at(&settings, 1, NOW, 1) >= NOW + 2500 * 1000);
    assert_int_equal(xpl_webhook_retry_at(&settings, 1, NOW, INT64_MAX / 2), NOW + 24 * HOUR_MS * 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_grow_threefold_less_up_to_half_by_chance),
        cmocka_unit_test(pauses_have_an_end),
        cmocka_unit_test(the_last_attempt_is_followed_by_none),
        cmocka_unit_test(a_receiver_may_ask_for_more_time_but_not_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
