/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/base/time.h"
#include "tests/unit/scoring/predictor_bench.h"

/* ---- answers ---- */

static void scripted_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    const struct bench *b = server->arg;

    (void)number, (void)body;
    react_with(r, 200, b->endpoint.username); /* the script travels as the user name */
}

static void answers_without_probabilities_end_the_scoring_at_once(void **state)
{
    static const char *const answers[] = {"{\"fields\":[\"probability\"],\"values\":[[[NaN,0.5]]]}",
                                          "{\"fields\":[\"probability\"],\"values\":[]}",
                                          "{\"fields\":[\"probability\"],\"values\":[[[0.5,0.5]],[[0.5,0.5]]]}",
                                          "<html>secret</html>",
                                          "",
                                          "{\"fields\":[\"probability\"],\"values\":[[[0.5,1e999]]]}",
                                          "{\"predictions\":[{\"values\":[[[0.5"};

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct bench *b = bench_new(*state, scripted_model);

        b->endpoint.username = answers[i];
        assert_fails(b, try_once(b), XPL_MODEL_BAD_ANSWER, "");
        assert_int_equal(model_server_calls(b->server), 1);
        bench_free(b);
    }
}

static void an_answer_beyond_the_limit_is_cut_off(void **state)
{
    struct bench *b = bench_new(*state, scripted_model);

    b->endpoint.username = GOOD_ANSWER;
    b->options.call.max_answer_bytes = 20;
    assert_fails(b, try_once(b), XPL_MODEL_BAD_ANSWER, "longer than 20 bytes");
    bench_free(b);
}

static void fickle_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    (void)server, (void)body;
    react_with(r, 200, number == 0 ? GOOD_ANSWER : "{\"fields\":[\"probability\"],\"values\":[[[0.2,0.3,0.5]]]}");
}

static void an_answer_with_another_number_of_classes_is_refused(void **state)
{
    struct bench *b = bench_new(*state, fickle_model);
    const uint64_t mask = 1;
    double scores[2];

    assert_int_equal(try_once(b), XPL_OK);
    assert_fails(b, xpl_predictor_score(b->predictor, &mask, 1, scores, &b->err), XPL_MODEL_BAD_ANSWER, "expected");
    bench_free(b);
}

/* ---- stopping ---- */

static void stuck_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    (void)number, (void)body;
    model_server_wait_for_answers(server, 1000);
    react_with(r, 200, GOOD_ANSWER);
}

static void the_deadline_ends_a_call_that_is_under_way(void **state)
{
    struct bench *b = bench_new(*state, stuck_model);

    b->options.deadline_us = xpl_monotonic_us() + 20000;
    assert_fails(b, try_once(b), XPL_DEADLINE, "deadline");
    bench_free(b);
}

static void a_call_that_takes_too_long_is_a_timeout(void **state)
{
    struct bench *b = bench_new(*state, stuck_model);

    b->options.call.call_timeout_ms = 50;
    assert_fails(b, try_once(b), XPL_MODEL_TIMEOUT, "in time");
    bench_free(b);
}

static void cancelling_model(struct model_server *server, unsigned number, const struct xpl_buf *body,
                             struct reaction *r)
{
    struct bench *b = server->arg;

    (void)body;
    if (number == 1) {
        atomic_store(&b->progress.cancel, true);
        model_server_wait_for_answers(server, 1000);
    }
    react_with(r, 200, GOOD_ANSWER);
}

static void a_cancel_from_another_thread_ends_the_scoring(void **state)
{
    struct bench *b = bench_new(*state, cancelling_model);
    const uint64_t masks[3] = {1, 2, 3};
    double scores[6];

    b->options.in_flight = 1;
    assert_int_equal(try_once(b), XPL_OK);
    assert_fails(b, xpl_predictor_score(b->predictor, masks, 3, scores, &b->err), XPL_CANCELLED, "cancelled");
    assert_int_equal(model_server_calls(b->server), 2);
    bench_free(b);
}

/* ---- manners and safety ---- */

