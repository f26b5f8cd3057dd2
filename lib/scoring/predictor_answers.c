/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/time.h"
#include "lib/scoring/predictor_job.h"
#include "lib/scoring/requests/raw_body.h"
#include "lib/scoring/requests/raw_tensors.h"

#define ANSWER_ARENA_BYTES ((size_t)64 << 20)
#define MAX_LABELS_HASHED  1024
#define LONG_CALL          8   /* a trial that takes an eighth of a call's time-out is the last one */
#define WORTH_MORE         0.8 /* larger requests are tried while they make an image a fifth quicker */

/* Every answer must name the classes of the first one. */
static enum xpl_status check_labels(struct xpl_predictor *p, const struct xpl_answer *answer, struct xpl_error *err)
{
    struct xpl_hash_part parts[MAX_LABELS_HASHED];
    uint8_t hash[XPL_HASH_BYTES];
    size_t n = 0;

    for (uint32_t i = 0; answer->labels && i < answer->n_classes && n < MAX_LABELS_HASHED; i++, n++)
        parts[n] = (struct xpl_hash_part){answer->labels[i], strlen(answer->labels[i])};
    xpl_hash_parts(parts, n, hash);
    if (p->n_classes == 0)
        memcpy(p->labels, hash, sizeof hash);
    else if (memcmp(p->labels, hash, sizeof hash) != 0)
        return xpl_fail(err, XPL_MODEL_BAD_ANSWER,
                        "the labels of an answer differ from those of the first one; when the model names its best few "
                        "classes only, "
                        "asset_properties.explaind.class_labels can name all of them");
    return XPL_OK;
}

bool xpl_predictor_is_reference(const struct xpl_predictor *p, const double *scores)
{
    for (uint32_t c = 0; c < p->n_classes; c++)
        if (fabs(scores[c] - p->reference[c]) > XPL_SAME_NUMBERS)
            return false;
    return true;
}

/* The last row of a trial's answer is that of a mask which was scored alone before. */
static enum xpl_status check_reference(const struct xpl_predictor *p, const struct xpl_answer *answer,
                                       struct xpl_error *err)
{
    const double *row = answer->probabilities + (size_t)(answer->n_rows - 1) * answer->n_classes;

    return xpl_predictor_is_reference(p, row)
               ? XPL_OK
               : xpl_fail(err, XPL_MODEL_BAD_ANSWER, "an image has other probabilities when scored with others");
}

static enum xpl_status keep_labels(struct job *job, const struct xpl_answer *answer, struct xpl_error *err)
{
    const char **labels;

    if (!answer->labels)
        return XPL_OK;
    if (!(labels = XPL_NEW_ARRAY(job->label_arena, const char *, answer->n_classes)))
        return xpl_no_memory(err);
    for (uint32_t i = 0; i < answer->n_classes; i++)
        if (!(labels[i] = xpl_arena_string(job->label_arena, answer->labels[i])))
            return xpl_no_memory(err);
    job->labels = labels;
    return XPL_OK;
}

/* The first answer says how many classes there are, and is what trials are compared with. */
static enum xpl_status learn(struct job *job, const struct xpl_answer *answer, struct xpl_error *err)
{
    struct xpl_predictor *p = job->p;
    size_t bytes = answer->n_classes * sizeof *p->reference;

    if (!(job->first_scores = xpl_arena_copy(job->label_arena, answer->probabilities, bytes)) ||
        !(p->reference = malloc(bytes)))
        return xpl_no_memory(err);
    memcpy(p->reference, answer->probabilities, bytes);
    p->reference_mask = job->masks[0];
    p->n_classes = answer->n_classes;
    job->scores = job->first_scores;
    return keep_labels(job, answer, err);
}

static enum xpl_status store(struct job *job, const struct work *work, const struct xpl_answer *answer,
                             struct xpl_error *err)
{
    size_t k = answer->n_classes;
    enum xpl_status st;

    if ((st = check_labels(job->p, answer, err)))
        return st;
    if (work->trial && (st = check_reference(job->p, answer, err)))
        return st;
    if (!job->scores)
        return learn(job, answer, err);
    memcpy(job->scores + work->first * k, answer->probabilities, work->n * k * sizeof(double));
    return XPL_OK;
}

