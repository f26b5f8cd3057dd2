/* SPDX-License-Identifier: Apache-2.0 */
/* Several images in one request: found by trial, checked, remembered, and given up when they do not work. */
#include <stdio.h>
#include <time.h>

#include "tests/unit/scoring/predictor_bench.h"

#define ALL (1 << N_SEGMENTS)

/* What a server does with more rows than `most`. */
static unsigned most, status_above;

static struct bench *batching_bench(struct xpl_arena *arena, react_fn react)
{
    struct bench *b = bench_new(arena, react);

    b->options.max_body_bytes = 1 << 20;
    b->options.in_flight = 1;
    return b;
}

/* Every request takes as long as any other, so that an image is the cheaper the more of them are in it. */
static void picky_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    const struct timespec request = {.tv_nsec = 120000000};

    (void)server, (void)number;
    nanosleep(&request, NULL);
    if (answer_the_sum(body, r) > most)
        react_with(r, status_above, "secret");
}

static void the_number_of_images_is_found_by_trial(void **state)
{
    struct bench *b = batching_bench(*state, picky_model);
    struct xpl_predictor_stats stats;
    struct xpl_batch found;

    most = 8;
    status_above = 413;
    assert_int_equal(try_once(b), XPL_OK);
    assert_scores_all_masks(b);
    found = xpl_predictor_batch(b->predictor);
    assert_int_equal(found.accepted, 8);
    assert_int_equal(found.refused, 16);
    xpl_predictor_stats(b->predictor, &stats);
    assert_int_equal(stats.batch, 8);
    assert_int_equal(stats.retries, 1);
    assert_int_equal(stats.images, 1 + ALL + 3); /* the first one, all, and it again in trials with 2, 4 and 8 */
    assert_int_equal(stats.requests, 1 + 4 + 53 / 8 + 1); /* the first one, four trials, 64 - 1 - 3 - 7 masks by 8 */
    assert_int_equal(model_server_calls(b->server), stats.requests);
    assert_int_equal(atomic_load(&b->progress.done), 1 + ALL);
    bench_free(b);
}

/* An image takes longer the more there are with it: by so much that a busy machine does not change which is quicker. */
static void crowded_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    unsigned rows = answer_the_sum(body, r);

    (void)server, (void)number;
    for (unsigned i = 0; i < rows * rows; i++)
        nanosleep(&(const struct timespec){.tv_nsec = 20000000}, NULL);
}

static void larger_requests_that_save_no_time_are_not_made(void **state)
{
    struct bench *b = batching_bench(*state, crowded_model);

    assert_int_equal(try_once(b), XPL_OK);
    assert_scores_all_masks(b);
    assert_true(xpl_predictor_batch(b->predictor).accepted <= 4); /* the first call also connected */
    assert_true(xpl_predictor_batch(b->predictor).refused > 0);
    bench_free(b);
}

static void the_setting_is_not_exceeded(void **state)
{
    struct bench *b = batching_bench(*state, picky_model);

    most = 6;
    status_above = 401; /* which would end the scoring */
    b->options.max_batch = 6;
    assert_int_equal(try_once(b), XPL_OK);
    assert_scores_all_masks(b);
    assert_int_equal(xpl_predictor_batch(b->predictor).accepted, 6);
    assert_int_equal(xpl_predictor_batch(b->predictor).refused, 0);
    bench_free(b);
}

static void bodies_stay_below_their_limit(void **state)
{
    struct bench *b = batching_bench(*state, picky_model);

    most = 3;
    status_above = 401;
    b->options.max_body_bytes = xpl_splice_max(b->splicer, 3);
    assert_int_equal(try_once(b), XPL_OK);
    assert_scores_all_masks(b);
    assert_int_equal(xpl_predictor_batch(b->predictor).accepted, 3);
    bench_free(b);
}

