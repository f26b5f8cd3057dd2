/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Further questions about a finished explanation: another class, why this class and not that one, another kernel,
 * Shapley values. They are answered from the masks and scores that were stored with it, without a call of the model.
 */
#include <math.h>
#include <string.h>

#include "api/explanations/explanation_tasks.h"
#include "api/explanations/replay_question.h"
#include "api/explanations/replay_samples.h"
#include "api/handlers.h"
#include "lib/base/text.h"
#include "lib/explain/fitting/estimate.h"
#include "lib/explain/fitting/shapley.h"
#include "lib/explain/trust/quality.h"

#define MAX_CLASS 99999

/* ---- classes ---- */

static enum xpl_status not_kept(struct xpl_call *call, const struct xpl_replay_samples *samples, const char *field,
                                const char *text, struct xpl_error *err)
{
    const char *kept = "";

    for (uint32_t c = 0; kept && c < samples->n_classes && c < XPL_KEPT_CLASSES; c++)
        kept = xpl_arena_printf(call->arena, "%s%s%u", kept, c ? ", " : "", samples->classes[c]);
    return xpl_fail_field(err, XPL_BAD_FIELD, field, "the scores of class %.20s were not kept; those of %s were", text,
                          kept ? kept : "");
}

static enum xpl_status find_class(struct xpl_call *call, const struct xpl_replay_samples *samples, const char *field,
                                  const char *text, uint32_t *ret, struct xpl_error *err)
{
    int64_t wanted;

    if (!xpl_parse_int(text, 0, MAX_CLASS, &wanted))
        return xpl_fail_field(err, XPL_BAD_FIELD, field, "\"%.20s\" is not the index of a class, such as \"0\"", text);
    for (*ret = 0; *ret < samples->n_classes; ++*ret)
        if (samples->classes[*ret] == wanted)
            return XPL_OK;
    return not_kept(call, samples, field, text, err);
}

/* ---- the answer ---- */

/* What is asked about: the scores of a class, or how much more likely it is than another one. */
struct subject {
    const double *scores;       /* of both together */
    const double *of, *against; /* NULL = against nothing */
};

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *numbers(const double *values, uint32_t n)
{
    json_t *list = json_array();

    for (uint32_t j = 0; j < n; j++)
        json_array_append_new(list, number(values[j]));
    return list;
}

static void set_intervals(json_t *view, const struct xpl_intervals *intervals, uint32_t n)
{
    json_t *pairs = json_array(), *words = json_array();

    for (uint32_t j = 0; j < n; j++) {
        json_array_append_new(pairs, json_pack("[f, f]", intervals->low[j], intervals->high[j]));
        json_array_append_new(words, json_string(xpl_decision_name(intervals->decisions[j])));
    }
    json_object_set_new(view, "intervals", pairs);
    json_object_set_new(view, "decisions", words);
}

/* Weighted; 1 where the scores do not vary: what is left of the fidelity is a share of it. */
static double variance_of(const struct xpl_fit *fit, const struct xpl_fit_result *linear)
{
    double weights = 0;

    for (size_t i = 0; i < fit->rows.n; i++)
        weights += fit->weight[i];
    return linear->variation > 0 ? linear->variation / weights : 1;
}

static enum xpl_status explain_with_lime(struct xpl_call *call, const struct xpl_replay_samples *s,
                                         const struct xpl_replay_question *q, const double *scores, json_t *view,
                                         struct xpl_error *err)
{
    struct xpl_fit_rows rows = {.masks = s->masks, .n = s->n, .n_segments = s->d, .kernel_width = q->kernel_width};
    double low[XPL_MAX_SEGMENTS], high[XPL_MAX_SEGMENTS];
    enum xpl_decision decisions[XPL_MAX_SEGMENTS];
    struct xpl_intervals intervals = {low, high, decisions};
    struct xpl_estimate_rows of = {.mode = s->mode,
                                   .exact = s->exact,
                                   .with_surrogate = !s->exact && s->mode != XPL_DESIGN_REFERENCE && !q->contrast};
    struct xpl_estimate estimate;
    struct xpl_fit *fit, *whole;
    enum xpl_status st;

