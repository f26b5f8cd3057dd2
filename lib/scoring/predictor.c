/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/predictor.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/time.h"
#include "lib/scoring/transport.h"

#define POLL_MS            100 /* how soon a cancel or the deadline is noticed */
#define BACKOFF_MS         200
#define MAX_BACKOFF_MS     30000
#define ANSWER_ARENA_BYTES ((size_t)64 << 20)

/* What one slot works on. */
struct work {
    size_t index; /* of the mask; SIZE_MAX = idle */
    uint32_t tries;
    int64_t not_before; /* monotonic: a retry waits until then; 0 = under way */
    int64_t started_us; /* monotonic: this try */
    size_t body_length;
};

struct xpl_predictor {
    struct xpl_endpoint endpoint;
    struct xpl_predictor_options options;
    struct xpl_answer_hints hints;
    struct xpl_predictor_progress *progress;
    const struct xpl_splicer *splicer;
    struct xpl_transport *transport;
    struct work work[XPL_MAX_IN_FLIGHT];
    uint32_t n_classes;             /* 0 until the first answer */
    uint8_t labels[XPL_HASH_BYTES]; /* of the first answer, so that no class is taken for another one later */
    struct xpl_predictor_stats stats;
    int64_t busy_us;
};

#define IDLE              SIZE_MAX
#define MAX_LABELS_HASHED 1024

enum xpl_status xpl_predictor_new(const struct xpl_endpoint *endpoint, const struct xpl_predictor_options *options,
                                  const struct xpl_answer_hints *hints, struct xpl_predictor_progress *progress,
                                  struct xpl_predictor **ret, struct xpl_error *err)
{
    struct xpl_predictor *p = calloc(1, sizeof *p);

    if (!p)
        return xpl_no_memory(err);
    p->endpoint = *endpoint;
    p->options = *options;
    if (p->options.in_flight < 1)
        p->options.in_flight = 1;
    if (p->options.in_flight > XPL_MAX_IN_FLIGHT)
        p->options.in_flight = XPL_MAX_IN_FLIGHT;
    if (hints)
        p->hints = *hints;
    p->progress = progress;
    *ret = p;
    return XPL_OK;
}

void xpl_predictor_free(struct xpl_predictor *predictor)
{
    if (!predictor)
        return;
    xpl_transport_free(predictor->transport);
    free(predictor);
}

enum xpl_status xpl_predictor_set_splicer(struct xpl_predictor *predictor, const struct xpl_splicer *splicer,
                                          struct xpl_error *err)
{
    xpl_transport_free(predictor->transport);
    predictor->transport = NULL;
    predictor->splicer = splicer;
    return xpl_transport_new(&predictor->endpoint, &predictor->options, xpl_splice_max(splicer), &predictor->transport,
                             err);
}

/* One scoring job: masks in, scores out, placed by index. */
struct job {
    struct xpl_predictor *p;
    struct xpl_arena *label_arena; /* NULL: labels are not wanted */
    const char *const *labels;
    const uint64_t *masks;
    size_t n, next, done;
    double *scores; /* n x n_classes; NULL in a trial, where `trial_scores` is made */
    double *trial_scores;
    struct xpl_error *err;
};

static enum xpl_status start(struct job *job, uint32_t slot_index, size_t mask_index)
{
    struct xpl_predictor *p = job->p;
    struct work *work = &p->work[slot_index];
    struct xpl_slot *slot = xpl_transport_slot(p->transport, slot_index);

    if (work->index != mask_index) {
        *work = (struct work){.index = mask_index};
        work->body_length = xpl_splice(p->splicer, job->masks[mask_index], slot->body);
    }
    work->tries++;
    work->not_before = 0;
    work->started_us = xpl_monotonic_us();
    return xpl_transport_start(p->transport, slot, work->body_length, p->stats.requests++, job->err);
}

/* Gives idle slots their next mask, and waiting ones another try when their time has come. */
static enum xpl_status feed(struct job *job, int64_t now)
{
    struct xpl_predictor *p = job->p;