static void what_is_known_needs_no_trial(void **state)
{
    struct bench *b = batching_bench(*state, picky_model);

    most = 8;
    status_above = 401;
    b->options.batch = (struct xpl_batch){8, 16};
    assert_int_equal(try_once(b), XPL_OK);
    assert_scores_all_masks(b);
    assert_int_equal(model_server_calls(b->server), 1 + ALL / 8);
    bench_free(b);
}

static void no_slot_is_idle_while_another_one_has_several(void **state)
{
    struct bench *b = batching_bench(*state, picky_model);

    most = 64;
    b->options.in_flight = 4;
    b->options.batch = (struct xpl_batch){64, 0};
    assert_int_equal(try_once(b), XPL_OK);
    assert_scores_all_masks(b);
    assert_int_equal(model_server_calls(b->server), 1 + 4);
    bench_free(b);
}

static void a_number_that_stops_working_is_halved(void **state)
{
    static const unsigned statuses[] = {400, 413, 422, 500};

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct bench *b = batching_bench(*state, picky_model);

        most = 3;
        status_above = statuses[i];
        b->options.batch = (struct xpl_batch){8, 0};
        b->options.in_flight = 3;
        assert_int_equal(try_once(b), XPL_OK);
        assert_scores_all_masks(b);
        assert_int_equal(xpl_predictor_batch(b->predictor).accepted, 2);
        assert_int_equal(xpl_predictor_batch(b->predictor).refused, 4);
        bench_free(b);
    }
}

static void a_refusal_for_other_reasons_ends_the_scoring(void **state)
{
    struct bench *b = batching_bench(*state, picky_model);
    uint64_t masks[8] = {0};
    double scores[16];

    most = 1;
    status_above = 401;
    assert_int_equal(try_once(b), XPL_OK);
    assert_fails(b, xpl_predictor_score(b->predictor, masks, 8, scores, &b->err), XPL_MODEL_REFUSED, "401");
    bench_free(b);
}

static void hiccup_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    (void)server;
    answer_the_sum(body, r);
    if (number == 2)
        react_with(r, 503, "secret");
}

static void one_failure_does_not_change_a_number_that_worked(void **state)
{
    struct bench *b = batching_bench(*state, hiccup_model);

    b->options.batch = (struct xpl_batch){8, 16};
    assert_int_equal(try_once(b), XPL_OK);
    assert_scores_all_masks(b);
    assert_int_equal(xpl_predictor_batch(b->predictor).accepted, 8);
    bench_free(b);
}

/* ---- servers that seem to take several images ---- */

static void first_only(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    char *end;

    (void)server, (void)number;
    if (answer_the_sum(body, r) > 1 && (end = strstr(r->body, "]],")))
        memcpy(end, "]]]}", 5);
}

static void repeat_first(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    char row[64];
    unsigned n = answer_the_sum(body, r);

    (void)server, (void)number;
    snprintf(row, sizeof row, "%.*s", (int)strlen("[[0.1234,0.1234]]"), strstr(r->body, "[[[") + 1);
    react_with(r, 200, "{\"fields\":[\"probability\"],\"values\":[");
    for (unsigned i = 0; i < n; i++)
        snprintf(r->body + strlen(r->body), sizeof r->body - strlen(r->body), "%s%s", i ? "," : "", row);
    snprintf(r->body + strlen(r->body), sizeof r->body - strlen(r->body), "]}");
}

/* As a network whose layers look at all pictures of a request together. */
static void mixing(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    (void)server, (void)number;
    if (answer_the_sum(body, r) > 1)
        for (char *row = r->body; (row = strstr(row, "[[0.")); row += 4)
            row[5] = row[5] == '9' ? '8' : (char)(row[5] + 1);
}

static void dropping(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    (void)server, (void)number;
    if (answer_the_sum(body, r) > 1)
        r->status = 0;
}

