/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that are made while they are sent: the model gets what a body made at once would be, however often. */
#include "tests/unit/scoring/predictor_bench.h"

#include <stdio.h>

#define SIDE    200u
#define N_MASKS 8u

struct long_bench {
    struct bench *b;
    char *bodies[N_MASKS];
    size_t lengths[N_MASKS];
    unsigned faults; /* of the first calls: 503, then connections that are closed */
};

static struct long_bench expected;

static struct xpl_buf *long_request(void)
{
    struct xpl_buf *text = xpl_buf_new((size_t)1 << 20);

    xpl_buf_printf(text, "{\"values\":[[");
    for (unsigned r = 0; r < SIDE; r++)
        for (unsigned c = 0; c < SIDE; c++)
            xpl_buf_printf(text, "%s%u%s", c ? "," : r ? ",[" : "[", (r * 31 + c * 17) % 256, c + 1 == SIDE ? "]" : "");
    xpl_buf_printf(text, "]]}");
    return text;
}

static void make_long_splicer(struct bench *b, const struct xpl_buf *text)
{
    uint16_t *labels = XPL_NEW_ARRAY(b->arena, uint16_t, SIDE * SIDE);
    struct xpl_pixels fill = {.height = SIDE, .width = SIDE, .channels = 1, .integers = true};
    struct xpl_request *request;

    fill.values = XPL_NEW_ARRAY(b->arena, double, SIDE *SIDE);
    for (unsigned i = 0; i < SIDE * SIDE; i++)
        labels[i] = (uint16_t)(i / 7 % 3);
    assert_int_equal(xpl_request_read(b->arena, (struct xpl_text){text->data, text->length}, NULL,
                                      &xpl_decode_in_process, &request, &b->err),
                     XPL_OK);
    assert_int_equal(xpl_splicer_new(b->arena, request, 0, NULL, labels, 3, &fill, &b->splicer, &b->err), XPL_OK);
}

/* Answers with the number of the mask whose body came. */
static void comparing_model(struct model_server *server, unsigned number, const struct xpl_buf *body,
                            struct reaction *r)
{
    char answer[128];

    (void)server;
    if (number < expected.faults) {
        react_with(r, number ? 0 : 503, "later");
        return;
    }
    react_with(r, 400, "no such body");
    for (unsigned m = 0; m < N_MASKS; m++)
        if (body->length == expected.lengths[m] && memcmp(body->data, expected.bodies[m], body->length) == 0) {
            snprintf(answer, sizeof answer, "{\"fields\":[\"probability\"],\"values\":[[[%.2f,%.2f]]]}", m / 100.0,
                     1 - m / 100.0);
            react_with(r, 200, answer);
        }
}

static void start_long_bench(struct xpl_arena *arena, const struct xpl_buf *text, unsigned faults)
{
    struct bench *b = bench_new(arena, comparing_model);

    expected = (struct long_bench){.b = b, .faults = faults};
    make_long_splicer(b, text);
    for (uint64_t m = 0; m < N_MASKS; m++) {
        expected.bodies[m] = xpl_arena_alloc(arena, xpl_splice_max(b->splicer, 1));
        expected.lengths[m] = xpl_splice(b->splicer, &m, 1, expected.bodies[m]);
        assert_true(expected.lengths[m] > ((size_t)64 << 10));
    }
    assert_memory_equal(expected.bodies[N_MASKS - 1], text->data, text->length);
    b->options.in_flight = 4;
    b->options.batch.refused = 2;
    assert_int_equal(connect_bench(b), XPL_OK);
}

static void score_all(struct bench *b)
{
    uint64_t masks[N_MASKS];
    double *first, scores[N_MASKS * 2];
    const char *const *labels;
    uint32_t n_classes;

    if (xpl_predictor_try(b->predictor, b->arena, N_MASKS - 1, &n_classes, &first, &labels, &b->err))
        fail_msg("%s", b->err.message);
    for (unsigned m = 0; m < N_MASKS; m++)
        masks[m] = m;
    if (xpl_predictor_score(b->predictor, masks, N_MASKS, scores, &b->err))
        fail_msg("%s", b->err.message);
    for (unsigned m = 0; m < N_MASKS; m++)
        assert_true(scores[2 * m] == m / 100.0);
}

static void bodies_in_flight_do_not_get_into_each_other(void **state)
{
    XPL_AUTO(xpl_buf) text = long_request();

    start_long_bench(*state, text, 0);
    score_all(expected.b);
    bench_free(expected.b);
}

static void a_body_is_sent_from_its_beginning_again(void **state)
{
    XPL_AUTO(xpl_buf) text = long_request();
    struct xpl_predictor_stats stats;

    start_long_bench(*state, text, 3);
    score_all(expected.b);
    xpl_predictor_stats(expected.b->predictor, &stats);
    assert_true(stats.retries >= 1);
    bench_free(expected.b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCORING_TEST(bodies_in_flight_do_not_get_into_each_other),
        SCORING_TEST(a_body_is_sent_from_its_beginning_again),
    };

    return cmocka_run_group_tests_name("scoring/predictor_long_bodies", tests, start_libraries, stop_libraries);
}
