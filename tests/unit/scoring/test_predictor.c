/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/scoring/scoring_test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/base/time.h"
#include "lib/scoring/fetch.h"
#include "lib/scoring/predictor.h"
#include "tests/unit/scoring/model_server.h"

#define REQUEST     "{\"values\":[[[10,20,30,40,50,60]]]}"
#define N_SEGMENTS  6
#define GOOD_ANSWER "{\"fields\":[\"probability\"],\"values\":[[[0.25,0.75]]]}"

/* One test: a server, a picture of six pixels that are a segment each, and a predictor between them. */
struct bench {
    struct xpl_arena *arena;
    struct model_server *server;
    struct xpl_address_policy *policy;
    struct xpl_splicer *splicer;
    struct xpl_endpoint endpoint;
    struct xpl_predictor_options options;
    struct xpl_predictor_progress progress;
    struct xpl_predictor *predictor;
    struct xpl_error err;
};

static void make_splicer(struct bench *b)
{
    static const uint16_t labels[N_SEGMENTS] = {0, 1, 2, 3, 4, 5};
    static double nothing[N_SEGMENTS];
    struct xpl_pixels fill = {1, N_SEGMENTS, 1, true, nothing};
    struct xpl_request *request;

    assert_int_equal(xpl_request_read(b->arena, xpl_text_of(REQUEST), &request, &b->err), XPL_OK);
    assert_int_equal(
        xpl_splicer_new(b->arena, request, 0, XPL_WIRE_AS_LOGGED, labels, N_SEGMENTS, &fill, &b->splicer, &b->err),
        XPL_OK);
}

static struct bench *bench_new(struct xpl_arena *arena, react_fn react)
{
    struct bench *b = XPL_NEW(arena, struct bench);

    b->arena = arena;
    b->server = model_server_start(react);
    assert_non_null(b->server);
    assert_int_equal(xpl_address_policy_new(arena, "", true, &b->policy, &b->err), XPL_OK);
    make_splicer(b);
    b->server->arg = b;
    b->endpoint = (struct xpl_endpoint){.url = b->server->url, .policy = b->policy};
    b->options = (struct xpl_predictor_options){.in_flight = 2,
                                                .connect_timeout_ms = 5000,
                                                .call_timeout_ms = 60000,
                                                .retries = 2,
                                                .max_answer_bytes = 1 << 20,
                                                .task_id = "task-7"};
    return b;
}

static void bench_free(struct bench *b)
{
    xpl_predictor_free(b->predictor);
    model_server_stop(b->server);
}

static enum xpl_status connect_bench(struct bench *b)
{
    enum xpl_status st = xpl_predictor_new(&b->endpoint, &b->options, NULL, &b->progress, &b->predictor, &b->err);

    return st ? st : xpl_predictor_set_splicer(b->predictor, b->splicer, &b->err);
}

static enum xpl_status try_once(struct bench *b)
{
    enum xpl_status st = connect_bench(b);
    const char *const *labels;
    uint32_t n_classes;
    double *scores;

    return st ? st : xpl_predictor_try(b->predictor, b->arena, UINT64_MAX, &n_classes, &scores, &labels, &b->err);
}

/* Errors say what kind of failure it was, and nothing of the address or of what was answered. */
static void assert_fails(struct bench *b, enum xpl_status st, enum xpl_status expected, const char *says)
{
    if (st != expected || b->err.status != expected || !strstr(b->err.message, says))
        fail_msg("status %d, \"%s\"", (int)st, b->err.message);
    assert_null(strstr(b->err.message, "127.0.0.1"));
    assert_null(strstr(b->err.message, "secret"));
}

static void react_with(struct reaction *r, unsigned status, const char *body)
{
    r->status = status;
    snprintf(r->body, sizeof r->body, "%s", body);
}

/* The sum of the picture's numbers, as a probability. */
static void answer_the_sum(const struct xpl_buf *body, struct reaction *r)
{
    unsigned v[N_SEGMENTS], sum = 0;
    int n = sscanf(body->data, "{\"values\":[[[%u,%u,%u,%u,%u,%u]]]}", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5]);

    for (int i = 0; i < n; i++)
        sum += v[i];
    snprintf(r->body, sizeof r->body, "{\"fields\":[\"probability\"],\"values\":[[[%.4f,%.4f]]]}", 1 - sum / 1000.0,
             sum / 1000.0);
    r->status = n == N_SEGMENTS ? 200 : 400;
}

