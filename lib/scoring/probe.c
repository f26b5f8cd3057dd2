/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/probe.h"

#include <math.h>
#include <string.h>

#include "lib/base/time.h"

#define N_PARTS 8u  /* vertical and horizontal stripes that are hidden */
#define N_MASKS 96u /* images that are asked about, besides the whole one */

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

static const char *advice_on(enum xpl_status st, long http_status)
{
    if (st == XPL_MODEL_BAD_ANSWER)
        return "the model answered, but not in a form that is known: probability_path can say where the probabilities "
               "are, activation what makes them of logits, class_labels what the classes are";
    if (st == XPL_MODEL_REFUSED && (http_status == 401 || http_status == 403))
        return "the model wants other credentials: those of the service provider, or of deployment.scoring_endpoint";
    if (st == XPL_MODEL_REFUSED && http_status == 404)
        return "there is nothing at the scoring address: look at deployment.scoring_endpoint.url";
    if (st == XPL_MODEL_REFUSED || st == XPL_MODEL_FAILED)
        return "the model did not take the request: compare the excerpt of it with what the model takes; protocol, "
               "input_name, datatype and layout change what is sent";
    if (st == XPL_MODEL_UNREACHABLE)
        return "look at deployment.scoring_endpoint.url, at certificates, and at the setting scoring.allow";
    if (st == XPL_MODEL_TIMEOUT || st == XPL_DEADLINE)
        return "the model is slow: call_timeout_ms gives it more time, batch and in_flight less to do at once";
    return "";
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

static enum xpl_status ask(struct xpl_arena *arena, struct xpl_predictor *predictor, struct xpl_probe_report *report,
                           struct xpl_error *err)
{
    uint64_t masks[N_MASKS], all = ((uint64_t)1 << N_PARTS) - 1;
    int64_t started = xpl_monotonic_us();
    double *again, *scores;
    enum xpl_status st =
        xpl_predictor_try(predictor, arena, all, &report->n_classes, &report->probabilities, &report->labels, err);

    if (st)
        return st;
    report->first_ms = (double)(xpl_monotonic_us() - started) / 1000;
    again = XPL_NEW_ARRAY(arena, double, report->n_classes);
    scores = XPL_NEW_ARRAY(arena, double, (size_t)N_MASKS * report->n_classes);
    if (!again || !scores)
        return xpl_no_memory(err);
    if ((st = xpl_predictor_score(predictor, &all, 1, again, err)))
        return st;
    for (uint32_t c = 0; c < report->n_classes; c++)
        report->noise = fmax(report->noise, fabs(again[c] - report->probabilities[c]));
    for (uint64_t i = 0; i < N_MASKS; i++)
        masks[i] = i * 37 % (all + 1);
    started = xpl_monotonic_us();
    st = xpl_predictor_score(predictor, masks, N_MASKS, scores, err);
    report->image_ms = (double)(xpl_monotonic_us() - started) / 1000 / N_MASKS;
    return st;
}

enum xpl_status xpl_probe(struct xpl_arena *arena, const struct xpl_probe_input *in, struct xpl_probe_report *ret,
                          struct xpl_error *err)
{
    struct xpl_predictor_options options = *in->options;
    struct xpl_predictor *predictor;
    struct xpl_splicer *splicer;
    enum xpl_status st;

    *ret = (struct xpl_probe_report){.advice = ""};
    options.exchange = &ret->exchange;
    if ((st = make_splicer(arena, in, ret, &splicer, err)) ||
        (st = xpl_predictor_new(in->endpoint, &options, &in->model->answer, NULL, &predictor, err)))
        return st;
    st = xpl_predictor_set_splicer(predictor, splicer, &ret->error);
    if (!st)
        st = ask(arena, predictor, ret, &ret->error);
    xpl_predictor_stats(predictor, &ret->stats);
    xpl_predictor_free(predictor);
    ret->status = st;
    ret->advice = advice_on(st, ret->exchange.status);
    return st == XPL_NO_MEMORY ? xpl_no_memory(err) : XPL_OK;
}
