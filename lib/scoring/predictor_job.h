/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the predictor: what one scoring job and its slots work on. For predictor*.c only. */
#ifndef XPL_SCORING_PREDICTOR_JOB_H
#define XPL_SCORING_PREDICTOR_JOB_H

#include "lib/base/hash.h"
#include "lib/scoring/predictor.h"
#include "lib/scoring/transport/transport.h"

/* What one slot works on: a share of the job's masks, asked for in one request, or in several smaller ones when that
 * was too much. */
struct work {
    size_t first, end; /* what is left of the share; first == end: nothing */
    size_t n;          /* masks in the request, from `first` on; 0 = to be made */
    bool trial;        /* the request ends with the reference mask */
    uint32_t tries;
    int64_t started, not_before; /* monotonic: a retry waits until then; 0 = under way */
    size_t body_length;
    uint64_t rows[XPL_MAX_BATCH]; /* the masks in the request, */
    uint32_t n_rows;              /* as many as these, with those that only fill it up */
    struct xpl_splice_stream stream;
};

struct xpl_predictor {
    struct xpl_endpoint endpoint;
    struct xpl_predictor_options options;
    struct xpl_answer_hints hints;
    struct xpl_predictor_progress *progress;
    const struct xpl_splicer *splicer;
    struct xpl_transport *transport;
    struct work work[XPL_MAX_IN_FLIGHT];
    struct xpl_batch batch;
    struct xpl_depth depth;
    double image_us;                /* an image's time in the last trial */
    enum xpl_body_form form;        /* of bodies */
    bool raw_works, raw_tried;      /* tensors as raw bytes */
    uint32_t max_batch;             /* images that a body may hold */
    uint32_t fixed_batch;           /* images that it must hold; 0 = any number */
    uint32_t n_classes;             /* 0 until the first answer */
    uint8_t labels[XPL_HASH_BYTES]; /* of the first answer, so that no class is taken for another one later */
    uint64_t reference_mask;        /* of the first call, */
    double *reference;              /* and its scores: n_classes */
    struct xpl_predictor_stats stats;
    int64_t busy_us;
};

/* One scoring job: masks in, scores out, placed by index. */
struct job {
    struct xpl_predictor *p;
    struct xpl_arena *label_arena; /* NULL: labels are not wanted */
    const char *const *labels;
    const uint64_t *masks;
    size_t n, next, done;
    size_t share;   /* masks that a slot is given; 0 = none, while a trial goes on */
    double *scores; /* n x n_classes; NULL in the first call, where `first_scores` is made */
    double *first_scores;
    enum xpl_breaker_news news;
    struct xpl_error *err;
};

/** Rows of the request that were asked for. */
static inline uint32_t xpl_work_rows(const struct work *work)
{
    return (uint32_t)work->n + work->trial;
}

/** What the breaker knows the model by. */
static inline const char *xpl_predictor_circuit(const struct xpl_predictor *p)
{
    return p->options.circuit ? p->options.circuit : p->endpoint.url;
}

/**
 * Reads a slot's answer and places its scores. XPL_MODEL_BAD_ANSWER says what is wrong with it, and the job is as it
 * was.
 */
enum xpl_status xpl_predictor_take(struct job *job, const struct xpl_slot *slot, const struct work *work,
                                   struct xpl_error *err);

/** How far an image's numbers may differ between requests of different sizes or forms. */
#define XPL_SAME_NUMBERS 1e-4

/** Bodies have this form from now on; nothing may be under way. */
enum xpl_status xpl_predictor_use_form(struct xpl_predictor *p, enum xpl_body_form form, struct xpl_error *err);

/** Requests have that many images from now on; false when that is none, or more than may be. */
bool xpl_predictor_fix_batch(struct xpl_predictor *p, uint32_t n);

/** The first call: a model that refuses it is asked again with a raw tensor, and with as many images as were logged. */
enum xpl_status xpl_predictor_run_first(struct job *job);

/** Scores all masks of the job. */
enum xpl_status xpl_predictor_run(struct job *job);

/** The first mask once more, its tensor as raw bytes. Whatever comes of it but the same numbers: JSON stays. */
enum xpl_status xpl_predictor_try_raw(struct xpl_predictor *p, uint64_t mask, struct xpl_error *err);

/** Whether these are the scores of the first call. */
bool xpl_predictor_is_reference(const struct xpl_predictor *p, const double *scores);

/** What an answer that was taken tells about further requests: how many images in them, how many in flight. */
void xpl_predictor_learn(struct job *job, const struct work *work);

#endif
