/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked about a finished explanation: the body of a replay. */
#ifndef XPL_API_REPLAY_QUESTION_H
#define XPL_API_REPLAY_QUESTION_H

#include <jansson.h>

#include "lib/base/status.h"

enum xpl_estimator {
    XPL_ESTIMATOR_LIME,
    XPL_ESTIMATOR_SHAP,
    XPL_ESTIMATOR_OCCLUSION
};

struct xpl_replay_question {
    int estimator; /* an enum xpl_estimator */
    double kernel_width, confidence;
    json_t *classes, *contrast; /* of the body; NULL when not given */
};

const char *xpl_estimator_name(int estimator);

/** XPL_BAD_FIELD: something is wrong, contradicts something else, or would change nothing. */
enum xpl_status xpl_replay_question_read(const json_t *body, struct xpl_replay_question *ret, struct xpl_error *err);

#endif
