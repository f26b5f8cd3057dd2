/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/probe.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/time.h"
#include "lib/scoring/probe_advice.h"

#define N_PARTS 8u /* vertical and horizontal stripes that are hidden */
#define N_MASKS XPL_PROBE_TRIALS

#define BRIEF_MS 1000

const char *xpl_wire_name(enum xpl_wire_format format)
{
    static const char *const names[] = {"as_logged", "wml_v4", "values", "instances", "open_inference_v2"};

    return names[format];
}

const char *xpl_image_form_name(enum xpl_image_form form)
{
    static const char *const names[] = {"hwc", "chw", "hw", "encoded"};

    return names[form];
}

/* Every channel's mean. */
static struct xpl_pixels *mean_of(struct xpl_arena *arena, const struct xpl_pixels *image)
{
    struct xpl_pixels *fill = xpl_arena_copy(arena, image, sizeof *image);
    size_t n = xpl_pixels_count(image), channels = image->channels;
    double sums[4] = {0};

    if (!fill || !(fill->values = XPL_NEW_ARRAY(arena, double, n)))
        return NULL;
    for (size_t i = 0; i < n; i++)
        sums[i % channels] += image->values[i];
    for (size_t i = 0; i < n; i++) {
        double mean = sums[i % channels] / ((double)n / (double)channels);

        fill->values[i] = image->integers ? round(mean) : mean;
    }
    return fill;
}

static uint16_t *stripes_of(struct xpl_arena *arena, const struct xpl_pixels *image)
{
    uint16_t *labels = XPL_NEW_ARRAY(arena, uint16_t, (size_t)image->height * image->width);

    for (size_t i = 0; labels && i < (size_t)image->height * image->width; i++) {
        size_t y = i / image->width, x = i % image->width;

        labels[i] = (uint16_t)(x * 4 / image->width + 4 * (y * 2 / image->height));
    }
    return labels;
}

static enum xpl_status make_splicer(struct xpl_arena *arena, const struct xpl_probe_input *in,
                                    struct xpl_probe_report *report, struct xpl_splicer **ret, struct xpl_error *err)
{
    struct xpl_wire wire = xpl_wire_of(in->model, in->endpoint->url, in->request);
    struct xpl_pixels *fill = mean_of(arena, in->pixels);
    uint16_t *labels = stripes_of(arena, in->pixels);

    if (!fill || !labels)
        return xpl_no_memory(err);
    report->wire = wire.format;
    return xpl_splicer_new(arena, in->request, in->image, &wire, labels, N_PARTS, fill, ret, err);
}

/* ---- asking ---- */

struct asking {
    struct xpl_arena *arena;
    const struct xpl_probe_input *in;
    struct xpl_predictor *predictor;
    struct xpl_probe_report *report;
    double call_ms; /* the quicker one of those with the whole image */
};

static double ms_since(int64_t started_us)
{
    return (double)(xpl_monotonic_us() - started_us) / 1000;
}

static double left_ms(const struct asking *a)
{
    return fmax(0, -ms_since(a->in->options->deadline_us));
}

static uint32_t depth_of(const struct asking *a)
{
    struct xpl_predictor_stats stats;

    xpl_predictor_stats(a->predictor, &stats);
    return stats.depth;
}

/* How noisy is it? */
static enum xpl_status ask_again(struct asking *a, struct xpl_error *err)
{
    uint64_t all = ((uint64_t)1 << N_PARTS) - 1;
    struct xpl_probe_report *report = a->report;
    int64_t started = xpl_monotonic_us();
    double *again = XPL_NEW_ARRAY(a->arena, double, report->n_classes);
    enum xpl_status st;

    if (!again)
        return xpl_no_memory(err);
    if ((st = xpl_predictor_score(a->predictor, &all, 1, again, err)))
        return st;
    for (uint32_t c = 0; c < report->n_classes; c++)
        report->noise = fmax(report->noise, fabs(again[c] - report->probabilities[c]));
    report->asked_again = true;
    a->call_ms = fmin(a->call_ms, ms_since(started));
    return XPL_OK;
}

