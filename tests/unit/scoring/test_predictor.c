/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/base/time.h"
#include "tests/unit/scoring/predictor_bench.h"

/* The second call is answered only when five others were. */
static void unordered_sum_model(struct model_server *server, unsigned number, const struct xpl_buf *body,
                                struct reaction *r)
{
    if (number == 1)
        model_server_wait_for_answers(server, 6);
    answer_the_sum(body, r);
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
    };

    return cmocka_run_group_tests_name("scoring/predictor", tests, start_libraries, stop_libraries);
}
