/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking a model about one image: is it understood, and what will an explanation cost? A few dozen calls, as those of
 * an explanation, with parts of the image hidden.
 */
#ifndef XPL_SCORING_PROBE_H
#define XPL_SCORING_PROBE_H

#include "lib/scoring/model_settings.h"
#include "lib/scoring/predictor.h"

struct xpl_probe_input {
    const struct xpl_endpoint *endpoint;
    const struct xpl_predictor_options *options; /* `exchange` is set by the probe */
    const struct xpl_model_settings *model;
    const struct xpl_request *request;
    uint32_t image;
    const struct xpl_pixels *pixels;
};

struct xpl_probe_report {
    enum xpl_status status; /* XPL_OK: the model is understood */
    struct xpl_error error; /* otherwise: why not, */
    const char *advice;     /* and what would help */
    enum xpl_wire_format wire;
    struct xpl_exchange exchange; /* the first call, shortened */
    uint32_t n_classes;
    const char *const *labels; /* NULL = none */
    double *probabilities;     /* n_classes, of the whole image */
    double first_ms;           /* the first call, with connecting */
    double image_ms;           /* an image, once size and number of requests were found */
    double noise;              /* how far the same image's probabilities differed when asked again */
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
