/* SPDX-License-Identifier: Apache-2.0 */
/* What bodies are, and how many images they hold. */
#include <stdlib.h>
#include <string.h>

#include "lib/scoring/predictor_job.h"

/* How many images a body may hold. */
static uint32_t body_limit(const struct xpl_predictor_options *options, const struct xpl_splicer *splicer,
                           enum xpl_body_form form)
{
    uint32_t n = options->max_batch && options->max_batch < XPL_MAX_BATCH ? options->max_batch : XPL_MAX_BATCH;

    if (n > xpl_splice_max_rows(splicer))
        n = xpl_splice_max_rows(splicer);
    while (n > 1 && xpl_splice_form_max(splicer, form, n) > options->max_body_bytes)
        n--;
    return n;
}

const char *xpl_predictor_content_type(const struct xpl_predictor_stats *stats)
{
    return stats->in_form ? "multipart/form-data" : xpl_body_form_type(stats->form);
}

enum xpl_status xpl_predictor_use_form(struct xpl_predictor *p, enum xpl_body_form form, struct xpl_error *err)
{
    bool raw = form == XPL_BODY_TENSOR;
    const struct xpl_media media = {.content_type = xpl_splice_content_type(p->splicer, form),
                                    .accept = raw ? "application/octet-stream, application/json" : "application/json",
                                    .tells_head = raw};
    enum xpl_status st = XPL_OK;

    p->form = p->stats.form = form;
    p->stats.in_form = strcmp(media.content_type, xpl_body_form_type(form)) != 0;
    p->max_batch = body_limit(&p->options, p->splicer, form);
    if (p->max_batch < p->fixed_batch)
        return xpl_fail(err, XPL_MODEL_REFUSED, "requests may have %u images, and fixed_batch is %u", p->max_batch,
                        p->fixed_batch);
    for (uint32_t i = 0; !st && i < p->options.in_flight; i++)
        st = xpl_transport_redress(xpl_transport_slot(p->transport, i), &p->endpoint, &p->options.call, &media, err);
    return st;
}

bool xpl_predictor_fix_batch(struct xpl_predictor *p, uint32_t n)
{
    if (n < 2 || n > XPL_MAX_BATCH || (p->splicer && n > p->max_batch))
        return false;
    p->fixed_batch = n;
    p->batch = (struct xpl_batch){.accepted = n, .refused = n + 1};
    return true;
}

/* The same once more; `*job` and what was noted stay as they are when that fails, too. */
static bool works_again(struct job *job, const struct job *fresh)
{
    struct xpl_predictor_options *options = &job->p->options;
    struct xpl_exchange *exchange = options->exchange, first;
    uint32_t retries = options->retries;
    struct xpl_error ignored = {0};
    struct job again = *fresh;
    enum xpl_status st;

    if (exchange) {
        first = *exchange;
        *exchange = (struct xpl_exchange){0};
    }
    again.err = &ignored;
    options->retries = 0;
    st = xpl_predictor_run(&again);
    options->retries = retries;
    if (!st) {
        again.err = job->err;
        *job = again;
        return true;
    }
    if (exchange)
        *exchange = first;
    return false;
}

/* Some types are refused as text. */
static bool works_raw(struct job *job, const struct job *fresh)
{
    struct xpl_predictor *p = job->p;
    enum xpl_body_form better = xpl_splice_better_form(p->splicer), form = p->form;

    if (better == form || p->raw_tried || p->options.raw_refused)
        return false;
    if (!xpl_predictor_use_form(p, better, NULL) && works_again(job, fresh))
        return p->raw_works = p->raw_tried = true;
    xpl_predictor_use_form(p, form, NULL);
    return false;
}

enum xpl_status xpl_predictor_run_first(struct job *job)
{
    struct xpl_predictor *p = job->p;
    struct xpl_batch batch = p->batch;
    struct job fresh = *job;
    enum xpl_status st = xpl_predictor_run(job);

    if (st != XPL_MODEL_REFUSED && st != XPL_MODEL_FAILED)
        return st;
    if (works_raw(job, &fresh))
        return XPL_OK;
    if (p->fixed_batch || !xpl_predictor_fix_batch(p, p->options.logged_batch))
        return st;
    if (works_again(job, &fresh))
        return XPL_OK;
    p->fixed_batch = 0;
    p->batch = batch;
    return st;
}

enum xpl_status xpl_predictor_set_splicer(struct xpl_predictor *predictor, const struct xpl_splicer *splicer,
                                          struct xpl_error *err)
{
    enum xpl_status st;

    xpl_transport_free(predictor->transport);
    predictor->transport = NULL;
    predictor->splicer = splicer;
    st = xpl_transport_new(&predictor->endpoint, &predictor->options.call, predictor->options.in_flight, true,
                           &predictor->transport, err);
    if (st)
        return st;
    return xpl_predictor_use_form(
        predictor, predictor->raw_works ? xpl_splice_better_form(splicer) : xpl_splice_form(splicer), err);
}

/* It answered, and not with anything that can be used. */
static bool is_refusal(enum xpl_status st)
{
    return st == XPL_MODEL_REFUSED || st == XPL_MODEL_FAILED || st == XPL_MODEL_BAD_ANSWER;
}

/* Whether the first mask has the same scores with this form; it is not counted as progress. */
static bool gives_the_same(struct xpl_predictor *p, uint64_t mask, double *scores)
{
    size_t done = p->progress ? atomic_load(&p->progress->done) : 0;
    uint32_t retries = p->options.retries;
    struct xpl_error ignored = {0};
    struct job job = {.p = p, .masks = &mask, .n = 1, .scores = scores, .err = &ignored};
    enum xpl_status st;
    bool same;

    p->options.retries = 0;
    st = xpl_predictor_run(&job);
    same = !st && xpl_predictor_is_reference(p, scores);
    p->options.raw_refused = !same && (!st || is_refusal(st));
    p->options.retries = retries;
    if (p->progress)
        atomic_store(&p->progress->done, done);
    return same;
}

enum xpl_status xpl_predictor_try_raw(struct xpl_predictor *p, uint64_t mask, struct xpl_error *err)
{
    enum xpl_body_form better = xpl_splice_better_form(p->splicer);
    enum xpl_status st;
    double *scores;

    if (better == p->form || p->raw_tried || p->options.raw_refused)
        return XPL_OK;
    p->raw_tried = true;
    if (!(scores = calloc(p->n_classes, sizeof *scores)))
        return xpl_no_memory(err);
    st = xpl_predictor_use_form(p, better, err);
    p->raw_works = !st && gives_the_same(p, mask, scores);
    free(scores);
    return st || p->raw_works ? st : xpl_predictor_use_form(p, xpl_splice_form(p->splicer), err);
}

bool xpl_predictor_raw_refused(const struct xpl_predictor *p)
{
    return p->options.raw_refused;
}
