/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking a model about one image: is it understood, and what will an explanation cost? A few dozen calls, as those of
 * an explanation, with parts of the image hidden; fewer, down to one, when the model is slow. A probe always makes its
 * first call: a breaker hears of its success, and of nothing else.
 */
#ifndef XPL_SCORING_PROBE_H
#define XPL_SCORING_PROBE_H

#include "lib/scoring/model_settings.h"
#include "lib/scoring/predictor.h"

/** Calls of an explanation: the first rung of the ladder, and the last. */
#define XPL_PROBE_USUAL_CALLS 256
#define XPL_PROBE_MOST_CALLS  2048

struct xpl_probe_input {
    const struct xpl_endpoint *endpoint;
    const struct xpl_predictor_options *options; /* `exchange` is set by the probe; `deadline_us` is said */
    const struct xpl_model_settings *model;
    const struct xpl_request *request;
    uint32_t image;
    const struct xpl_pixels *pixels;
    uint32_t explanation_ms; /* the time that an explanation has; 0 = not known */
    bool brief;              /* a model that takes more than a second is called once */
};

struct xpl_probe_report {
    enum xpl_status status; /* XPL_OK: the model is understood */
    struct xpl_error error; /* otherwise: why not; or what ended the calls of a model that is understood */
    const char *warning;    /* of a model that is understood: what makes explanations hard; NULL = nothing */
    const char *advice;     /* what would help against the error or the warning */
    enum xpl_wire_format wire;
    struct xpl_exchange exchange; /* the first call, shortened */
    uint32_t n_classes;
    const char *const *labels; /* NULL = none */
    double *probabilities;     /* n_classes, of the whole image */
    double image_ms;           /* an image, once size and number of requests were found; else estimated */
    bool asked_again;          /* about the same image, */
    double noise;              /* and how far its probabilities differed */
    uint32_t n_trials;         /* images with parts hidden that were asked about */
    struct xpl_predictor_stats stats;
};

/** A failure of the model is in the report; only one of our own is returned. */
enum xpl_status xpl_probe(struct xpl_arena *arena, const struct xpl_probe_input *input, struct xpl_probe_report *ret,
                          struct xpl_error *err);

/** "as_logged", "wml_v4", "values", "instances", "open_inference_v2". */
const char *xpl_wire_name(enum xpl_wire_format format);

/** "hwc", "chw", "hw", "encoded". */
const char *xpl_image_form_name(enum xpl_image_form form);

#endif
