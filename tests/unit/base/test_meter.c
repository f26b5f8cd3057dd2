/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms: each value in the bucket of the first bound that is not below it, and none lost among threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "lib/base/meter.h"

#define THREADS 4
#define TIMES   20000

static void values_fall_into_the_first_bucket_that_holds_them(void **state)
{
    struct xpl_histogram h = {0};
    static const int64_t values[] = {-5, 0, 1, 2, 3, 256, 257, 100000};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        xpl_histogram_add(&h, &xpl_scale_counts, values[i]);
    assert_int_equal(xpl_counted(&h.counts[0]), 3); /* <= 1 */
    assert_int_equal(xpl_counted(&h.counts[1]), 1); /* 2 */
    assert_int_equal(xpl_counted(&h.counts[2]), 1); /* 3 */
    assert_int_equal(xpl_counted(&h.counts[8]), 1); /* 256 */
    assert_int_equal(xpl_counted(&h.counts[9]), 2);
    assert_int_equal(xpl_counted(&h.sum), 0 + 0 + 1 + 2 + 3 + 256 + 257 + 100000);
}

static void *add_many(void *arg)
{
    for (int i = 0; i < TIMES; i++)
        xpl_histogram_add(arg, &xpl_scale_seconds, i % 200);
    return NULL;
}

static void threads_lose_nothing(void **state)
{
    struct xpl_histogram h = {0};
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, &h), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(xpl_counted(&h.counts[0]) + xpl_counted(&h.counts[1]), THREADS * TIMES);
    assert_int_equal(xpl_counted(&h.counts[0]), THREADS * TIMES / 200 * 101);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_fall_into_the_first_bucket_that_holds_them),
        cmocka_unit_test(threads_lose_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