enum xpl_status xpl_predictor_take(struct job *job, const struct xpl_slot *slot, const struct work *work,
                                   struct xpl_error *err)
{
    struct xpl_predictor *p = job->p;
    struct xpl_arena *arena = xpl_arena_new(ANSWER_ARENA_BYTES);
    struct xpl_text text = {slot->answer.data, slot->answer.length};
    struct xpl_error inner = {0};
    struct xpl_answer *answer;
    enum xpl_status st = XPL_OK;

    if (!arena)
        return xpl_no_memory(err);
    if (slot->answer_head)
        st = xpl_tensors_unpack(arena, text, slot->answer_head, "outputs", &text, err);
    else if (xpl_raw_body_as_json(arena, &(struct xpl_raw_body){.bytes = text, .is_answer = true}, &text, &inner))
        st = xpl_fail(err, XPL_MODEL_BAD_ANSWER, "%s", inner.message);
    if (!st)
        st = xpl_answer_read(arena, text, &p->hints, work->n_rows, p->n_classes, &answer, err);
    if (!st)
        st = store(job, work, answer, err);
    if (!st)
        p->stats.partial += answer->n_partial;
    xpl_arena_free(arena);
    return st;
}

/*
 * Larger requests are not worth a trial when they would take long: a cancel, a deadline or a failure would cost more
 * than they save. Nor when an image takes as long as in smaller ones: several small requests keep several workers of
 * the model busy.
 */
static void learn_from_trial(struct xpl_predictor *p, const struct work *work)
{
    uint32_t rows = xpl_work_rows(work);
    int64_t took_us = xpl_monotonic_us() - work->started;
    double image_us = (double)took_us / rows;

    xpl_batch_accept(&p->batch, rows);
    if (took_us > (int64_t)p->options.call.call_timeout_ms * 1000 / LONG_CALL || image_us > WORTH_MORE * p->image_us)
        xpl_batch_refuse(&p->batch, 2 * rows);
    p->image_us = image_us;
}

void xpl_predictor_learn(struct job *job, const struct work *work)
{
    struct xpl_predictor *p = job->p;

    if (work->trial)
        learn_from_trial(p, work);
    else if (job->scores == job->first_scores)
        p->image_us = (double)(xpl_monotonic_us() - work->started);
    else if (job->next < job->n) /* towards the end fewer are in flight */
        xpl_depth_answered(&p->depth, xpl_work_rows(work), xpl_monotonic_us());
}

const char *xpl_predictor_caveat(const struct xpl_predictor *predictor, struct xpl_arena *arena)
{
    const struct xpl_predictor_stats *stats = &predictor->stats;

    if (stats->partial == 0)
        return NULL;
    return xpl_arena_printf(arena,
                            "The model named only its most probable classes in %" PRIu64 " of %" PRIu64
                            " answers. A class that was left out got an equal part of what was left of 1: weights of "
                            "classes that are not always named are less sure than their intervals say.",
                            stats->partial, stats->images);
}

void xpl_predictor_praise(const struct xpl_predictor *p, struct xpl_breaker *breaker)
{
    if (breaker)
        xpl_breaker_report(breaker, xpl_transport_host(p->transport), xpl_predictor_circuit(p), XPL_NEWS_ANSWERED,
                           xpl_monotonic_us());
}

void xpl_predictor_tell_deadline(struct xpl_predictor_progress *progress, struct xpl_error *err)
{
    size_t done = atomic_load(&progress->done), planned = atomic_load(&progress->planned);

    if (planned == 0)
        return;
    *err = (struct xpl_error){0};
    xpl_fail(err, XPL_DEADLINE,
             "the explanation's deadline passed when %zu of the first %zu images were scored: a longer deadline "
             "helps, a smaller budget or fewer superpixels",
             done < planned ? done : planned, planned);
}

void xpl_predictor_stats(const struct xpl_predictor *predictor, struct xpl_predictor_stats *ret)
{
    *ret = predictor->stats;
    ret->batch = xpl_batch_size(&predictor->batch, predictor->max_batch);
    ret->depth = predictor->depth.now;
    ret->seconds = (double)predictor->busy_us / 1e6;
    if (predictor->transport)
        xpl_transport_bytes(predictor->transport, &ret->bytes_sent, &ret->bytes_received);
}

uint32_t xpl_predictor_depth(const struct xpl_predictor *predictor)
{
    return xpl_depth_found(&predictor->depth);
}

struct xpl_batch xpl_predictor_batch(const struct xpl_predictor *predictor)
{
    return predictor->batch;
}