    for (uint32_t i = 0; i < p->options.in_flight; i++) {
        struct work *work = &p->work[i];
        enum xpl_status st = XPL_OK;

        if (work->index == IDLE && job->next < job->n)
            st = start(job, i, job->next++);
        else if (work->index != IDLE && work->not_before && work->not_before <= now)
            st = start(job, i, work->index);
        if (st)
            return st;
    }
    return XPL_OK;
}

static int64_t backoff_us(uint32_t tries, int64_t retry_after_ms)
{
    int64_t limit_ms = BACKOFF_MS << (tries < 8 ? tries : 8);
    uint32_t random;

    xpl_random(&random, sizeof random);
    limit_ms = limit_ms < MAX_BACKOFF_MS ? limit_ms : MAX_BACKOFF_MS;
    retry_after_ms = retry_after_ms < MAX_BACKOFF_MS ? retry_after_ms : MAX_BACKOFF_MS;
    return (retry_after_ms + limit_ms * (int64_t)(random % 1000) / 1000) * 1000;
}

static enum xpl_status try_again(struct job *job, struct work *work, int64_t retry_after_ms,
                                 const struct xpl_error *why)
{
    struct xpl_predictor *p = job->p;
    const char *tries = work->tries == 1 ? "try" : "tries";

    if (work->tries > p->options.retries)
        return xpl_fail(job->err, why->status, "%s (after %u %s)", why->message, work->tries, tries);
    p->stats.retries++;
    work->not_before = xpl_monotonic_us() + backoff_us(work->tries, retry_after_ms);
    return XPL_OK;
}

/* Every answer must name the classes of the first one. */
static enum xpl_status check_labels(struct job *job, const struct xpl_answer *answer)
{
    struct xpl_hash_part parts[MAX_LABELS_HASHED];
    uint8_t hash[XPL_HASH_BYTES];
    size_t n = 0;

    for (uint32_t i = 0; answer->labels && i < answer->n_classes && n < MAX_LABELS_HASHED; i++, n++)
        parts[n] = (struct xpl_hash_part){answer->labels[i], strlen(answer->labels[i])};
    xpl_hash_parts(parts, n, hash);
    if (job->p->n_classes == 0)
        memcpy(job->p->labels, hash, sizeof hash);
    else if (memcmp(job->p->labels, hash, sizeof hash) != 0)
        return xpl_fail(job->err, XPL_MODEL_BAD_ANSWER, "the labels of an answer differ from those of the first one");
    return XPL_OK;
}

static enum xpl_status keep_labels(struct job *job, const struct xpl_answer *answer)
{
    const char **labels;

    if (!job->label_arena || !answer->labels)
        return XPL_OK;
    if (!(labels = XPL_NEW_ARRAY(job->label_arena, const char *, answer->n_classes)))
        return xpl_no_memory(job->err);
    for (uint32_t i = 0; i < answer->n_classes; i++)
        if (!(labels[i] = xpl_arena_string(job->label_arena, answer->labels[i])))
            return xpl_no_memory(job->err);
    job->labels = labels;
    return XPL_OK;
}

static enum xpl_status store(struct job *job, size_t index, const struct xpl_answer *answer)
{
    struct xpl_predictor *p = job->p;
    size_t k = answer->n_classes;
    enum xpl_status st;

    if ((st = check_labels(job, answer)))
        return st;
    p->n_classes = answer->n_classes;
    if (!job->scores && !(job->scores = job->trial_scores = xpl_arena_array(job->label_arena, k, sizeof(double))))
        return xpl_no_memory(job->err);
    memcpy(job->scores + index * k, answer->probabilities, k * sizeof(double));
    return keep_labels(job, answer);
}

static enum xpl_status take_answer(struct job *job, struct xpl_slot *slot, struct work *work)
{
    struct xpl_predictor *p = job->p;
    struct xpl_arena *arena = xpl_arena_new(ANSWER_ARENA_BYTES);
    struct xpl_answer *answer;
    enum xpl_status st;

