/* SPDX-License-Identifier: Apache-2.0 */
#include "api/explanations/replay_question.h"

#include <stddef.h>

#include "api/json_spec.h"
#include "lib/explain/fitting/fit.h"
#include "lib/explain/params.h"

static const char *const estimators[] = {"lime", "shap", "occlusion", NULL};

const char *xpl_estimator_name(int estimator)
{
    return estimators[estimator];
}

/* What would change nothing. */
static enum xpl_status refuse_idle(const json_t *body, const struct xpl_replay_question *q, struct xpl_error *err)
{
    if (q->estimator != XPL_ESTIMATOR_LIME && json_is_number(json_object_get(body, "kernel_width")))
        return xpl_fail_field(err, XPL_BAD_FIELD, "kernel_width", "is there with the estimator lime");
    if (q->estimator == XPL_ESTIMATOR_OCCLUSION && json_is_number(json_object_get(body, "confidence")))
        return xpl_fail_field(err, XPL_BAD_FIELD, "confidence", "is there with the estimators lime and shap");
    return XPL_OK;
}

enum xpl_status xpl_replay_question_read(const json_t *body, struct xpl_replay_question *ret, struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_CHOICE(struct xpl_replay_question, estimator, .choices = estimators),
        XPL_JSON_NUMBER_FIELD(struct xpl_replay_question, kernel_width, .min = 0.05, .max = 5),
        XPL_JSON_NUMBER_FIELD(struct xpl_replay_question, confidence, .min = 0.5, .max = 0.999),
        XPL_JSON_ARRAY_FIELD(struct xpl_replay_question, classes, .min = 1, .max = XPL_KEPT_CLASSES, .strings = true),
        XPL_JSON_ARRAY_FIELD(struct xpl_replay_question, contrast, .min = 2, .max = 2, .strings = true),
    };
    static const char *const members[] = {"estimator", "kernel_width", "confidence", "classes", "contrast", NULL};
    enum xpl_status st;

    *ret = (struct xpl_replay_question){.kernel_width = XPL_FIT_KERNEL_WIDTH, .confidence = 0.95};
    if ((st = xpl_json_known(body, "", members, err)) ||
        (st = xpl_json_read(body, fields, XPL_COUNT(fields), ret, err)))
        return st;
    if (ret->contrast && ret->estimator == XPL_ESTIMATOR_OCCLUSION)
        return xpl_fail_field(err, XPL_BAD_FIELD, "contrast", "is there with the estimators lime and shap");
    if (ret->classes && ret->contrast)
        return xpl_fail_field(err, XPL_BAD_FIELD, "contrast", "and classes are two questions: ask one of them");
    return refuse_idle(body, ret, err);
}
