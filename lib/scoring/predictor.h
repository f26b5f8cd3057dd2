/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masks in, probabilities out, through the deployed model's own REST endpoint.
 *
 * One predictor serves one explanation and belongs to one thread. It keeps requests in flight over kept-alive
 * connections (how many, see depth.h), each with its own body and answer buffer made once; results are placed by index,
 * so that they do not depend on the order of arrival.
 *
 * How many images go into a request is found out by trial, unless it is known already: requests with 2, 4, 8, …
 * of the masks that are to be scored anyway, and the mask of the first call once more, whose row must have the same
 * numbers as when it was scored alone. A request with several images that fails is asked again with half as many.
 *
 * A tensor may be shorter as raw bytes than as JSON. Then the first call is made once more in that form; when its
 * answer has the same numbers, all others have it, too.
 */
#ifndef XPL_SCORING_PREDICTOR_H
#define XPL_SCORING_PREDICTOR_H

#include <stdatomic.h>

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/scoring/answers/answer.h"
#include "lib/scoring/batch.h"
#include "lib/scoring/breaker.h"
#include "lib/scoring/call_meters.h"
#include "lib/scoring/depth.h"
#include "lib/scoring/exchange.h"
#include "lib/scoring/requests/splice.h"
#include "lib/scoring/transport/endpoint.h"

struct xpl_predictor_options {
    struct xpl_call_options call;
    uint32_t in_flight;     /* at most; >= 1 */
    uint32_t known_depth;   /* requests in flight, as found before; 0 = not known */
    uint32_t max_batch;     /* images in a request at most; 0 = XPL_MAX_BATCH */
    uint32_t fixed_batch;   /* images in every request, copies of its first one included; 0 = as many as there are */
    uint32_t logged_batch;  /* likewise, when a first call with one image is refused; 0 = none */
    size_t max_body_bytes;  /* of a request with several images */
    struct xpl_batch batch; /* what is known of this deployment */
    bool raw_refused;       /* likewise: it takes no raw tensors, they are not tried */
    uint32_t retries;       /* 3 more tries with full jitter on connection errors, 408, 429, 5xx */
    int64_t deadline_us;    /* of the monotonic clock; 0 = none */
    struct xpl_breaker *breaker;    /* shared by all predictors of the process; NULL = none */
    const char *circuit;            /* what it knows the model by; NULL = the endpoint's address */
    struct xpl_call_meters *meters; /* may be NULL */
    struct xpl_exchange *exchange;  /* filled by the first call; may be NULL */
};

/** Shared with other threads: what a dashboard sees while the work goes on, and the way to stop it. */
struct xpl_predictor_progress {
    atomic_size_t done; /* images scored */
    atomic_size_t planned;
    atomic_bool cancel;
};

/** Lets an XPL_DEADLINE say how far scoring came, and what helps. */
void xpl_predictor_tell_deadline(struct xpl_predictor_progress *progress, struct xpl_error *err);

struct xpl_predictor_stats {
    uint64_t requests, retries;
    uint64_t images;         /* in requests that were answered, those of trials included */
    uint64_t partial;        /* of these, with answers that did not name all classes */
    uint32_t batch;          /* images in a request, as found */
    uint32_t depth;          /* requests in flight, likewise */
    enum xpl_body_form form; /* of the requests, those of trials apart */
    bool in_form;            /* they are files inside of multipart/form-data */
    uint64_t bytes_sent, bytes_received;
    double seconds;
};

/** What the requests were, without parameters. */
const char *xpl_predictor_content_type(const struct xpl_predictor_stats *stats);

struct xpl_predictor;

enum xpl_status xpl_predictor_new(const struct xpl_endpoint *endpoint, const struct xpl_predictor_options *options,
                                  const struct xpl_answer_hints *hints, struct xpl_predictor_progress *progress,
                                  struct xpl_predictor **ret, struct xpl_error *err);
void xpl_predictor_free(struct xpl_predictor *predictor);

/** The picture to vary. Borrowed until the predictor is freed. */
enum xpl_status xpl_predictor_set_splicer(struct xpl_predictor *predictor, const struct xpl_splicer *splicer,
                                          struct xpl_error *err);

/**
 * Scores masks: ret_scores is n x n_classes. With the shape of xpl_score_fn, `predictor` being the first argument. The
 * number of classes is that of the first answer; every other answer must have as many.
 */
enum xpl_status xpl_predictor_score(void *predictor, const uint64_t *masks, size_t n, double *ret_scores,
                                    struct xpl_error *err);

/**
 * The first call: scores one mask and learns the number of classes and labels. `ret_scores` is in `arena`.
 * XPL_MODEL_PAUSED without a call when the breaker says so.
 */
enum xpl_status xpl_predictor_try(struct xpl_predictor *predictor, struct xpl_arena *arena, uint64_t mask,
                                  uint32_t *ret_n_classes, double **ret_scores, const char *const **ret_labels,
                                  struct xpl_error *err);

/** What has to be said of answers that did not name all classes, in `arena`; NULL when all did, or without memory. */
const char *xpl_predictor_caveat(const struct xpl_predictor *predictor, struct xpl_arena *arena);

/** Tells a breaker that the model answers: for a predictor that works without one. */
void xpl_predictor_praise(const struct xpl_predictor *predictor, struct xpl_breaker *breaker);

void xpl_predictor_stats(const struct xpl_predictor *predictor, struct xpl_predictor_stats *ret);

/** What is known by now about images in a request, to be kept for the next predictor of the deployment. */
struct xpl_batch xpl_predictor_batch(const struct xpl_predictor *predictor);
/** Likewise about requests in flight; 0 = nothing. */
uint32_t xpl_predictor_depth(const struct xpl_predictor *predictor);
/** Likewise: raw tensors were tried, by this predictor or before, and the model answered otherwise than to JSON. */
bool xpl_predictor_raw_refused(const struct xpl_predictor *predictor);

#endif