static void calls_say_who_they_are(void **state)
{
    static const char *const headers[] = {"X-Space: blue"};
    struct bench *b = bench_new(*state, sum_model);
    const uint64_t mask = 3;
    double scores[2];

    b->endpoint.username = "ann";
    b->endpoint.password = "pass";
    b->endpoint.headers = headers;
    b->endpoint.n_headers = 1;
    b->options.call.request_id = "req-1";
    assert_int_equal(try_once(b), XPL_OK);
    assert_true(model_server_saw(b->server, "Ce-Id: explaind:task-7:00000000"));
    assert_int_equal(xpl_predictor_score(b->predictor, &mask, 1, scores, &b->err), XPL_OK);
    assert_true(model_server_saw(b->server, "Ce-Id: explaind:task-7:00000001"));
    assert_true(model_server_saw(b->server, "X-Explaind-Task: task-7"));
    assert_true(model_server_saw(b->server, "Seldon-Skip-Logging: true"));
    assert_true(model_server_saw(b->server, "X-Global-Transaction-Id: req-1"));
    assert_true(model_server_saw(b->server, "Content-Type: application/json"));
    assert_true(model_server_saw(b->server, "Authorization: Basic YW5uOnBhc3M="));
    assert_true(model_server_saw(b->server, "X-Space: blue"));
    assert_null(strstr(b->server->headers, "Expect"));
    assert_null(strstr(b->server->headers, "Accept-Encoding"));
    bench_free(b);
}

static void a_bearer_token_is_sent(void **state)
{
    struct bench *b = bench_new(*state, sum_model);

    b->endpoint.bearer = "abc.def";
    assert_int_equal(try_once(b), XPL_OK);
    assert_true(model_server_saw(b->server, "Authorization: Bearer abc.def"));
    bench_free(b);
}

static void addresses_the_policy_refuses_are_never_connected(void **state)
{
    struct bench *b = bench_new(*state, sum_model);

    assert_int_equal(xpl_address_policy_new(*state, "", false, &b->policy, &b->err), XPL_OK);
    b->endpoint.policy = b->policy;
    assert_fails(b, try_once(b), XPL_ADDRESS_REFUSED, "scoring.allow");
    assert_int_equal(model_server_calls(b->server), 0);
    bench_free(b);
}

static void only_http_addresses_without_user_are_called(void **state)
{
    static const char *const urls[] = {"file:///etc/secret", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "", "secret"};

    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct bench *b = bench_new(*state, sum_model);

        b->options.retries = 0;
        b->endpoint.url = urls[i];
        assert_fails(b, try_once(b), XPL_MODEL_UNREACHABLE, "");
        bench_free(b);
    }
}

static void a_user_in_the_address_is_refused(void **state)
{
    struct bench *b = bench_new(*state, sum_model);

    b->options.retries = 0;
    b->endpoint.url = xpl_arena_printf(*state, "http://ann:secret@%s", strchr(b->server->url, '1'));
    assert_int_equal(try_once(b), XPL_MODEL_UNREACHABLE);
    assert_int_equal(model_server_calls(b->server), 0);
    bench_free(b);
}

static void the_policy_judges_the_host_that_is_connected(void **state)
{
    static const char *const schemes[] = {"", "http:", "http:/"};

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        struct bench *b = bench_new(*state, sum_model);
        XPL_AUTO(xpl_buf) url = xpl_buf_new(256);
        const char *place = strchr(b->server->url, '1');
        char authority[64];

        snprintf(authority, sizeof authority, "%.*s", (int)strcspn(place, "/"), place);
        assert_int_equal(xpl_address_policy_new(*state, "allowed.example", false, &b->policy, &b->err), XPL_OK);
        b->endpoint.policy = b->policy;
        b->options.retries = 0;
        assert_non_null(url);
        xpl_buf_printf(url, "%s%s/x//allowed.example", schemes[i], authority);
        b->endpoint.url = url->data;
        assert_int_not_equal(try_once(b), XPL_OK);
        assert_int_equal(model_server_calls(b->server), 0);
        bench_free(b);
    }
}