static void sum_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    (void)server, (void)number;
    answer_the_sum(body, r);
}

/* The second call is answered only when five others were. */
static void unordered_sum_model(struct model_server *server, unsigned number, const struct xpl_buf *body,
                                struct reaction *r)
{
    if (number == 1)
        model_server_wait_for_answers(server, 6);
    answer_the_sum(body, r);
}

static double expected_sum(uint64_t mask)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < N_SEGMENTS; i++)
        sum += mask >> i & 1 ? 10 * (i + 1) : 0;
    return sum;
}

static void assert_scores_all_masks(struct bench *b)
{
    uint64_t masks[1 << N_SEGMENTS];
    double scores[2 << N_SEGMENTS];

    for (uint64_t i = 0; i < 1 << N_SEGMENTS; i++)
        masks[i] = (i * 29) & ((1 << N_SEGMENTS) - 1);
    if (xpl_predictor_score(b->predictor, masks, 1 << N_SEGMENTS, scores, &b->err))
        fail_msg("%s", b->err.message);
    for (size_t i = 0; i < 1 << N_SEGMENTS; i++) {
        char expected[16], found[16];

        snprintf(expected, sizeof expected, "%.4f", expected_sum(masks[i]) / 1000);
        snprintf(found, sizeof found, "%.4f", scores[2 * i + 1]);
        assert_string_equal(found, expected);
    }
}

static void every_mask_gets_its_own_score(void **state)
{
    struct bench *b = bench_new(*state, sum_model);
    struct xpl_predictor_stats stats;

    assert_int_equal(try_once(b), XPL_OK);
    assert_scores_all_masks(b);
    xpl_predictor_stats(b->predictor, &stats);
    assert_int_equal(stats.images, 65);
    assert_int_equal(stats.requests, 65);
    assert_int_equal(stats.retries, 0);
    assert_true(stats.bytes_sent > 64 * 20 && stats.bytes_received > 64 * 20);
    assert_int_equal(atomic_load(&b->progress.done), 65);
    assert_int_equal(model_server_calls(b->server), 65);
    bench_free(b);
}

static void scores_do_not_depend_on_the_order_of_answers(void **state)
{
    struct bench *b = bench_new(*state, unordered_sum_model);

    assert_int_equal(try_once(b), XPL_OK);
    assert_scores_all_masks(b);
    bench_free(b);
}

static void many_slots_give_the_same_scores_as_one(void **state)
{
    for (uint32_t in_flight = 1; in_flight <= 16; in_flight *= 4) {
        struct bench *b = bench_new(*state, sum_model);

        b->options.in_flight = in_flight;
        assert_int_equal(try_once(b), XPL_OK);
        assert_scores_all_masks(b);
        bench_free(b);
    }
}

static void labelled_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    (void)server, (void)number, (void)body;
    react_with(r, 200,
               "{\"labels\":[\"dog\",\"cat\",\"emu\"],\"fields\":[\"probability\"],\"values\":[[[0.5,0.25,0.25]]]}");
}

static void the_trial_call_learns_classes_and_labels(void **state)
{
    struct bench *b = bench_new(*state, labelled_model);
    const char *const *labels;
    uint32_t n_classes;
    double *scores;

    assert_int_equal(connect_bench(b), XPL_OK);
    assert_int_equal(xpl_predictor_try(b->predictor, *state, 1, &n_classes, &scores, &labels, &b->err), XPL_OK);
    assert_int_equal(n_classes, 3);
    assert_string_equal(labels[0], "cat");
    assert_string_equal(labels[1], "dog");
    assert_true(scores[0] == 0.25 && scores[1] == 0.5);
    bench_free(b);
}

static void scoring_before_the_trial_call_is_refused(void **state)
{
    struct bench *b = bench_new(*state, sum_model);
    const uint64_t mask = 1;
    double scores[2];

    assert_int_equal(connect_bench(b), XPL_OK);
    assert_int_equal(xpl_predictor_score(b->predictor, &mask, 1, scores, &b->err), XPL_INTERNAL);
    bench_free(b);
}

/* ---- retries ---- */

static void recovering_model(struct model_server *server, unsigned number, const struct xpl_buf *body,
                             struct reaction *r)
{
    static const unsigned faults[] = {503, 0};