    if (!arena)
        return xpl_no_memory(job->err);
    st = xpl_answer_read(arena, (struct xpl_text){slot->answer.data, slot->answer.length}, &p->hints, 1, p->n_classes,
                         &answer, job->err);
    if (!st)
        st = store(job, work->index, answer);
    xpl_arena_free(arena);
    work->index = IDLE;
    if (st)
        return st;
    job->done++;
    p->stats.images++;
    if (p->progress)
        atomic_fetch_add(&p->progress->done, 1);
    return XPL_OK;
}

static uint32_t slot_number(struct xpl_predictor *p, const struct xpl_slot *slot)
{
    uint32_t i = 0;

    while (xpl_transport_slot(p->transport, i) != slot)
        i++;
    return i;
}

static enum xpl_status poll_once(struct job *job)
{
    struct xpl_predictor *p = job->p;
    struct xpl_error why = {0};
    struct xpl_slot *slot;
    enum xpl_outcome outcome;
    enum xpl_status st;
    int64_t retry_after_ms;
    struct work *work;

    st = xpl_transport_poll(p->transport, POLL_MS, &slot, &outcome, &retry_after_ms, &why);
    if (st || !slot)
        return st ? xpl_fail(job->err, st, "%s", why.message) : XPL_OK;
    work = &p->work[slot_number(p, slot)];
    xpl_call_meters_add(p->options.meters, outcome == XPL_OUTCOME_ANSWER ? XPL_OK : why.status,
                        xpl_monotonic_us() - work->started_us);
    switch (outcome) {
    case XPL_OUTCOME_ANSWER:
        return take_answer(job, slot, work);
    case XPL_OUTCOME_AGAIN:
        return try_again(job, work, retry_after_ms, &why);
    case XPL_OUTCOME_FAILED:
        break;
    }
    return xpl_fail(job->err, why.status, "%s", why.message);
}

static enum xpl_status check_stop(const struct job *job, int64_t now)
{
    const struct xpl_predictor *p = job->p;

    if (p->progress && atomic_load(&p->progress->cancel))
        return xpl_fail(job->err, XPL_CANCELLED, "the explanation was cancelled");
    if (p->options.deadline_us && now >= p->options.deadline_us)
        return xpl_fail(job->err, XPL_DEADLINE, "the explanation's deadline passed");
    return XPL_OK;
}

static enum xpl_status run(struct job *job)
{
    struct xpl_predictor *p = job->p;
    int64_t started = xpl_monotonic_us();
    enum xpl_status st = XPL_OK;

    for (uint32_t i = 0; i < p->options.in_flight; i++)
        p->work[i] = (struct work){.index = IDLE};
    while (!st && job->done < job->n) {
        int64_t now = xpl_monotonic_us();

        st = check_stop(job, now);
        if (!st)
            st = feed(job, now);
        if (!st)
            st = poll_once(job);
    }
    if (st)
        xpl_transport_abort(p->transport);
    p->busy_us += xpl_monotonic_us() - started;
    return st;
}

enum xpl_status xpl_predictor_score(void *predictor, const uint64_t *masks, size_t n, double *ret_scores,
                                    struct xpl_error *err)
{
    struct job job = {.p = predictor, .masks = masks, .n = n, .scores = ret_scores, .err = err};

    if (job.p->n_classes == 0)
        return xpl_fail(err, XPL_INTERNAL, "scoring before the trial call");
    return run(&job);
}

enum xpl_status xpl_predictor_try(struct xpl_predictor *predictor, struct xpl_arena *arena, uint64_t mask,
                                  uint32_t *ret_n_classes, double **ret_scores, const char *const **ret_labels,
                                  struct xpl_error *err)
{
    struct job job = {.p = predictor, .label_arena = arena, .masks = &mask, .n = 1, .err = err};
    enum xpl_status st = run(&job);

    if (st)
        return st;
    *ret_n_classes = predictor->n_classes;
    *ret_scores = job.trial_scores;
    *ret_labels = job.labels;
    return XPL_OK;
}

void xpl_predictor_stats(const struct xpl_predictor *predictor, struct xpl_predictor_stats *ret)
{
    *ret = predictor->stats;
    ret->seconds = (double)predictor->busy_us / 1e6;
    if (predictor->transport)
        xpl_transport_bytes(predictor->transport, &ret->bytes_sent, &ret->bytes_received);
}