static void headers_with_line_breaks_are_refused(void **state)
{
    static const char *const headers[] = {"X-Space: blue\r\nX-More: red"};
    struct bench *b = bench_new(*state, sum_model);

    b->endpoint.headers = headers;
    b->endpoint.n_headers = 1;
    assert_fails(b, connect_bench(b), XPL_BAD_FIELD, "line break");
    bench_free(b);
}

static void renaming_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    (void)server, (void)body;
    react_with(r, 200,
               number == 0 ? "{\"labels\":[\"cat\",\"dog\"],\"fields\":[\"probability\"],\"values\":[[[0.5,0.5]]]}"
                           : "{\"labels\":[\"cat\",\"emu\"],\"fields\":[\"probability\"],\"values\":[[[0.5,0.5]]]}");
}

static void an_answer_with_other_labels_is_refused(void **state)
{
    struct bench *b = bench_new(*state, renaming_model);
    const uint64_t mask = 1;
    double scores[2];

    assert_int_equal(try_once(b), XPL_OK);
    assert_fails(b, xpl_predictor_score(b->predictor, &mask, 1, scores, &b->err), XPL_MODEL_BAD_ANSWER, "labels");
    bench_free(b);
}

/* ---- fetching ---- */

static void a_fetch_gives_the_body(void **state)
{
    struct bench *b = bench_new(*state, labelled_model);
    XPL_AUTO(xpl_buf) body = xpl_buf_new(4096);

    assert_non_null(body);
    if (xpl_fetch(&b->endpoint, 5000, body, &b->err))
        fail_msg("%s", b->err.message);
    assert_non_null(strstr(body->data, "\"emu\""));
    bench_free(b);
}

static void a_fetch_that_fails_says_why(void **state)
{
    struct bench *b = bench_new(*state, refusing_model);
    XPL_AUTO(xpl_buf) body = xpl_buf_new(4096);

    assert_non_null(body);
    assert_fails(b, xpl_fetch(&b->endpoint, 5000, body, &b->err), XPL_UPSTREAM_FAILED, "404");
    assert_int_equal(body->length, 0);
    bench_free(b);
}

static void a_fetch_is_bounded_by_its_buffer(void **state)
{
    struct bench *b = bench_new(*state, labelled_model);
    XPL_AUTO(xpl_buf) body = xpl_buf_new(16);

    assert_non_null(body);
    assert_fails(b, xpl_fetch(&b->endpoint, 5000, body, &b->err), XPL_UPSTREAM_FAILED, "longer than 16 bytes");
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCORING_TEST(answers_without_probabilities_end_the_scoring_at_once),
        SCORING_TEST(an_answer_beyond_the_limit_is_cut_off),
        SCORING_TEST(an_answer_with_another_number_of_classes_is_refused),
        SCORING_TEST(the_deadline_ends_a_call_that_is_under_way),
        SCORING_TEST(a_call_that_takes_too_long_is_a_timeout),
        SCORING_TEST(a_cancel_from_another_thread_ends_the_scoring),
        SCORING_TEST(calls_say_who_they_are),
        SCORING_TEST(a_bearer_token_is_sent),
        SCORING_TEST(addresses_the_policy_refuses_are_never_connected),
        SCORING_TEST(only_http_addresses_without_user_are_called),
        SCORING_TEST(a_user_in_the_address_is_refused),
        SCORING_TEST(the_policy_judges_the_host_that_is_connected),
        SCORING_TEST(headers_with_line_breaks_are_refused),
        SCORING_TEST(an_answer_with_other_labels_is_refused),
        SCORING_TEST(a_fetch_gives_the_body),
        SCORING_TEST(a_fetch_that_fails_says_why),
        SCORING_TEST(a_fetch_is_bounded_by_its_buffer),
    };

    return cmocka_run_group_tests_name("scoring/predictor_manners", tests, start_libraries, stop_libraries);
}
