/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that call a model by themselves take about it on their command lines. */
#ifndef XPL_SERVER_MODEL_OPTIONS_H
#define XPL_SERVER_MODEL_OPTIONS_H

#include <argp.h>

#include "lib/scoring/model_settings.h"
#include "lib/scoring/requests/sample_request.h"

struct xpl_model_options {
    uint32_t height, width, channels; /* 0 x 0 = as the image is */
    uint32_t fixed_batch;             /* images in every request; 0 = any number */
    struct xpl_sample_format format;  /* name NULL = not said */
    struct xpl_answer_hints answer;
    const char *class_labels; /* a file; NULL = the model names its classes, or nobody does */
};

/** The settings of a model that takes requests of a format. */
struct xpl_model_settings xpl_model_options_settings(const struct xpl_model_options *options, const char *format);

/** How a model that takes requests of the options' format, which is said, is asked for variations of this one. */
struct xpl_wire xpl_model_options_wire(const struct xpl_model_options *options, const char *url,
                                       const struct xpl_request *request);

/** The model's address from a command line, as it is; ends the command with what is wrong when it cannot be called. */
const char *xpl_model_url(struct argp_state *state, const char *option, const char *url);

/** A child parser; its input is a struct xpl_model_options, which it fills with defaults first. */
extern const struct argp xpl_model_argp;

#endif
