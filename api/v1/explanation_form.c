/* SPDX-License-Identifier: Apache-2.0 */
#include "api/v1/explanation_form.h"

#include "api/explanations/explanation_tasks.h"
#include "api/json_spec.h"
#include "lib/base/time.h"

/* The entity of v2: finished, or as far as the task is. */
static json_t *load(struct xpl_call *call, const struct xpl_task *task, struct xpl_error *err)
{
    XPL_AUTO_JSON answer = NULL;
    const char *text;

    if (task->state != XPL_TASK_FINISHED)
        answer = xpl_task_view_now(call, task);
    else if (xpl_explanation_answer(call->db, call->arena, task->id, &text, err))
        return NULL;
    else
        answer = json_loads(text, 0, NULL);
    return json_incref(json_object_get(answer, "entity"));
}

/* v1 clients read a feature's name, whatever the kind of model. */
static json_t *prediction_of(const json_t *prediction, bool panes)
{
    json_t *copy = json_pack("{s:O*, s:O*, s:[]}", "value", json_object_get(prediction, "value"), "probability",
                             json_object_get(prediction, "probability"), "explanation");
    const json_t *parts = json_object_get(prediction, "explanation");
    json_t *list = json_object_get(copy, "explanation"), *part;
    size_t i;

    json_array_foreach(parts, i, part)
    {
        json_t *one = panes ? json_copy(part) : json_object();

        json_object_set_new(one, "feature_name", json_string("scoring_input"));
        json_array_append_new(list, one);
    }
    return copy;
}

static json_t *predictions_of(const json_t *entity, bool panes)
{
    const json_t *found = json_object_get(json_array_get(json_object_get(entity, "explanations"), 0), "predictions");
    json_t *list = json_array(), *prediction;
    size_t i;

    json_array_foreach(found, i, prediction) json_array_append_new(list, prediction_of(prediction, panes));
    return list;
}

/* v1 clients also read what kind of asset it is. */
static json_t *asset_of(const json_t *v2)
{
    json_t *asset = json_copy(json_object_get(v2, "asset"));

    if (asset && !json_object_get(asset, "type"))
        json_object_set_new(asset, "type", json_string("model"));
    return asset ? asset : json_pack("{s:s, s:s}", "id", "", "type", "model");
}

static void add_error(const struct xpl_task *task, json_t *entity)
{
    const char *message = task->error_message ? task->error_message : "the explanation failed";

    if (task->state == XPL_TASK_ERROR)
        json_object_set_new(entity, "error", json_pack("{s:s}", "error_msg", message));
}

json_t *xpl_v1_task_view(struct xpl_call *call, const struct xpl_task *task, bool panes, struct xpl_error *err)
{
    XPL_AUTO_JSON v2 = load(call, task, err);
    const char *state = xpl_task_state_name(task->state);
    char created[XPL_TIME_TEXT_SIZE], updated[XPL_TIME_TEXT_SIZE];
    json_t *entity, *metadata;

    if (!v2)
        return NULL;
    entity = json_pack("{s:{s:s, s:s, s:s}, s:o, s:[]}", "status", "state", state, "lime_state", state, "cem_state",
                       "not_applicable", "asset", asset_of(v2), "input_features");
    if (task->state == XPL_TASK_FINISHED)
        json_object_set_new(entity, "predictions", predictions_of(v2, panes));
    add_error(task, entity);
    metadata = json_pack("{s:s, s:s, s:s, s:s}", "id", task->id, "created_by", task->created_by, "created_at",
                         xpl_time_format(task->created_at, created), "updated_at",
                         xpl_time_format(task->updated_at ? task->updated_at : task->created_at, updated));
    return json_pack("{s:o, s:o}", "metadata", metadata, "entity", entity);
}

json_t *xpl_v1_model_explanation_view(struct xpl_call *call, const struct xpl_task *task, struct xpl_error *err)
{
    XPL_AUTO_JSON v2 = load(call, task, err);
    char created[XPL_TIME_TEXT_SIZE];
    json_t *entity;

    if (!v2)
        return NULL;
    entity = json_pack("{s:s, s:s, s:o}", "status", xpl_task_state_name(task->state), "transaction_id",
                       task->scoring_id, "asset", asset_of(v2));
    if (task->state == XPL_TASK_FINISHED)
        json_object_set_new(entity, "predictions", predictions_of(v2, true));
    add_error(task, entity);
    return json_pack("{s:{s:s, s:s, s:s}, s:o}", "metadata", "request_id", task->id, "created_by", task->created_by,
                     "created_at", xpl_time_format(task->created_at, created), "entity", entity);
}