static void servers_that_cannot_take_several_images_are_asked_one_by_one(void **state)
{
    static const react_fn servers[] = {first_only, repeat_first, mixing, dropping};

    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        for (uint32_t retries = 0; retries < 2; retries++) {
            struct bench *b = batching_bench(*state, servers[i]);

            b->options.retries = retries;
            assert_int_equal(try_once(b), XPL_OK);
            assert_scores_all_masks(b);
            assert_int_equal(xpl_predictor_batch(b->predictor).refused, 2);
            bench_free(b);
        }
    }
}

/* ---- servers that take one number of images and no other ---- */

static void four_only(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    (void)server, (void)number;
    if (answer_the_sum(body, r) != 4)
        react_with(r, status_above, "secret");
}

static void requests_are_filled_up_to_a_fixed_number(void **state)
{
    struct bench *b = batching_bench(*state, four_only);
    uint64_t masks[6] = {1, 2, 4, 8, 16, 32};
    double scores[12];

    status_above = 400;
    b->options.fixed_batch = 4;
    b->options.in_flight = 3;
    assert_int_equal(try_once(b), XPL_OK);
    assert_scores_all_masks(b);
    assert_int_equal(model_server_calls(b->server), 1 + ALL / 4);
    assert_int_equal(xpl_predictor_score(b->predictor, masks, 6, scores, &b->err), XPL_OK);
    assert_int_equal(model_server_calls(b->server), 1 + ALL / 4 + 2);
    for (size_t i = 0; i < 6; i++)
        assert_float_equal(scores[2 * i + 1], expected_sum(masks[i]) / 1000, 1e-6);
    bench_free(b);
}

static void one_that_refuses_a_single_image_is_asked_with_as_many_as_were_logged(void **state)
{
    static const unsigned statuses[] = {400, 500};

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct bench *b = batching_bench(*state, four_only);

        status_above = statuses[i];
        b->options.logged_batch = 4;
        b->options.retries = 0;
        assert_int_equal(try_once(b), XPL_OK);
        assert_scores_all_masks(b);
        assert_int_equal(model_server_calls(b->server), 2 + ALL / 4);
        bench_free(b);
    }
}

static void what_is_wrong_with_one_image_is_told_when_the_logged_number_does_not_help(void **state)
{
    struct bench *b = batching_bench(*state, four_only);

    status_above = 422;
    b->options.logged_batch = 3;
    assert_fails(b, try_once(b), XPL_MODEL_REFUSED, "422");
    assert_int_equal(model_server_calls(b->server), 2);
    bench_free(b);
}

static void a_fixed_number_that_does_not_fit_is_refused(void **state)
{
    struct bench *b = batching_bench(*state, four_only);

    b->options.fixed_batch = 4;
    b->options.max_body_bytes = xpl_splice_max(b->splicer, 3);
    assert_fails(b, try_once(b), XPL_MODEL_REFUSED, "fixed_batch is 4");
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCORING_TEST(the_number_of_images_is_found_by_trial),
        SCORING_TEST(larger_requests_that_save_no_time_are_not_made),
        SCORING_TEST(the_setting_is_not_exceeded),
        SCORING_TEST(bodies_stay_below_their_limit),
        SCORING_TEST(what_is_known_needs_no_trial),
        SCORING_TEST(no_slot_is_idle_while_another_one_has_several),
        SCORING_TEST(a_number_that_stops_working_is_halved),
        SCORING_TEST(a_refusal_for_other_reasons_ends_the_scoring),
        SCORING_TEST(one_failure_does_not_change_a_number_that_worked),
        SCORING_TEST(servers_that_cannot_take_several_images_are_asked_one_by_one),
        SCORING_TEST(requests_are_filled_up_to_a_fixed_number),
        SCORING_TEST(one_that_refuses_a_single_image_is_asked_with_as_many_as_were_logged),
        SCORING_TEST(what_is_wrong_with_one_image_is_told_when_the_logged_number_does_not_help),
        SCORING_TEST(a_fixed_number_that_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests_name("scoring/predictor_batches", tests, start_libraries, stop_libraries);
}
