/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "lib/base/hash.h"
#include "lib/scoring/breaker.h"
#include "tests/unit/scoring/scoring_test.h"

#define PAUSE 1000
#define HOST  "models:80"
#define URL   "http://models:80/secret"

struct scene {
    struct xpl_breaker *breaker;
    struct xpl_error err;
};

static struct scene scene_of(uint32_t failures)
{
    struct scene s = {0};

    assert_int_equal(xpl_breaker_new(failures, PAUSE, &s.breaker, NULL), XPL_OK);
    return s;
}

static enum xpl_status enter(struct scene *s, const char *host, const char *url, int64_t now)
{
    xpl_error_clear(&s->err);
    return xpl_breaker_enter(s->breaker, host, url, now, &s->err);
}

static void report(struct scene *s, enum xpl_breaker_news news, int64_t now)
{
    xpl_breaker_report(s->breaker, HOST, URL, news, now);
}

static void fail_times(struct scene *s, unsigned n, enum xpl_breaker_news news, int64_t now)
{
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(enter(s, HOST, URL, now), XPL_OK);
        report(s, news, now);
    }
}

static void a_host_that_keeps_failing_is_left_alone_with_all_its_models(void **state)
{
    struct scene s = scene_of(3);

    (void)state;
    fail_times(&s, 3, XPL_NEWS_HOST_FAILED, 0);
    assert_int_equal(enter(&s, HOST, URL, PAUSE - 1), XPL_MODEL_PAUSED);
    assert_non_null(strstr(s.err.message, "host failed 3 times in a row"));
    assert_null(strstr(s.err.message, "models"));
    assert_int_equal(enter(&s, HOST, "http://models:80/other", 0), XPL_MODEL_PAUSED);
    assert_int_equal(enter(&s, "models:81", "http://models:81/", 0), XPL_OK);
    xpl_breaker_free(s.breaker);
}

static void a_model_that_keeps_failing_says_nothing_of_others_on_its_host(void **state)
{
    struct scene s = scene_of(3);

    (void)state;
    fail_times(&s, 3, XPL_NEWS_MODEL_FAILED, 0);
    assert_int_equal(enter(&s, HOST, URL, 0), XPL_MODEL_PAUSED);
    assert_null(strstr(s.err.message, "secret"));
    assert_int_equal(enter(&s, HOST, "http://models:80/other", 0), XPL_OK);
    xpl_breaker_free(s.breaker);
}

static void after_the_pause_one_task_probes_and_the_others_wait(void **state)
{
    struct scene s = scene_of(2);

    (void)state;
    fail_times(&s, 2, XPL_NEWS_HOST_FAILED, 0);
    assert_int_equal(enter(&s, HOST, URL, PAUSE), XPL_OK);
    assert_int_equal(enter(&s, HOST, URL, PAUSE), XPL_MODEL_PAUSED);
    report(&s, XPL_NEWS_HOST_FAILED, PAUSE);
    assert_int_equal(enter(&s, HOST, URL, 2 * PAUSE - 1), XPL_MODEL_PAUSED);
    assert_int_equal(enter(&s, HOST, URL, 2 * PAUSE), XPL_OK);
    report(&s, XPL_NEWS_ANSWERED, 2 * PAUSE);
    assert_int_equal(enter(&s, HOST, URL, 2 * PAUSE), XPL_OK);
    assert_int_equal(enter(&s, HOST, URL, 2 * PAUSE), XPL_OK);
    xpl_breaker_free(s.breaker);
}

static void a_probe_that_was_cancelled_lets_the_next_one_in(void **state)
{
    struct scene s = scene_of(1);

    (void)state;
    fail_times(&s, 1, XPL_NEWS_MODEL_FAILED, 0);
    assert_int_equal(enter(&s, HOST, URL, PAUSE), XPL_OK);
    report(&s, XPL_NEWS_NONE, PAUSE);
    assert_int_equal(enter(&s, HOST, URL, PAUSE), XPL_OK);
    xpl_breaker_free(s.breaker);
}

static void a_success_in_between_starts_the_count_anew(void **state)
{
    struct scene s = scene_of(2);

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        fail_times(&s, 1, XPL_NEWS_HOST_FAILED, 0);
        report(&s, XPL_NEWS_ANSWERED, 0);
    }
    assert_int_equal(enter(&s, HOST, URL, 0), XPL_OK);
    xpl_breaker_free(s.breaker);
}

static void without_a_limit_nothing_is_ever_left_alone(void **state)
{
    struct scene s = scene_of(0);

    (void)state;
    fail_times(&s, 100, XPL_NEWS_HOST_FAILED, 0);
    xpl_breaker_free(s.breaker);
}

static void failures_of_many_models_do_not_grow_without_bound(void **state)
{
    struct scene s = scene_of(1);
    char url[64];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(url, sizeof url, "http://models:80/%d", i);
        xpl_breaker_report(s.breaker, HOST, url, XPL_NEWS_MODEL_FAILED, i);
    }
    assert_int_equal(enter(&s, HOST, "http://models:80/999", 999), XPL_MODEL_PAUSED);
    assert_int_equal(enter(&s, HOST, "http://models:80/744", 999), XPL_MODEL_PAUSED);
    assert_int_equal(enter(&s, HOST, "http://models:80/743", 999), XPL_OK);
    xpl_breaker_free(s.breaker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCORING_TEST(a_host_that_keeps_failing_is_left_alone_with_all_its_models),
        SCORING_TEST(a_model_that_keeps_failing_says_nothing_of_others_on_its_host),
        SCORING_TEST(after_the_pause_one_task_probes_and_the_others_wait),
        SCORING_TEST(a_probe_that_was_cancelled_lets_the_next_one_in),
        SCORING_TEST(a_success_in_between_starts_the_count_anew),
        SCORING_TEST(without_a_limit_nothing_is_ever_left_alone),
        SCORING_TEST(failures_of_many_models_do_not_grow_without_bound),
    };

    return xpl_crypto_start() ? cmocka_run_group_tests_name("scoring/breaker", tests, NULL, NULL) : 1;
}