    /* a difference of probabilities is none: the linear fit alone */
    if ((st = xpl_fit_factor(call->arena, &rows, &fit, err)) ||
        (of.with_surrogate && (st = xpl_estimate_whole(call->arena, s->d, q->kernel_width, &whole, err))))
        return st;
    of.fit = fit;
    of.whole = of.with_surrogate ? whole : NULL;
    if ((st = xpl_estimate_class(call->arena, &of, scores, &estimate, err)))
        return st;
    xpl_estimate_doubt(&estimate, s->d, s->doubt);
    xpl_estimate_rare(&of, scores, &estimate);
    if (s->contradicted > 0) {
        double variance = variance_of(fit, &estimate.linear);

        xpl_estimate_contradict(&estimate, fit, s->contradicted * variance, variance);
    }
    xpl_estimate_intervals(&estimate, s->d, q->confidence, xpl_estimate_interval_kind(&of, &estimate), 0, &intervals);
    set_intervals(view, &intervals, s->d);
    json_object_set_new(view, "intercept", json_real(estimate.coefficients[0]));
    json_object_set_new(view, "weights", numbers(estimate.coefficients + 1, s->d));
    json_object_set_new(view, "fidelity",
                        json_pack("{s:o, s:o, s:o}", "r2", number(estimate.linear.r2), "q2",
                                  s->exact ? json_null() : number(estimate.q2), "surrogate_q2",
                                  number(estimate.surrogate_q2)));
    return XPL_OK;
}

static void warn(json_t *view, json_t *text)
{
    json_array_append_new(json_object_get(view, "warnings"), text);
}

static enum xpl_status shapley_of_one(struct xpl_call *call, const struct xpl_replay_samples *s, const double *scores,
                                      struct xpl_shapley *ret, struct xpl_error *err)
{
    struct xpl_fit_rows rows = {.masks = s->masks, .n = s->n, .n_segments = s->d};
    enum xpl_status st = xpl_shapley_values(call->arena, s->masks, scores, s->n, s->d, ret, err);

    return st ? st : xpl_shapley_doubt(call->arena, &rows, scores, s->doubt, s->contradicted, ret, err);
}

/* They are linear in the scores: of a difference they are the difference of those of both, and errors may add up. */
static enum xpl_status shapley_of(struct xpl_call *call, const struct xpl_replay_samples *s,
                                  const struct subject *subject, struct xpl_shapley *ret, struct xpl_error *err)
{
    struct xpl_shapley against;
    enum xpl_status st = shapley_of_one(call, s, subject->of, ret, err);

    if (st || !subject->against)
        return st;
    if ((st = shapley_of_one(call, s, subject->against, &against, err)))
        return st;
    for (uint32_t j = 0; j < s->d; j++) {
        ret->values[j] -= against.values[j];
        ret->errors[j] += against.errors[j];
    }
    ret->base -= against.base;
    ret->unseen += against.unseen;
    ret->has_errors = ret->has_errors && against.has_errors;
    for (size_t i = 0; ret->left_out && i < s->n; i++)
        ret->left_out[i] -= against.left_out[i];
    return XPL_OK;
}

static enum xpl_status explain_with_shap(struct xpl_call *call, const struct xpl_replay_samples *s,
                                         const struct xpl_replay_question *q, const struct subject *subject,
                                         json_t *view, struct xpl_error *err)
{
    double low[XPL_MAX_SEGMENTS], high[XPL_MAX_SEGMENTS];
    enum xpl_decision decisions[XPL_MAX_SEGMENTS];
    struct xpl_intervals intervals = {low, high, decisions};
    struct xpl_shapley shapley;
    double q2 = NAN;
    enum xpl_status st = shapley_of(call, s, subject, &shapley, err);

    if (st)
        return st;
    if (!shapley.exact)
        q2 = xpl_shapley_q2(subject->scores, shapley.left_out, s->n);
    if (shapley.has_errors) {
        xpl_shapley_intervals(&shapley, s->d, q->confidence, xpl_estimate_shapley_kind(s->mode, s->exact, s->n),
                              &intervals);
        set_intervals(view, &intervals, s->d);
    }
    json_object_set_new(view, "intercept", json_real(shapley.base));
    json_object_set_new(view, "weights", numbers(shapley.values, s->d));
    json_object_set_new(view, "fidelity", json_pack("{s:n, s:n, s:o}", "r2", "q2", "surrogate_q2", number(q2)));
    if (!isnan(q2))
        warn(view, json_sprintf(
                       "Estimated from %zu masks%s: the others were predicted from these, and of what varies %.0f %% "
                       "was predicted right where that is known.",
                       s->n, shapley.has_errors ? "" : ", without intervals", floor(100 * fmax(0, q2))));
    return XPL_OK;
}

