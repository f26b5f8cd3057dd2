/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/batch.h"
#include "tests/unit/scoring/scoring_test.h"

static void sizes_double_until_one_is_refused(void **state)
{
    struct xpl_batch b = {0};

    (void)state;
    assert_int_equal(xpl_batch_size(&b, 64), 1);
    for (uint32_t n = 2; n <= 8; n *= 2) {
        assert_int_equal(xpl_batch_next(&b, 64), n);
        xpl_batch_accept(&b, n);
    }
    xpl_batch_refuse(&b, 16);
    assert_int_equal(xpl_batch_next(&b, 64), 0);
    assert_int_equal(xpl_batch_size(&b, 64), 8);
    assert_int_equal(b.refused, 16);
}

static void the_limit_is_tried_and_never_passed(void **state)
{
    struct xpl_batch b = {.accepted = 4};

    (void)state;
    assert_int_equal(xpl_batch_next(&b, 6), 6);
    xpl_batch_accept(&b, 6);
    assert_int_equal(xpl_batch_next(&b, 6), 0);
    assert_int_equal(xpl_batch_size(&b, 3), 3);
    assert_int_equal(xpl_batch_next(&b, 1), 0);
    b.accepted = UINT32_MAX;
    assert_int_equal(xpl_batch_next(&b, 64), 0);
}

static void a_size_that_stops_working_is_halved(void **state)
{
    struct xpl_batch b = {.accepted = 8};

    (void)state;
    for (uint32_t n = 8; n >= 2; n /= 2) {
        xpl_batch_refuse(&b, n);
        assert_int_equal(xpl_batch_size(&b, 64), n / 2);
        assert_int_equal(xpl_batch_next(&b, 64), 0);
    }
    xpl_batch_refuse(&b, 8); /* of a request that was under way meanwhile */
    assert_int_equal(b.refused, 2);
    assert_int_equal(b.accepted, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCORING_TEST(sizes_double_until_one_is_refused),
        SCORING_TEST(the_limit_is_tried_and_never_passed),
        SCORING_TEST(a_size_that_stops_working_is_halved),
    };

    return cmocka_run_group_tests_name("scoring/batch", tests, NULL, NULL);
}
