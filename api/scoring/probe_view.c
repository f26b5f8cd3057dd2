/* SPDX-License-Identifier: Apache-2.0 */
#include "api/scoring/probe_view.h"

#include <math.h>

#define SHOWN_CLASSES 5

static json_t *rounded(double x)
{
    return json_real(round(x * 1000) / 1000);
}

static json_t *image_view(const struct xpl_probe_input *in)
{
    const struct xpl_request_image *image = &in->request->images[in->image];
    double low, high;
    const char *range = xpl_pixel_range_name(xpl_pixels_range(in->pixels, &low, &high));

    return json_pack("{s:i, s:i, s:i, s:s, s:s, s:f, s:f, s:b, s:b}", "height", (int)image->height, "width",
                     (int)image->width, "channels", (int)image->channels, "layout", xpl_image_form_name(image->form),
                     "range", range, "low", low, "high", high, "integers", in->pixels->integers, "bgr",
                     in->pixels->scale.bgr);
}

/* What was recognised, each with what it was seen by. */
static json_t *recognised_view(const struct xpl_probe_input *in, const struct xpl_probe_report *report)
{
    const char *by_setting = "the subscription says so", *by_url = "the scoring address";

    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:b, s:o}", "request", xpl_request_shape_name(in->request->shape),
                     "request_evidence", "the logged or sent request", "sent_as", xpl_wire_name(report->wire),
                     "sent_as_evidence",
                     in->model->has_wire                  ? by_setting
                     : report->wire == XPL_WIRE_AS_LOGGED ? "nothing else is known"
                                                          : by_url,
                     "images_in_request", (int)in->request->n_images, "one_image_a_request", in->request->one_row,
                     "image", image_view(in));
}

static json_t *classes_view(const struct xpl_probe_report *report)
{
    json_t *list = json_array();
    double below = INFINITY;

    for (uint32_t shown = 0; shown < SHOWN_CLASSES && shown < report->n_classes; shown++) {
        uint32_t best = UINT32_MAX;
        json_t *entry;

        for (uint32_t c = 0; c < report->n_classes; c++)
            if (report->probabilities[c] < below &&
                (best == UINT32_MAX || report->probabilities[c] > report->probabilities[best]))
                best = c;
        if (best == UINT32_MAX)
            break;
        below = report->probabilities[best];
        entry = json_pack("{s:i, s:f}", "index", (int)best, "probability", report->probabilities[best]);
        if (report->labels)
            json_object_set_new(entry, "label", json_string(report->labels[best]));
        json_array_append_new(list, entry);
    }
    return list;
}

/* How far the model is from what it said when the image was logged; null when nothing can be compared. */
static json_t *difference(const struct xpl_probe_subject *subject, const struct xpl_probe_report *report)
{
    json_t *logged = subject->logged ? json_loads(subject->logged, 0, NULL) : NULL;
    double worst = 0;
    bool same = json_array_size(logged) == report->n_classes;

    for (uint32_t c = 0; same && c < report->n_classes; c++)
        worst = fmax(worst, fabs(json_number_value(json_array_get(logged, c)) - report->probabilities[c]));
    json_decref(logged);
    return same ? json_real(worst) : json_null();
}

static json_t *model_view(const struct xpl_probe_subject *subject, const struct xpl_probe_report *report)
{
    const struct xpl_predictor_stats *s = &report->stats;

    return json_pack("{s:i, s:b, s:o, s:o, s:o, s:i, s:i, s:o, s:o, s:I, s:I, s:I, s:I, s:s}", "n_classes",
                     (int)report->n_classes, "labelled", report->labels != NULL, "top", classes_view(report),
                     "differs_from_log", difference(subject, report), "noise",
                     report->asked_again ? json_real(report->noise) : json_null(), "batch", (int)s->batch, "in_flight",
                     (int)s->depth, "first_call_ms", rounded(report->exchange.ms), "image_ms",
                     rounded(report->image_ms), "requests", (json_int_t)s->requests, "images", (json_int_t)s->images,
                     "bytes_sent", (json_int_t)s->bytes_sent, "bytes_received", (json_int_t)s->bytes_received,
                     "content_type", xpl_predictor_content_type(s));
}

static json_t *exchange_view(const struct xpl_exchange *e)
{
    json_t *view = json_pack("{s:s, s:I, s:s, s:I, s:I}", "request", e->request, "request_bytes",
                             (json_int_t)e->request_bytes, "answer", e->answer, "answer_bytes",
                             (json_int_t)e->answer_bytes, "http_status", (json_int_t)e->status);

    if (*e->location)
        json_object_set_new(view, "location", json_string(e->location));
    return view;
}

static json_t *explanation_view(const struct xpl_probe_report *report)
{
    return json_pack("{s:i, s:o, s:i, s:o}", "usual_calls", XPL_PROBE_USUAL_CALLS, "usual_seconds",
                     rounded(report->image_ms * XPL_PROBE_USUAL_CALLS / 1000), "most_calls", XPL_PROBE_MOST_CALLS,
                     "most_seconds", rounded(report->image_ms * XPL_PROBE_MOST_CALLS / 1000));
}

static json_t *with_advice(const char *message, const char *advice)
{
    return json_pack("{s:s, s:s}", "message", message, "advice", advice);
}

json_t *xpl_probe_view(const struct xpl_probe_subject *subject, const struct xpl_probe_input *input,
                       const struct xpl_probe_report *report)
{
    bool works = report->status == XPL_OK;
    json_t *view = json_pack("{s:b, s:s, s:s?, s:o, s:o}", "works", works, "source", subject->source, "scoring_id",
                             subject->scoring_id, "recognised", recognised_view(input, report), "exchange",
                             exchange_view(&report->exchange));

    if (works) {
        json_object_set_new(view, "model", model_view(subject, report));
        json_object_set_new(view, "explanation", explanation_view(report));
        if (report->warning)
            json_object_set_new(view, "warning", with_advice(report->warning, report->advice));
    } else
        json_object_set_new(view, "problem", with_advice(report->error.message, report->advice));
    return view;
}