/* What the score loses when one superpixel is hidden; where that was not scored, as the surrogate predicts it. */
static enum xpl_status explain_with_occlusion(struct xpl_call *call, const struct xpl_replay_samples *s,
                                              const double *scores, json_t *view, struct xpl_error *err)
{
    json_t *weights = json_array(), *predicted = json_array();
    double *learnt = XPL_NEW_ARRAY(call->arena, double, s->n);
    xpl_mask all = s->masks[0];
    unsigned n_guessed = 0;
    struct xpl_surrogate_rows rows = {
        .masks = s->masks, .scores = learnt, .n = s->n, .n_segments = s->d, .kernel_width = XPL_FIT_KERNEL_WIDTH};
    struct xpl_surrogate *surrogate = NULL;
    struct xpl_stretch stretch;
    struct xpl_quality_index index;
    enum xpl_status st;

    json_object_set_new(view, "intercept", json_real(0));
    json_object_set_new(view, "weights", weights);
    json_object_set_new(view, "predicted", predicted);
    if (!learnt)
        return xpl_no_memory(err);
    stretch = xpl_surrogate_stretch(scores, s->n, learnt);
    if ((st = xpl_quality_index_build(call->arena, s->masks, s->n, s->d, &index, err)) ||
        (!s->exact && (st = xpl_surrogate_fit(call->arena, call->arena, &rows, &surrogate, err))))
        return st;
    for (uint32_t j = 0; j < s->d; j++) {
        xpl_mask without = all ^ (xpl_mask)1 << j;
        double score = xpl_quality_score_of(&index, scores, without);
        bool guessed = isnan(score);

        if (guessed)
            score = surrogate ? stretch.from + xpl_surrogate_at(surrogate, without) / stretch.scale
                              : scores[0]; /* scores that hardly vary */
        json_array_append_new(weights, json_real(scores[0] - score));
        json_array_append_new(predicted, json_boolean(guessed));
        n_guessed += guessed;
    }
    if (n_guessed > 0)
        warn(view, json_sprintf("%u of %u differences were predicted from other masks, without intervals: they may be "
                                "far off.",
                                n_guessed, s->d));
    return XPL_OK;
}

static enum xpl_status append_answer(struct xpl_call *call, const struct xpl_replay_samples *s,
                                     const struct xpl_replay_question *q, const struct subject *subject, json_t *view,
                                     json_t *list, struct xpl_error *err)
{
    json_object_set_new(view, "probability", json_real(subject->scores[0]));
    json_object_set_new(view, "warnings", json_array());
    json_array_append_new(list, view);
    if (s->exact && s->noisy)
        warn(view, json_string("The model does not give the same image the same answer: how far these numbers may be "
                               "off by that is not known here."));
    switch ((enum xpl_estimator)q->estimator) {
    case XPL_ESTIMATOR_SHAP:
        return explain_with_shap(call, s, q, subject, view, err);
    case XPL_ESTIMATOR_OCCLUSION:
        return explain_with_occlusion(call, s, subject->scores, view, err);
    case XPL_ESTIMATOR_LIME:
        break;
    }
    return explain_with_lime(call, s, q, subject->scores, view, err);
}

static enum xpl_status answer_class(struct xpl_call *call, const struct xpl_replay_samples *s,
                                    const struct xpl_replay_question *q, uint32_t position, const char *name,
                                    json_t *list, struct xpl_error *err)
{
    const double *scores = s->scores + position * s->n;
    const struct subject subject = {scores, scores, NULL};

    return append_answer(call, s, q, &subject, json_pack("{s:s}", "value", name), list, err);
}

