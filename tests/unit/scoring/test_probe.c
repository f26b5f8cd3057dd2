/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <time.h>

#include "lib/base/time.h"
#include "lib/scoring/probe.h"
#include "tests/unit/scoring/predictor_bench.h"

#define TRIALS 96

/* A probe of the bench's server that may take so long. */
static struct xpl_probe_report probe(struct bench *b, int64_t time_us, bool brief)
{
    static const struct xpl_model_settings model;
    struct xpl_probe_input input = {.endpoint = &b->endpoint, .options = &b->options, .model = &model, .brief = brief};
    struct xpl_probe_report report;
    struct xpl_request *request;
    struct xpl_pixels *pixels;

    assert_int_equal(xpl_request_read(b->arena, xpl_text_of(REQUEST), NULL, &xpl_decode_in_process, &request, &b->err),
                     XPL_OK);
    assert_int_equal(xpl_request_pixels(b->arena, request, 0, &pixels, &b->err), XPL_OK);
    input.request = request;
    input.pixels = pixels;
    input.explanation_ms = 120000;
    b->options.retries = 0;
    b->options.deadline_us = xpl_monotonic_us() + time_us;
    assert_int_equal(xpl_probe(b->arena, &input, &report, &b->err), XPL_OK);
    return report;
}

static void assert_says(const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text ? text : "(nothing)", part);
}

static void wait_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* ---- slow models ---- */

/* Answers once. */
static void model_for_one(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    if (number > 0)
        model_server_wait_for_answers(server, 1000);
    answer_the_sum(body, r);
}

static void the_first_answer_counts_when_the_time_is_over(void **state)
{
    struct bench *b = bench_new(*state, model_for_one);
    struct xpl_probe_report report = probe(b, 1000000, false);

    assert_int_equal(report.status, XPL_OK);
    assert_int_equal(report.n_classes, 2);
    assert_false(report.asked_again);
    assert_int_equal(report.n_trials, 0);
    assert_true(report.exchange.ms > 0 && report.image_ms > 0);
    assert_says(report.warning, "slow");
    assert_says(report.advice, "deadline_ms");
    assert_says(report.advice, "call_timeout_ms");
    bench_free(b);
}

static void a_later_call_that_is_not_answered_in_time_is_a_warning(void **state)
{
    struct bench *b = bench_new(*state, model_for_one);
    struct xpl_probe_report report;

    b->options.call.call_timeout_ms = 1000;
    report = probe(b, 60000000, false);
    assert_int_equal(report.status, XPL_OK);
    assert_says(report.warning, "call_timeout_ms (1000)");
    bench_free(b);
}

static void slow_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    (void)server, (void)number;
    wait_ms(200);
    answer_the_sum(body, r);
}

static void a_slow_model_is_asked_about_fewer_images(void **state)
{
    struct bench *b = bench_new(*state, slow_model);
    struct xpl_probe_report report = probe(b, 4000000, false);

    assert_int_equal(report.status, XPL_OK);
    assert_true(report.n_trials < TRIALS);
    assert_true(report.exchange.ms >= 200);
    assert_says(report.warning, "slow");
    bench_free(b);
}

static void very_slow_model(struct model_server *server, unsigned number, const struct xpl_buf *body,
                            struct reaction *r)
{
    (void)server, (void)number;
    wait_ms(1100);
    answer_the_sum(body, r);
}

static void a_brief_probe_calls_a_slow_model_once(void **state)
{
    struct bench *b = bench_new(*state, very_slow_model);
    struct xpl_probe_report report = probe(b, 60000000, true);

    assert_int_equal(report.status, XPL_OK);
    assert_int_equal(model_server_calls(b->server), 1);
    assert_says(report.warning, "slow");
    bench_free(b);
}

static void a_silent_model_does_not_work(void **state)
{
    struct bench *b = bench_new(*state, model_for_one);
    struct xpl_probe_report report;

    b->server->n_calls = 1;
    report = probe(b, 300000, false);
    assert_int_equal(report.status, XPL_DEADLINE);
    assert_says(report.error.message, "time of a probe");
    bench_free(b);
}

/* ---- the breaker ---- */

static struct xpl_breaker *breaker_of_one(void)
{
    struct xpl_error err = {0};
    struct xpl_breaker *breaker;

    assert_int_equal(xpl_breaker_new(1, INT64_C(3600000000), &breaker, &err), XPL_OK);
    return breaker;
}

static const char *host_of(const struct bench *b)
{
    const char *begin = strstr(b->endpoint.url, "//") + 2;

    return xpl_arena_string_n(b->arena, begin, strcspn(begin, "/"));
}

static bool is_open(struct bench *b)
{
    struct xpl_error err = {0};

    return xpl_breaker_enter(b->options.breaker, host_of(b), b->endpoint.url, xpl_monotonic_us(), &err) != XPL_OK;
}