/* As many as fill half of the time that is left, and once as many as are in flight if all of it is enough for them: by
 * a model that works on one at a time. */
static uint32_t trials_of(const struct asking *a)
{
    double fit = left_ms(a) / fmax(a->call_ms, 1e-3);
    uint32_t depth = depth_of(a);

    return (uint32_t)fmin(N_MASKS, fmax(fit / 2, fit >= depth ? depth : 0));
}

static enum xpl_status ask_trials(struct asking *a, struct xpl_error *err)
{
    uint32_t n = trials_of(a), depth = depth_of(a);
    struct xpl_probe_report *report = a->report;
    double *scores, took_ms;
    uint64_t masks[N_MASKS];
    enum xpl_status st;
    int64_t started;

    if (n < depth)
        return XPL_OK;
    if (!(scores = XPL_NEW_ARRAY(a->arena, double, (size_t)n * report->n_classes)))
        return xpl_no_memory(err);
    for (uint64_t i = 0; i < n; i++)
        masks[i] = i * 37 % ((uint64_t)1 << N_PARTS);
    started = xpl_monotonic_us();
    st = xpl_predictor_score(a->predictor, masks, n, scores, err);
    took_ms = ms_since(started) / n;
    report->image_ms = st ? fmax(report->image_ms, took_ms) : took_ms;
    report->n_trials = st ? 0 : n;
    return st;
}

static enum xpl_status ask_more(struct asking *a, struct xpl_error *err)
{
    enum xpl_status st;

    if (a->in->brief && a->call_ms > BRIEF_MS)
        return XPL_OK;
    if (a->call_ms > left_ms(a))
        return XPL_OK;
    st = ask_again(a, err);
    return st ? st : ask_trials(a, err);
}

/* An explanation would go on: with more time, or with fewer calls at once. */
static bool is_bearable(enum xpl_status st, const struct xpl_exchange *exchange)
{
    if (st == XPL_MODEL_FAILED)
        return exchange->last_status == 429 || exchange->last_status == 503;
    return st == XPL_MODEL_TIMEOUT || st == XPL_DEADLINE;
}

static enum xpl_status ask(struct asking *a, struct xpl_error *err)
{
    uint64_t all = ((uint64_t)1 << N_PARTS) - 1;
    struct xpl_probe_report *report = a->report;
    enum xpl_status st = xpl_predictor_try(a->predictor, a->arena, all, &report->n_classes, &report->probabilities,
                                           &report->labels, err);

    if (st == XPL_DEADLINE)
        snprintf(err->message, sizeof err->message, "the model did not answer within the time of a probe");
    if (st)
        return st;
    a->call_ms = report->exchange.ms;
    report->image_ms = a->call_ms / depth_of(a);
    st = ask_more(a, err);
    return is_bearable(st, &report->exchange) ? XPL_OK : st;
}

enum xpl_status xpl_probe(struct xpl_arena *arena, const struct xpl_probe_input *in, struct xpl_probe_report *ret,
                          struct xpl_error *err)
{
    struct asking a = {.arena = arena, .in = in, .report = ret};
    struct xpl_predictor_options options = *in->options;
    struct xpl_splicer *splicer;
    enum xpl_status st;

    *ret = (struct xpl_probe_report){.advice = ""};
    options.exchange = &ret->exchange;
    options.breaker = NULL;
    options.fixed_batch = in->model->fixed_batch;
    options.logged_batch = in->request->n_images;
    if ((st = make_splicer(arena, in, ret, &splicer, err)) ||
        (st = xpl_predictor_new(in->endpoint, &options, &in->model->answer, NULL, &a.predictor, err)))
        return st;
    st = xpl_predictor_set_splicer(a.predictor, splicer, &ret->error);
    if (!st)
        st = ask(&a, &ret->error);
    if (!st)
        xpl_predictor_praise(a.predictor, in->options->breaker);
    xpl_predictor_stats(a.predictor, &ret->stats);
    xpl_predictor_free(a.predictor);
    ret->status = st;
    return st == XPL_NO_MEMORY ? xpl_no_memory(err) : xpl_probe_advise(arena, in, ret, err);
}