static enum xpl_status answer_classes(struct xpl_call *call, const struct xpl_replay_samples *s,
                                      const struct xpl_replay_question *q, json_t *list, struct xpl_error *err)
{
    size_t i;
    json_t *wanted;

    json_array_foreach(q->classes, i, wanted)
    {
        const char *text = json_string_value(wanted);
        uint32_t position;
        enum xpl_status st = find_class(call, s, "classes", text, &position, err);

        if (st || (st = answer_class(call, s, q, position, text, list, err)))
            return st;
    }
    return XPL_OK;
}

static enum xpl_status answer_contrast(struct xpl_call *call, const struct xpl_replay_samples *s,
                                       const struct xpl_replay_question *q, json_t *list, struct xpl_error *err)
{
    const char *of = json_string_value(json_array_get(q->contrast, 0));
    const char *against = json_string_value(json_array_get(q->contrast, 1));
    double *difference = XPL_NEW_ARRAY(call->arena, double, s->n);
    struct subject subject = {.scores = difference};
    uint32_t a, b;
    enum xpl_status st;

    if (!difference)
        return xpl_no_memory(err);
    if ((st = find_class(call, s, "contrast", of, &a, err)) || (st = find_class(call, s, "contrast", against, &b, err)))
        return st;
    if (a == b)
        return xpl_fail_field(err, XPL_BAD_FIELD, "contrast", "has the same class twice");
    subject.of = s->scores + a * s->n;
    subject.against = s->scores + b * s->n;
    for (size_t i = 0; i < s->n; i++)
        difference[i] = subject.of[i] - subject.against[i];
    return append_answer(call, s, q, &subject, json_pack("{s:s, s:s}", "value", of, "against", against), list, err);
}

/* Without a question about classes: the most probable one. The first mask shows everything. */
static enum xpl_status answer_top(struct xpl_call *call, const struct xpl_replay_samples *s,
                                  const struct xpl_replay_question *q, json_t *list, struct xpl_error *err)
{
    uint32_t top = 0;
    char text[16];

    for (uint32_t c = 1; c < s->n_classes; c++)
        if (s->scores[c * s->n] > s->scores[top * s->n])
            top = c;
    snprintf(text, sizeof text, "%u", s->classes[top]);
    return answer_class(call, s, q, top, text, list, err);
}

static enum xpl_status answer(struct xpl_call *call, const struct xpl_task *task, const struct xpl_replay_question *q,
                              struct xpl_error *err)
{
    struct xpl_replay_samples samples;
    json_t *list = json_array();
    XPL_AUTO_JSON body =
        json_pack("{s:{s:s, s:s}, s:{s:b, s:i, s:s, s:f, s:o}}", "metadata", "explanation_task_id", task->id,
                  "scoring_id", task->scoring_id, "entity", "replayed", 1, "model_calls", 0, "estimator",
                  xpl_estimator_name(q->estimator), "kernel_width", q->kernel_width, "classes", list);
    json_t *entity = json_object_get(body, "entity");
    enum xpl_status st;

    if (!body)
        return xpl_no_memory(err);
    if ((st = xpl_replay_samples_load(call, task->id, &samples, err)))
        return st;
    json_object_set_new(entity, "sampling",
                        json_pack("{s:I, s:b}", "distinct_masks", (json_int_t)samples.n, "exact", samples.exact));
    st = q->contrast  ? answer_contrast(call, &samples, q, list, err)
         : q->classes ? answer_classes(call, &samples, q, list, err)
                      : answer_top(call, &samples, q, list, err);
    if (!st)
        xpl_reply_json(call, 200, json_incref(body));
    return st;
}

enum xpl_answered xpl_explanation_task_replay(struct xpl_call *call)
{
    XPL_AUTO_JSON body = NULL;
    struct xpl_error err = {0};
    struct xpl_replay_question question;
    struct xpl_task task;

    if (xpl_call_json(call, &body, &err) || xpl_replay_question_read(body, &question, &err) ||
        xpl_task_find_finished(call, &task, &err) || answer(call, &task, &question, &err))
        return xpl_reply_error(call, &err);
    return XPL_ANSWERED;
}
