/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the predictor share: a server, a picture, and a predictor between them. */
#ifndef XPL_PREDICTOR_BENCH_H
#define XPL_PREDICTOR_BENCH_H

#include "lib/scoring/predictor.h"
#include "lib/scoring/transport/fetch.h"
#include "tests/unit/scoring/model_server.h"
#include "tests/unit/scoring/scoring_test.h"

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

struct bench *bench_new(struct xpl_arena *arena, react_fn react);
void bench_free(struct bench *b);
enum xpl_status connect_bench(struct bench *b);
enum xpl_status try_once(struct bench *b);
void assert_fails(struct bench *b, enum xpl_status st, enum xpl_status expected, const char *says);
void react_with(struct reaction *r, unsigned status, const char *body);
/** Answers with a row for each picture of the request; returns how many these are. */
unsigned answer_the_sum(const struct xpl_buf *body, struct reaction *r);
void sum_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r);
double expected_sum(uint64_t mask);
void assert_scores_all_masks(struct bench *b);

void labelled_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r);

void refusing_model(struct model_server *server, unsigned number, const struct xpl_buf *body, struct reaction *r);

/** Group set-up and end: the process-wide libraries. */
int start_libraries(void **state);
int stop_libraries(void **state);

#endif
