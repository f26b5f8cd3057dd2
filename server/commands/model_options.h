/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that call a model by themselves take about it on their command lines. */
#ifndef XPL_SERVER_MODEL_OPTIONS_H
#define XPL_SERVER_MODEL_OPTIONS_H

#include <argp.h>

#include "lib/scoring/requests/sample_request.h"

struct xpl_model_options {
    uint32_t height, width, channels; /* 0 x 0 = as the image is */
    struct xpl_sample_format format;  /* name NULL = not said */
    struct xpl_answer_hints answer;
};

/** A child parser; its input is a struct xpl_model_options, which it fills with defaults first. */
extern const struct argp xpl_model_argp;

#endif
