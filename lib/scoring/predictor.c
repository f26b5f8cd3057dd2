/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/predictor.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/interrupt.h"
#include "lib/base/time.h"
#include "lib/scoring/exchange.h"
#include "lib/scoring/predictor_job.h"

#define POLL_MS        100 /* how soon a cancel or the deadline is noticed */
#define BACKOFF_MS     200
#define MAX_BACKOFF_MS 30000
#define STREAMED_BYTES ((size_t)64 << 10) /* shorter bodies leave together with their heads */

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
    p->batch = options->batch;
    xpl_predictor_fix_batch(p, options->fixed_batch);
    xpl_depth_start(&p->depth, options->known_depth, p->options.in_flight);
    *ret = p;
    return XPL_OK;
}

void xpl_predictor_free(struct xpl_predictor *predictor)
{
    if (!predictor)
        return;
    xpl_transport_free(predictor->transport);
    free(predictor->reference);
    free(predictor);
}

/* ---- requests ---- */

static bool is_idle(const struct work *work)
{
    return work->first == work->end;
}

static size_t read_body(void *context, char *out, size_t size)
{
    struct work *work = context;

    return xpl_splice_read(&work->stream, out, size);
}

static void rewind_body(void *context)
{
    struct work *work = context;

    xpl_splice_begin(&work->stream, work->stream.splicer, work->rows, work->stream.n);
}

/* Whether bodies may be made while they are sent: neither signed nor shown to anybody, for which all of one is needed.
 */
static bool streams(const struct xpl_predictor *p)
{
    return xpl_splice_streams(p->splicer, p->form) && !p->options.exchange && !p->endpoint.aws_region;
}

/* Makes the request for the next masks of a slot's share. */
static enum xpl_status make_body(struct job *job, struct work *work, struct xpl_slot *slot)
{
    struct xpl_predictor *p = job->p;
    size_t left = work->end - work->first, size = xpl_batch_size(&p->batch, p->max_batch);
    uint32_t n_rows;
    char *body;

    work->n = work->trial || left < size ? left : size;
    work->tries = 0;
    memcpy(work->rows, job->masks + work->first, work->n * sizeof *work->rows);
    if (work->trial)
        work->rows[work->n] = p->reference_mask;
    for (n_rows = xpl_work_rows(work); n_rows < p->fixed_batch; n_rows++)
        work->rows[n_rows] = work->rows[0];
    work->n_rows = n_rows;
    slot->source = (struct xpl_body_source){0};
    if (streams(p) && (work->body_length = xpl_splice_length(p->splicer, work->rows, n_rows)) >= STREAMED_BYTES) {
        slot->source = (struct xpl_body_source){read_body, rewind_body, work};
        slot->head_length = 0;
        xpl_splice_begin(&work->stream, p->splicer, work->rows, n_rows);
        return XPL_OK;
    }
    if (!(body = xpl_transport_body(slot, xpl_splice_form_max(p->splicer, p->form, n_rows))))
        return xpl_no_memory(job->err);
    work->body_length = xpl_splice_as(p->splicer, p->form, work->rows, n_rows, body, &slot->head_length);
    return XPL_OK;
}

static enum xpl_status start(struct job *job, uint32_t slot_index)
{
    struct xpl_predictor *p = job->p;
    struct work *work = &p->work[slot_index];
    struct xpl_slot *slot = xpl_transport_slot(p->transport, slot_index);
    enum xpl_status st;

    if (work->n == 0 && (st = make_body(job, work, slot)))
        return st;
    if (slot->source.read)
        slot->source.rewind(slot->source.context);
    work->tries++;
    work->not_before = 0;
    work->started = xpl_monotonic_us();
    return xpl_transport_start(p->transport, slot, work->body_length, p->stats.requests++, job->err);
}

static void give(struct job *job, struct work *work, size_t n, bool trial)
{
    *work = (struct work){.first = job->next, .end = job->next + n, .trial = trial, .not_before = 1};
    job->next += n;
}

static uint32_t n_busy(const struct xpl_predictor *p)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->options.in_flight; i++)
        n += !is_idle(&p->work[i]);
    return n;
}

/* Gives idle slots their next share, and starts what waits when its time has come. */
static enum xpl_status feed(struct job *job, int64_t now)
{
    struct xpl_predictor *p = job->p;
    uint32_t busy = n_busy(p);

    for (uint32_t i = 0; i < p->options.in_flight; i++) {
        struct work *work = &p->work[i];
        size_t left = job->n - job->next;
        enum xpl_status st;

        if (is_idle(work) && left && job->share && busy < p->depth.now) {
            give(job, work, left < job->share ? left : job->share, false);
            busy++;
        }
        if (is_idle(work) || !work->not_before || work->not_before > now)
            continue;
        if ((st = start(job, i)))
            return st;
    }
    return XPL_OK;
}

