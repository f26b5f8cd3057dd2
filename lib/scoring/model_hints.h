/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a subscription says about its model, for what a logged transaction does not show or leaves open. All of it is
 * optional; zero means "see for yourself".
 */
#ifndef XPL_SCORING_MODEL_HINTS_H
#define XPL_SCORING_MODEL_HINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum xpl_layout {
    XPL_LAYOUT_AUTO, /* channels where 1, 3 or 4 of them are found, last before first */
    XPL_LAYOUT_HWC,
    XPL_LAYOUT_CHW
};

/** How the numbers of an image are to be read. */
struct xpl_request_hints {
    enum xpl_layout layout;
    uint32_t height, width, channels; /* of an image written as one flat list; 0 = not said */
    bool checked;                     /* the text was scanned before, as a part of larger JSON */
    bool bgr;                         /* the first channel is blue */
    bool has_range;                   /* black and white are `low` and `high`, by channel, */
    double low[3], high[3];           /* in RGB order */
};

enum xpl_activation {
    XPL_ACTIVATION_NONE, /* answers are probabilities */
    XPL_ACTIVATION_SOFTMAX,
    XPL_ACTIVATION_SIGMOID,
    XPL_ACTIVATION_PERCENT /* answers are from 0 to 100 */
};

/** How answers are to be read. */
struct xpl_answer_hints {
    const char *const *probability_fields; /* may be NULL */
    size_t n_probability_fields;
    const char *prediction_field; /* may be NULL */
    const char *probability_path; /* NULL, or where the probabilities are: see answer_path.h */
    enum xpl_activation activation;
    const char *const *class_labels; /* NULL, or the names of all classes in the order of their indexes */
    uint32_t n_class_labels;
};

#endif
