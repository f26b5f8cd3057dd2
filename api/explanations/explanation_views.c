/* SPDX-License-Identifier: Apache-2.0 */
#include "api/explanations/explanation_views.h"

#include "api/configuration/resource.h"
#include "api/json_spec.h"
#include "api/json_text.h"
#include "lib/base/time.h"
#include "lib/explain/drawing/render.h"
#include "lib/image/encode.h"

#define ANSWERED_OF_ALL 16u /* panes in the answer when all classes were explained */

static json_t *asset_view(const json_t *subscription)
{
    return json_pack("{s:s*, s:s*, s:s, s:s*, s:{s:s*, s:s*}}", "id",
                     xpl_json_string_at(subscription, "asset.asset_id"), "name",
                     xpl_json_string_at(subscription, "asset.name"), "input_data_type", "unstructured_image",
                     "problem_type", xpl_json_string_at(subscription, "asset.problem_type"), "deployment", "id",
                     xpl_json_string_at(subscription, "deployment.deployment_id"), "name",
                     xpl_json_string_at(subscription, "deployment.name"));
}

static json_t *metadata_view(const struct xpl_task *task, int64_t updated_at)
{
    char when[XPL_TIME_TEXT_SIZE];
    json_t *metadata = json_pack("{s:s, s:s, s:s}", "explanation_task_id", task->id, "created_by", task->created_by,
                                 "created_at", xpl_time_format(task->created_at, when));

    if (metadata && updated_at)
        json_object_set_new(metadata, "updated_at", json_string(xpl_time_format(updated_at, when)));
    return metadata;
}

/* The rule that asked for it, when nobody did. */
static void add_rule(json_t *entity, const struct xpl_task *task)
{
    if (task->rule)
        json_object_set_new(entity, "automatic", json_pack("{s:s}", "rule", task->rule));
}

static const char *idle_phase(const struct xpl_task *task)
{
    if (task->state == XPL_TASK_LEASED)
        return "starting";
    return task->retries ? "retrying" : "queued";
}

json_t *xpl_progress_view(const struct xpl_task_progress *progress)
{
    return json_pack("{s:s, s:I, s:I, s:o}", "phase", progress->phase, "done", (json_int_t)progress->done, "total",
                     (json_int_t)progress->total, "eta_ms",
                     progress->eta_ms >= 0 ? json_integer(progress->eta_ms) : json_null());
}

static json_t *progress_view(const struct xpl_task *task, const struct xpl_task_progress *progress)
{
    const struct xpl_task_progress idle = {.phase = idle_phase(task), .eta_ms = -1};

    return xpl_progress_view(progress ? progress : &idle);
}

json_t *xpl_task_view(const struct xpl_task *task, const json_t *subscription, const struct xpl_task_progress *progress)
{
    bool failed = task->state == XPL_TASK_ERROR;
    json_t *status = json_pack("{s:s}", "state", failed ? "error" : "in_progress");
    json_t *entity = json_pack("{s:o, s:o, s:s}", "status", status, "asset", asset_view(subscription), "scoring_id",
                               task->scoring_id);

    add_rule(entity, task);
    if (entity && failed)
        json_object_set_new(entity, "errors",
                            json_pack("[{s:s, s:{s:s, s:s}, s:s}]", "explanation_type", "lime", "error", "code",
                                      task->error_code ? task->error_code : "", "message",
                                      task->error_message ? task->error_message : "", "trace_id", task->trace_id));
    else if (entity)
        json_object_set_new(status, "progress", progress_view(task, progress));
    return json_pack("{s:o, s:o}", "metadata", metadata_view(task, failed ? task->updated_at : 0), "entity", entity);
}

/* ---- finished ---- */

static enum xpl_status pane_base64(struct xpl_arena *arena, const struct xpl_finished *f, const struct xpl_pane *pane,
                                   const char **ret, struct xpl_error *err)
{
    uint8_t *rgb, *png;
    size_t length;
    enum xpl_status st;

    if ((st = xpl_render_pane(arena, f->image, f->segments, pane, &rgb, err)) ||
        (st = xpl_encode_png(arena, rgb, f->image->height, f->image->width, &png, &length, err)))
        return st;
    *ret = xpl_base64(arena, png, length);
    return *ret ? XPL_OK : xpl_no_memory(err);
}

/* The segments class number `i` of the explanation shows. Of a binary model the second pane is all that the first is
 * not. */
static enum xpl_status choose_pane(struct xpl_arena *arena, const struct xpl_finished *f, uint32_t i,
                                   struct xpl_pane *ret, struct xpl_error *err)
{
    const struct xpl_explanation *e = f->explanation;
    uint32_t d = f->segments->count;

    if (f->n_model_classes == 2 && i == 1)
        return xpl_pane_complement(arena, e->classes[0].weights, d, ret, err);
    return xpl_pane_of(arena, e->classes[i].weights, d, 1, ret, err);
}