/* ---- what came of them ---- */

static int64_t backoff_us(uint32_t tries, int64_t retry_after_ms)
{
    int64_t limit_ms = BACKOFF_MS << (tries < 8 ? tries : 8);
    uint32_t random;

    xpl_random(&random, sizeof random);
    limit_ms = limit_ms < MAX_BACKOFF_MS ? limit_ms : MAX_BACKOFF_MS;
    retry_after_ms = retry_after_ms < MAX_BACKOFF_MS ? retry_after_ms : MAX_BACKOFF_MS;
    return (retry_after_ms + limit_ms * (int64_t)(random % 1000) / 1000) * 1000;
}

static enum xpl_breaker_news news_of(const struct xpl_slot *slot, enum xpl_status why)
{
    if (why == XPL_MODEL_REFUSED || why == XPL_MODEL_BAD_ANSWER)
        return XPL_NEWS_ANSWERED;
    if (why == XPL_MODEL_UNREACHABLE && !slot->connected)
        return XPL_NEWS_HOST_FAILED;
    if (why == XPL_MODEL_UNREACHABLE || why == XPL_MODEL_FAILED || why == XPL_MODEL_TIMEOUT)
        return XPL_NEWS_MODEL_FAILED;
    return XPL_NEWS_NONE;
}

static enum xpl_status give_up(struct job *job, const struct xpl_slot *slot, const struct work *work,
                               const struct xpl_error *why)
{
    const char *tries = work->tries == 1 ? "try" : "tries";

    job->news = news_of(slot, why->status);
    if (why->status == XPL_MODEL_FAILED || why->status == XPL_MODEL_UNREACHABLE)
        return xpl_fail(job->err, why->status, "%s (after %u %s)", why->message, work->tries, tries);
    return xpl_fail(job->err, why->status, "%s", why->message);
}

/* Whether fewer images may help. Some failures say so; others get a second try with as many. */
static bool is_too_much(const struct xpl_predictor *p, const struct xpl_slot *slot, const struct work *work,
                        enum xpl_status why)
{
    if (xpl_work_rows(work) == 1 || p->fixed_batch || !slot->connected)
        return false;
    if (why == XPL_MODEL_BAD_ANSWER || why == XPL_MODEL_TIMEOUT || why == XPL_NO_MEMORY)
        return true;
    if (slot->status == 400 || slot->status == 413 || slot->status == 422)
        return true;
    return (why == XPL_MODEL_UNREACHABLE || slot->status >= 500) && (work->tries > 1 || p->options.retries == 0);
}

/* The masks of a trial go back to the others; those of a share are asked for with fewer in a request. */
static void use_fewer(struct job *job, struct work *work)
{
    xpl_batch_refuse(&job->p->batch, xpl_work_rows(work));
    job->p->stats.retries++;
    work->n = 0;
    work->not_before = 1;
    if (work->trial)
        job->next = work->end = work->first;
}

static enum xpl_status take_failure(struct job *job, const struct xpl_slot *slot, struct work *work,
                                    enum xpl_outcome outcome, int64_t retry_after_ms, const struct xpl_error *why)
{
    struct xpl_predictor *p = job->p;

    if (is_too_much(p, slot, work, why->status)) {
        use_fewer(job, work);
        return XPL_OK;
    }
    if (outcome != XPL_OUTCOME_AGAIN || work->tries > p->options.retries)
        return give_up(job, slot, work, why);
    p->stats.retries++;
    if (slot->status == 429 || slot->status == 503 || why->status == XPL_MODEL_TIMEOUT)
        xpl_depth_refused(&p->depth);
    work->not_before = xpl_monotonic_us() + backoff_us(work->tries, retry_after_ms);
    return XPL_OK;
}

static enum xpl_status take_answer(struct job *job, const struct xpl_slot *slot, struct work *work)
{
    struct xpl_predictor *p = job->p;
    struct xpl_error why = {0};

    if (xpl_predictor_take(job, slot, work, &why))
        return take_failure(job, slot, work, XPL_OUTCOME_FAILED, 0, &why);
    xpl_predictor_learn(job, work);
    p->stats.images += xpl_work_rows(work);
    if (p->progress)
        atomic_fetch_add(&p->progress->done, work->n);
    job->done += work->n;
    work->first += work->n;
    work->n = 0;
    work->not_before = 1;
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
    int64_t retry_after_ms, took_us;
    struct work *work;