static void a_probe_that_fails_does_not_open_the_breaker(void **state)
{
    struct bench *b = bench_new(*state, sum_model);

    b->options.breaker = breaker_of_one();
    b->endpoint.url = "http://127.0.0.1:1/";
    assert_int_equal(probe(b, 60000000, false).status, XPL_MODEL_UNREACHABLE);
    assert_false(is_open(b));
    xpl_breaker_free(b->options.breaker);
    bench_free(b);
}

static void an_open_breaker_stops_no_probe_and_closes_when_it_works(void **state)
{
    static const react_fn models[] = {sum_model, refusing_model};

    for (size_t i = 0; i < 2; i++) {
        struct bench *b = bench_new(*state, models[i]);

        b->options.breaker = breaker_of_one();
        xpl_breaker_report(b->options.breaker, host_of(b), b->endpoint.url, XPL_NEWS_MODEL_FAILED, xpl_monotonic_us());
        assert_true(is_open(b));
        assert_int_equal(probe(b, 60000000, false).status, i ? XPL_MODEL_REFUSED : XPL_OK);
        assert_int_equal(is_open(b), i);
        xpl_breaker_free(b->options.breaker);
        bench_free(b);
    }
}

/* ---- advice ---- */

struct advice_case {
    unsigned status;
    const char *header, *value, *body;
    const char *advice[2], *not_advice;
};

static const struct advice_case advice_cases[] = {
    {200, NULL, NULL, "{\"outcome\": \"cat\"}", {"probability_path", "activation"}, "compressed"},
    {200, "Content-Encoding", "gzip", "\x1f\x8b\x08", {"compressed", "gzip"}, "probability_path"},
    {307, "Location", "http://elsewhere/b", "", {"not followed", "http://elsewhere/b"}, "excerpt"},
    {301, NULL, NULL, "", {"not followed", "url"}, "excerpt"},
    {401, NULL, NULL, "", {"credentials", ""}, "excerpt"},
    {404, NULL, NULL, "", {"deployment.scoring_endpoint.url", ""}, "excerpt"},
    {415, NULL, NULL, "", {"content_type", "image/png"}, "input_name"},
    {422, NULL, NULL, "", {"excerpt", "content_type"}, "limits"},
    {429, NULL, NULL, "", {"limits", "in_flight"}, "excerpt"},
    {429, "Retry-After", "7", "", {"7 s", "in_flight"}, "excerpt"},
    {500, NULL, NULL, "", {"excerpt", "content_type"}, "limits"},
    {503, "Retry-After", "7", "", {"7 s", "in_flight"}, "excerpt"},
};

static void model_of_a_case(struct model_server *server, unsigned number, const struct xpl_buf *body,
                            struct reaction *r)
{
    const struct bench *b = server->arg;
    const struct advice_case *c = &advice_cases[b->options.known_depth - 1]; /* the number travels as the depth */

    (void)number, (void)body;
    r->header = c->header;
    r->header_value = c->value;
    react_with(r, c->status, c->body);
}

static void advice_is_about_what_was_answered(void **state)
{
    for (uint32_t i = 0; i < sizeof advice_cases / sizeof *advice_cases; i++) {
        struct bench *b = bench_new(*state, model_of_a_case);
        struct xpl_probe_report report;

        b->options.known_depth = i + 1;
        report = probe(b, 60000000, false);
        assert_int_not_equal(report.status, XPL_OK);
        for (size_t k = 0; k < 2; k++)
            assert_says(report.advice, advice_cases[i].advice[k]);
        assert_null(strstr(report.advice, advice_cases[i].not_advice));
        bench_free(b);
    }
}

static void limiting_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    (void)server;
    answer_the_sum(body, r);
    if (number > 1)
        react_with(r, 429, "slow down");
}

static void a_limit_after_the_first_call_is_a_warning(void **state)
{
    struct bench *b = bench_new(*state, limiting_model);
    struct xpl_probe_report report = probe(b, 60000000, false);

    assert_int_equal(report.status, XPL_OK);
    assert_says(report.warning, "429");
    assert_says(report.advice, "in_flight");
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCORING_TEST(the_first_answer_counts_when_the_time_is_over),
        SCORING_TEST(a_later_call_that_is_not_answered_in_time_is_a_warning),
        SCORING_TEST(a_slow_model_is_asked_about_fewer_images),
        SCORING_TEST(a_brief_probe_calls_a_slow_model_once),
        SCORING_TEST(a_silent_model_does_not_work),
        SCORING_TEST(a_probe_that_fails_does_not_open_the_breaker),
        SCORING_TEST(an_open_breaker_stops_no_probe_and_closes_when_it_works),
        SCORING_TEST(advice_is_about_what_was_answered),
        SCORING_TEST(a_limit_after_the_first_call_is_a_warning),
    };

    return cmocka_run_group_tests(tests, start_libraries, stop_libraries);
}