static enum xpl_status append_prediction(struct xpl_arena *arena, const struct xpl_finished *f, uint32_t i,
                                         json_t *predictions, struct xpl_error *err)
{
    const struct xpl_class_explanation *c = &f->explanation->classes[i];
    struct xpl_pane pane;
    const char *base64;
    enum xpl_status st;
    json_t *prediction;

    if ((st = choose_pane(arena, f, i, &pane, err)) || (st = pane_base64(arena, f, &pane, &base64, err)))
        return st;
    prediction =
        json_pack("{s:f, s:o, s:[{s:s, s:I, s:I, s:s}]}", "probability", c->probability, "value",
                  json_sprintf("%u", c->index), "explanation", "full_image", base64, "total_features",
                  (json_int_t)pane.count, "used_features", (json_int_t)pane.count, "feature_name", "scoring_input");
    return json_array_append_new(predictions, prediction) ? xpl_no_memory(err) : XPL_OK;
}

static uint32_t n_panes(const struct xpl_finished *f)
{
    uint32_t max = f->params->classes == XPL_CLASSES_ALL ? ANSWERED_OF_ALL : XPL_MAX_PANES;

    return f->explanation->n_classes < max ? f->explanation->n_classes : max;
}

static enum xpl_status to_text(struct xpl_arena *arena, json_t *json, const char **ret, struct xpl_error *err)
{
    *ret = json ? xpl_json_text(arena, json) : NULL;
    json_decref(json);
    return *ret ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status lime_view(struct xpl_arena *arena, const struct xpl_finished *f, json_t *explanations,
                                 struct xpl_error *err)
{
    json_t *predictions = json_array();
    enum xpl_status st = XPL_OK;

    json_array_append_new(explanations,
                          json_pack("{s:s, s:o}", "explanation_type", "lime", "predictions", predictions));
    for (uint32_t i = 0; !st && i < n_panes(f); i++)
        st = append_prediction(arena, f, i, predictions, err);
    return st;
}

/* The superpixels of a set, and what the model says when they alone are shown, or hidden. */
static enum xpl_status append_pertinent(struct xpl_arena *arena, const struct xpl_finished *f, bool negative,
                                        json_t *predictions, struct xpl_error *err)
{
    const struct xpl_contrast *contrast = &f->explanation->contrast;
    const struct xpl_pertinent *set = negative ? &contrast->negative : &contrast->positive;
    uint32_t d = f->segments->count, count = (uint32_t)__builtin_popcountll(set->segments);
    struct xpl_pane pane = {.shown = XPL_NEW_ARRAY(arena, bool, d), .count = count};
    const char *base64;
    enum xpl_status st;

    if (!set->found)
        return XPL_OK;
    if (!pane.shown)
        return xpl_no_memory(err);
    for (uint32_t j = 0; j < d; j++)
        pane.shown[j] = set->segments >> j & 1u;
    if ((st = pane_base64(arena, f, &pane, &base64, err)))
        return st;
    json_array_append_new(predictions, json_pack("{s:s, s:f, s:o, s:[{s:s, s:I, s:I, s:s}]}", "pertinent",
                                                 negative ? "negative" : "positive", "probability", set->probability,
                                                 "value", json_sprintf("%u", set->class_index), "explanation",
                                                 "full_image", base64, "total_features", (json_int_t)d, "used_features",
                                                 (json_int_t)count, "feature_name", "scoring_input"));
    return XPL_OK;
}

static enum xpl_status contrastive_view(struct xpl_arena *arena, const struct xpl_finished *f, json_t *explanations,
                                        struct xpl_error *err)
{
    json_t *predictions = json_array();
    enum xpl_status st;

    json_array_append_new(explanations,
                          json_pack("{s:s, s:o}", "explanation_type", "contrastive", "predictions", predictions));
    st = append_pertinent(arena, f, false, predictions, err);
    return st ? st : append_pertinent(arena, f, true, predictions, err);
}

enum xpl_status xpl_finished_answer(struct xpl_arena *arena, const struct xpl_finished *f, const char **ret_text,
                                    struct xpl_error *err)
{
    json_t *explanations = json_array(), *entity;
    enum xpl_status st = f->params->lime ? lime_view(arena, f, explanations, err) : XPL_OK;

    if (!st && f->params->contrastive)
        st = contrastive_view(arena, f, explanations, err);
    if (st) {
        json_decref(explanations);
        return st;
    }
    entity = json_pack("{s:{s:s}, s:o, s:[{}], s:b, s:o, s:s}", "status", "state", "finished", "asset",
                       asset_view(f->subscription), "input_features", "perturbed", 0, "explanations", explanations,
                       "scoring_id", f->task->scoring_id);
    add_rule(entity, f->task);
    return to_text(arena, json_pack("{s:o, s:o}", "metadata", metadata_view(f->task, f->finished_at), "entity", entity),
                   ret_text, err);
}