    st = xpl_transport_poll(p->transport, POLL_MS, &slot, &outcome, &retry_after_ms, &why);
    if (st || !slot)
        return st ? xpl_fail(job->err, st, "%s", why.message) : XPL_OK;
    work = &p->work[slot_number(p, slot)];
    took_us = xpl_monotonic_us() - work->started;
    if (p->options.exchange)
        xpl_exchange_note(p->options.exchange, slot,
                          &(struct xpl_exchange_facts){work->body_length, took_us, retry_after_ms});
    xpl_call_meters_add(p->options.meters, outcome == XPL_OUTCOME_ANSWER ? XPL_OK : why.status, took_us);
    return outcome == XPL_OUTCOME_ANSWER ? take_answer(job, slot, work)
                                         : take_failure(job, slot, work, outcome, retry_after_ms, &why);
}

/* ---- the job ---- */

static enum xpl_status turn(struct job *job)
{
    struct xpl_predictor *p = job->p;
    struct xpl_patience patience = {p->progress ? &p->progress->cancel : NULL, p->options.deadline_us};
    enum xpl_status st;

    if ((st = xpl_patience_check(&patience, job->err)) || (st = feed(job, xpl_monotonic_us())))
        return st;
    return poll_once(job);
}

/* Requests of growing size, one at a time, until one fails or there is nothing more to gain. */
static enum xpl_status find_batch(struct job *job, size_t useful)
{
    struct xpl_predictor *p = job->p;
    uint32_t limit = useful < p->max_batch ? (uint32_t)useful : p->max_batch, size;
    enum xpl_status st = XPL_OK;

    while (!st && (size = xpl_batch_next(&p->batch, limit)) && job->n - job->next >= size - 1) {
        give(job, &p->work[0], size - 1, true);
        while (!st && !is_idle(&p->work[0]))
            st = turn(job);
    }
    return st;
}

/* A share is a request's worth of masks, but no slot should be idle while another one has several. */
enum xpl_status xpl_predictor_run(struct job *job)
{
    struct xpl_predictor *p = job->p;
    size_t in_flight = p->depth.now, useful = (job->n + in_flight - 1) / in_flight;
    int64_t started = xpl_monotonic_us();
    enum xpl_status st = XPL_OK;

    memset(p->work, 0, sizeof p->work);
    xpl_depth_restart(&p->depth);
    if (p->n_classes)
        st = find_batch(job, useful);
    job->share = (job->n - job->next + in_flight - 1) / in_flight;
    if (p->fixed_batch || job->share > xpl_batch_size(&p->batch, p->max_batch))
        job->share = xpl_batch_size(&p->batch, p->max_batch);
    while (!st && job->done < job->n)
        st = turn(job);
    if (st)
        xpl_transport_abort(p->transport);
    p->busy_us += xpl_monotonic_us() - started;
    return st;
}

static void report(const struct job *job, enum xpl_status st)
{
    const struct xpl_predictor *p = job->p;

    if (p->options.breaker)
        xpl_breaker_report(p->options.breaker, xpl_transport_host(p->transport), xpl_predictor_circuit(p),
                           st ? job->news : XPL_NEWS_ANSWERED, xpl_monotonic_us());
}

enum xpl_status xpl_predictor_score(void *predictor, const uint64_t *masks, size_t n, double *ret_scores,
                                    struct xpl_error *err)
{
    struct job job = {.p = predictor, .masks = masks, .n = n, .scores = ret_scores, .err = err};
    enum xpl_status st;

    if (job.p->n_classes == 0)
        return xpl_fail(err, XPL_INTERNAL, "scoring before the first call");
    st = xpl_predictor_run(&job);
    report(&job, st);
    return st;
}

enum xpl_status xpl_predictor_try(struct xpl_predictor *predictor, struct xpl_arena *arena, uint64_t mask,
                                  uint32_t *ret_n_classes, double **ret_scores, const char *const **ret_labels,
                                  struct xpl_error *err)
{
    struct job job = {.p = predictor, .label_arena = arena, .masks = &mask, .n = 1, .err = err};
    struct xpl_breaker *breaker = predictor->options.breaker;
    enum xpl_status st;

    if (breaker && (st = xpl_breaker_enter(breaker, xpl_transport_host(predictor->transport),
                                           xpl_predictor_circuit(predictor), xpl_monotonic_us(), err)))
        return st;
    st = xpl_predictor_run_first(&job);
    report(&job, st);
    if (st || (st = xpl_predictor_try_raw(predictor, mask, err)))
        return st;
    *ret_n_classes = predictor->n_classes;
    *ret_scores = job.first_scores;
    *ret_labels = job.labels;
    return XPL_OK;
}
