/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/scoring/predictor_bench.h"

#include <stdio.h>

#include "lib/base/hash.h"

static void make_splicer(struct bench *b)
{
    static const uint16_t labels[N_SEGMENTS] = {0, 1, 2, 3, 4, 5};
    static double nothing[N_SEGMENTS];
    struct xpl_pixels fill = {.height = 1, .width = N_SEGMENTS, .channels = 1, .integers = true, .values = nothing};
    struct xpl_request *request;

    assert_int_equal(xpl_request_read(b->arena, xpl_text_of(REQUEST), NULL, &xpl_decode_in_process, &request, &b->err),
                     XPL_OK);
    assert_int_equal(xpl_splicer_new(b->arena, request, 0, NULL, labels, N_SEGMENTS, &fill, &b->splicer, &b->err),
                     XPL_OK);
}

struct bench *bench_new(struct xpl_arena *arena, react_fn react)
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
                                                .call.connect_timeout_ms = 5000,
                                                .call.call_timeout_ms = 60000,
                                                .retries = 2,
                                                .call.max_answer_bytes = 1 << 20,
                                                .call.task_id = "task-7"};
    return b;
}

void bench_free(struct bench *b)
{
    xpl_predictor_free(b->predictor);
    model_server_stop(b->server);
}

enum xpl_status connect_bench(struct bench *b)
{
    enum xpl_status st = xpl_predictor_new(&b->endpoint, &b->options, NULL, &b->progress, &b->predictor, &b->err);

    return st ? st : xpl_predictor_set_splicer(b->predictor, b->splicer, &b->err);
}

enum xpl_status try_once(struct bench *b)
{
    enum xpl_status st = connect_bench(b);
    const char *const *labels;
    uint32_t n_classes;
    double *scores;

    return st ? st : xpl_predictor_try(b->predictor, b->arena, UINT64_MAX, &n_classes, &scores, &labels, &b->err);
}

/* Errors say what kind of failure it was, and nothing of the address or of what was answered. */
void assert_fails(struct bench *b, enum xpl_status st, enum xpl_status expected, const char *says)
{
    if (st != expected || b->err.status != expected || !strstr(b->err.message, says))
        fail_msg("status %d, \"%s\"", (int)st, b->err.message);
    assert_null(strstr(b->err.message, "127.0.0.1"));
    assert_null(strstr(b->err.message, "secret"));
}

void react_with(struct reaction *r, unsigned status, const char *body)
{
    r->status = status;
    snprintf(r->body, sizeof r->body, "%s", body);
}

/* The sum of each picture's numbers, as a probability. */
unsigned answer_the_sum(const struct xpl_buf *body, struct reaction *r)
{
    const char *at = strstr(body->data, "[[[") ? strstr(body->data, "[[[") + 1 : "";
    unsigned n = 0, v[N_SEGMENTS], used = 0;
    int length;

    react_with(r, 400, "{\"fields\":[\"probability\"],\"values\":[");
    while (sscanf(at, "[[%u,%u,%u,%u,%u,%u]]%n", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &length) == N_SEGMENTS) {
        unsigned sum = 0;

        for (int i = 0; i < N_SEGMENTS; i++)
            sum += v[i];
        used = (unsigned)strlen(r->body);
        snprintf(r->body + used, sizeof r->body - used, "%s[[%.4f,%.4f]]", n++ ? "," : "", 1 - sum / 1000.0,
                 sum / 1000.0);
        at += length + (at[length] == ',');
    }
    used = (unsigned)strlen(r->body);
    snprintf(r->body + used, sizeof r->body - used, "]}");
    if (n && strcmp(at, "]}") == 0)
        r->status = 200;
    return n;
}

void sum_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    (void)server, (void)number;
    answer_the_sum(body, r);
}

double expected_sum(uint64_t mask)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < N_SEGMENTS; i++)
        sum += mask >> i & 1 ? 10 * (i + 1) : 0;
    return sum;
}

void assert_scores_all_masks(struct bench *b)
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

void labelled_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    (void)server, (void)number, (void)body;
    react_with(r, 200,
               "{\"labels\":[\"dog\",\"cat\",\"emu\"],\"fields\":[\"probability\"],\"values\":[[[0.5,0.25,0.25]]]}");
}

void refusing_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r)
{
    (void)server, (void)number, (void)body;
    react_with(r, 404, "secret");
}

int start_libraries(void **state)
{
    (void)state;
    return xpl_crypto_start() && xpl_scoring_start(NULL) == XPL_OK ? 0 : -1;
}

int stop_libraries(void **state)
{
    (void)state;
    xpl_scoring_stop();
    return 0;
}