    (void)server, (void)body;
    react_with(r, number < 2 ? faults[number] : 200, number < 2 ? "secret" : GOOD_ANSWER);
}

static void server_errors_and_dropped_connections_are_tried_again(void **state)
{
    struct bench *b = bench_new(*state, recovering_model);
    struct xpl_predictor_stats stats;

    if (try_once(b))
        fail_msg("%s", b->err.message);
    xpl_predictor_stats(b->predictor, &stats);
    assert_true(stats.retries >= 1); /* a kept connection that was closed is opened again by curl itself */
    assert_int_equal(stats.images, 1);
    assert_int_equal(model_server_calls(b->server), 3);
    bench_free(b);
}

static void busy_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    (void)server, (void)body;
    react_with(r, number == 0 ? 429 : number == 1 ? 408 : 200, GOOD_ANSWER);
    r->header = "Retry-After";
    r->header_value = "0";
}

static void a_busy_model_is_tried_again(void **state)
{
    struct bench *b = bench_new(*state, busy_model);

    if (try_once(b))
        fail_msg("%s", b->err.message);
    assert_int_equal(model_server_calls(b->server), 3);
    bench_free(b);
}

static void broken_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    (void)server, (void)number, (void)body;
    react_with(r, 503, "secret");
}

static void a_model_that_stays_broken_ends_the_scoring_with_its_status(void **state)
{
    struct bench *b = bench_new(*state, broken_model);

    b->options.retries = 1;
    assert_fails(b, try_once(b), XPL_MODEL_FAILED, "503");
    assert_int_equal(model_server_calls(b->server), 2);
    bench_free(b);
}

static void refusing_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    (void)server, (void)number, (void)body;
    react_with(r, 404, "secret");
}

static void other_client_errors_are_not_tried_again(void **state)
{
    struct bench *b = bench_new(*state, refusing_model);

    assert_fails(b, try_once(b), XPL_MODEL_REFUSED, "404");
    assert_int_equal(model_server_calls(b->server), 1);
    bench_free(b);
}

static void redirecting_model(struct model_server *server, unsigned number, const struct xpl_buf *body,
                              struct reaction *r)
{
    (void)number, (void)body;
    react_with(r, 307, "secret");
    r->header = "Location";
    r->header_value = server->url;
}

static void redirects_are_not_followed(void **state)
{
    struct bench *b = bench_new(*state, redirecting_model);

    assert_fails(b, try_once(b), XPL_MODEL_REFUSED, "307");
    assert_int_equal(model_server_calls(b->server), 1);
    bench_free(b);
}

/* A port nobody listens on: bound once, then let go. */
static unsigned unused_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)(void *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)(void *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void a_model_that_is_not_there_is_unreachable(void **state)
{
    struct bench *b = bench_new(*state, sum_model);

    b->options.retries = 1;
    b->endpoint.url = xpl_arena_printf(*state, "http://127.0.0.1:%u/secret", unused_port());
    assert_fails(b, try_once(b), XPL_MODEL_UNREACHABLE, "2 tries");
    bench_free(b);
}

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
    b->options.max_answer_bytes = 20;
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

    b->options.call_timeout_ms = 50;
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
    b->options.request_id = "req-1";
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

static int start(void **state)
{
    (void)state;
    return xpl_crypto_start() && xpl_scoring_start(NULL) == XPL_OK ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    xpl_scoring_stop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCORING_TEST(every_mask_gets_its_own_score),
        SCORING_TEST(scores_do_not_depend_on_the_order_of_answers),
        SCORING_TEST(many_slots_give_the_same_scores_as_one),
        SCORING_TEST(the_trial_call_learns_classes_and_labels),
        SCORING_TEST(scoring_before_the_trial_call_is_refused),
        SCORING_TEST(server_errors_and_dropped_connections_are_tried_again),
        SCORING_TEST(a_busy_model_is_tried_again),
        SCORING_TEST(a_model_that_stays_broken_ends_the_scoring_with_its_status),
        SCORING_TEST(other_client_errors_are_not_tried_again),
        SCORING_TEST(redirects_are_not_followed),
        SCORING_TEST(a_model_that_is_not_there_is_unreachable),
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

    return cmocka_run_group_tests_name("scoring/predictor", tests, start, stop);
}
