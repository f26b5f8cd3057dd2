/* SPDX-License-Identifier: Apache-2.0 */
/* Asking for explanations and getting them. */
#include <stdio.h>
#include <string.h>

#include "api/explain_params.h"
#include "api/explanation_tasks.h"
#include "api/explanation_views.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/resource.h"
#include "lib/base/text.h"
#include "lib/base/time.h"

/* ---- asking ---- */

struct planned {
    struct xpl_task *tasks;
    size_t n;
};

struct task_request {
    json_t *scoring_ids, *explanation_types, *input_rows, *parameters;
    const char *subscription_id;
};

static enum xpl_status check_types(const json_t *types, struct xpl_error *err)
{
    json_t *element;
    size_t i;

    json_array_foreach(types, i, element) if (strcmp(json_string_value(element), "lime") != 0) return xpl_fail_field(
        err, XPL_NOT_AVAILABLE, "explanation_types", "\"%.40s\" is not available in this version; use lime",
        json_string_value(element));
    return XPL_OK;
}

static enum xpl_status read_request(const json_t *body, struct task_request *ret, struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_ARRAY_FIELD(struct task_request, input_rows),
        XPL_JSON_ARRAY_FIELD(struct task_request, scoring_ids, .min = 1, .max = XPL_TASKS_PER_REQUEST, .strings = true),
        XPL_JSON_ARRAY_FIELD(struct task_request, explanation_types, .min = 1, .max = 10, .strings = true),
        XPL_JSON_STRING(struct task_request, subscription_id, .min = 1, .max = 256),
        XPL_JSON_OBJECT_FIELD(struct task_request, parameters),
    };
    enum xpl_status st = xpl_json_read(body, fields, XPL_COUNT(fields), ret, err);

    if (st)
        return st;
    if (ret->input_rows && json_array_size(ret->input_rows) > 0)
        return xpl_fail_field(err, XPL_NOT_AVAILABLE, "input_rows",
                              "is not available in this version: log the image first, then ask by its scoring id");
    if (!ret->scoring_ids)
        return xpl_fail_field(err, XPL_BAD_FIELD, "scoring_ids", "is missing");
    return check_types(ret->explanation_types, err);
}

/* The one record a scoring id names. */
static enum xpl_status find_record(struct xpl_call *call, const char *scoring_id, const char *subscription_id,
                                   struct xpl_record *ret, struct xpl_error *err)
{
    struct xpl_record *found;
    enum xpl_status st;
    size_t n;

    st = xpl_records_by_scoring_id(call->db, call->arena, call->data_mart_id, subscription_id, scoring_id, &found, &n,
                                   err);
    if (st)
        return st;
    if (n == 0)
        return xpl_fail_field(err, XPL_NOT_FOUND, "scoring_ids", "nothing was logged with the scoring id %.100s%s%.60s",
                              scoring_id, subscription_id ? " in subscription " : "",
                              subscription_id ? subscription_id : "");
    if (n > 1)
        return xpl_fail_field(err, XPL_BAD_FIELD, "subscription_id",
                              "is needed: %zu subscriptions logged the scoring id %.100s", n, scoring_id);
    *ret = found[0];
    return XPL_OK;
}

/* The parameters of a subscription's explainability monitor, laid over the defaults. */
static enum xpl_status monitor_params(struct xpl_call *call, const char *subscription_id,
                                      struct xpl_explain_params *params, struct xpl_error *err)
{
    struct xpl_resource_filter filter = {.values = {"explainability", "subscription", subscription_id}};
    XPL_AUTO_JSON entity = NULL;
    struct xpl_resource *found;
    enum xpl_status st;
    size_t n;

    *params = xpl_explain_params_default();
    params->deadline_ms = (uint32_t)call->app->settings.explain_deadline_ms;
    st = xpl_resource_list(call->db, call->arena, &xpl_kind_monitor_instance, call->data_mart_id, &filter, &found, &n,
                           err);
    if (!st && n > 0)
        st = xpl_resource_entity(&found[0], &entity, err);
    if (st)
        return st;
    if (n == 0 || json_is_false(xpl_json_at(entity, "parameters.enabled")))
        return xpl_fail(
            err, XPL_NOT_ENABLED,
            "Explainability is not enabled for subscription %.60s: make a monitor instance of explainability",
            subscription_id);
    return xpl_explain_params_read(xpl_json_at(entity, "parameters"), "parameters", params, err);
}

static enum xpl_status plan_task(struct xpl_call *call, const struct task_request *request, const char *scoring_id,
                                 struct xpl_task *ret, struct xpl_error *err)
{
    struct xpl_explain_params params;
    XPL_AUTO_JSON view = NULL;
    struct xpl_record record = {0};
    char id[XPL_UUID_SIZE];
    enum xpl_status st;

    if ((st = find_record(call, scoring_id, request->subscription_id, &record, err)) ||
        (st = monitor_params(call, record.subscription_id, &params, err)) ||
        (st = xpl_explain_params_known(request->parameters, "parameters", err)) ||
        (st = xpl_explain_params_read(request->parameters, "parameters", &params, err)))
        return st;
    view = xpl_explain_params_view(&params);
    *ret = (struct xpl_task){
        .id = xpl_arena_string(call->arena, xpl_uuid(id)),
        .data_mart_id = call->data_mart_id,
        .subscription_id = record.subscription_id,
        .deployment_id = record.deployment_id ? record.deployment_id : record.subscription_id,
        .record_id = record.id,
        .scoring_id = record.scoring_id,
        .transaction_id = record.transaction_id,
        .parameters = view ? xpl_json_text(call->arena, view) : NULL,
        .trace_id = xpl_arena_string(call->arena, call->request_id),
        .traceparent = xpl_call_traceparent(call),
        .created_at = xpl_now_us(),
        .created_by = call->user,
    };
    if (!ret->id || !ret->parameters || !ret->trace_id)
        return xpl_no_memory(err);
    xpl_hash(ret->parameters, strlen(ret->parameters), ret->parameters_hash);
    return XPL_OK;
}

static enum xpl_status check_queue(struct xpl_db *db, const struct xpl_call *call, const struct xpl_task *task,
                                   struct xpl_error *err)
{
    const struct xpl_settings *settings = &call->app->settings;
    int64_t all, own;
    enum xpl_status st = xpl_tasks_queued(db, task->subscription_id, &all, &own, err);

    if (st)
        return st;
    if (all >= settings->limits_tasks_queued)
        return xpl_fail(err, XPL_TOO_MANY, "%lld explanations wait already; the limit is %lld (limits.tasks_queued)",
                        (long long)all, (long long)settings->limits_tasks_queued);
    if (own >= settings->limits_tasks_queued_per_subscription)
        return xpl_fail(err, XPL_TOO_MANY,
                        "%lld explanations of this subscription wait already; the limit is %lld"
                        " (limits.tasks_queued_per_subscription)",
                        (long long)own, (long long)settings->limits_tasks_queued_per_subscription);
    return XPL_OK;
}

/* A task under way for the same record and parameters is returned again instead of a second one. */
static enum xpl_status queue_task(struct xpl_db *db, struct xpl_call *call, const struct xpl_task *task,
                                  const char **ret_id, struct xpl_error *err)
{
    struct xpl_error inner = {0};
    enum xpl_status st = xpl_task_find_open(db, call->arena, task->record_id, task->parameters_hash, ret_id, &inner);

    if (!st)
        return XPL_OK;
    if (st != XPL_NOT_FOUND)
        return xpl_fail(err, st, "%s", inner.message);
    *ret_id = task->id;
    if ((st = check_queue(db, call, task, err)))
        return st;
    return xpl_task_insert(db, task, err);
}

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    const struct planned *planned = arg;
    XPL_AUTO_JSON ids = json_array();
    char when[XPL_TIME_TEXT_SIZE];

    for (size_t i = 0; i < planned->n; i++) {
        const char *id;
        enum xpl_status st = queue_task(db, call, &planned->tasks[i], &id, err);

        if (st)
            return st;
        json_array_append_new(ids, json_string(id));
    }
    call->app->workers.wake(call->app->workers.context);
    xpl_reply_json(call, 202,
                   json_pack("{s:{s:O, s:s, s:s}}", "metadata", "explanation_task_ids", ids, "created_by", call->user,
                             "created_at", xpl_time_format(planned->tasks[0].created_at, when)));
    return XPL_OK;
}

enum xpl_answered xpl_explanation_tasks_add(struct xpl_call *call)
{
    struct planned *planned = XPL_NEW(call->arena, struct planned);
    XPL_AUTO_JSON body = NULL;
    struct task_request request = {0};
    struct xpl_error err = {0};

    if (!planned)
        return xpl_reply_json(call, 503, NULL);
    if (xpl_call_json(call, &body, &err) || read_request(body, &request, &err))
        return xpl_reply_error(call, &err);
    planned->n = json_array_size(request.scoring_ids);
    if (!(planned->tasks = XPL_NEW_ARRAY(call->arena, struct xpl_task, planned->n)))
        return xpl_reply_json(call, 503, NULL);
    for (size_t i = 0; i < planned->n; i++)
        if (plan_task(call, &request, json_string_value(json_array_get(request.scoring_ids, i)), &planned->tasks[i],
                      &err))
            return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_add, planned, call->body.length);
}

/* ---- getting ---- */

enum xpl_status xpl_task_find(struct xpl_db *db, struct xpl_call *call, struct xpl_task *ret, struct xpl_error *err)
{
    const char *id = call->path_params[0], *subscription_id = xpl_call_query(call, "subscription_id");
    enum xpl_status st = xpl_task_get(db, call->arena, call->data_mart_id, id, ret, err);

    if (st == XPL_NOT_FOUND ||
        (!st && subscription_id && *subscription_id && strcmp(subscription_id, ret->subscription_id) != 0))
        return xpl_resource_missing("explanation_task", id, err);
    return st;
}

json_t *xpl_task_view_now(struct xpl_call *call, const struct xpl_task *task)
{
    const struct xpl_worker_hooks *workers = &call->app->workers;
    struct xpl_task_progress progress;
    struct xpl_resource subscription;
    XPL_AUTO_JSON entity = NULL;
    struct xpl_error err = {0};
    bool running;

    if (xpl_resource_get(call->db, call->arena, &xpl_kind_subscription, call->data_mart_id, task->subscription_id,
                         &subscription, &err) == XPL_OK)
        xpl_resource_entity(&subscription, &entity, &err);
    running = task->state == XPL_TASK_LEASED && workers->progress(workers->context, task->id, &progress);
    return xpl_task_view(task, entity, running ? &progress : NULL);
}

enum xpl_answered xpl_explanation_tasks_get(struct xpl_call *call)
{
    struct xpl_error err = {0};
    struct xpl_task task;
    const char *answer;

    if (xpl_task_find(call->db, call, &task, &err))
        return xpl_reply_error(call, &err);
    if (task.state != XPL_TASK_FINISHED)
        return xpl_reply_json(call, 200, xpl_task_view_now(call, &task));
    if (xpl_explanation_answer(call->db, call->arena, task.id, &answer, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_json_text(call, 200, xpl_text_of(answer));
}

static enum xpl_status run_delete(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    struct xpl_task task;
    enum xpl_status st;

    (void)arg;
    if ((st = xpl_task_find(db, call, &task, err)) || (st = xpl_task_delete(db, task.id, err)))
        return st;
    call->app->workers.cancel(call->app->workers.context, task.id);
    xpl_reply_json(call, 202, json_object());
    return XPL_OK;
}

enum xpl_answered xpl_explanation_tasks_delete(struct xpl_call *call)
{
    return xpl_reply_after_commit(call, run_delete, NULL, 256);
}

enum xpl_status xpl_task_find_finished(struct xpl_call *call, struct xpl_task *ret, struct xpl_error *err)
{
    enum xpl_status st = xpl_task_find(call->db, call, ret, err);

    if (st || ret->state == XPL_TASK_FINISHED)
        return st;
    if (ret->state == XPL_TASK_ERROR)
        return xpl_fail(err, XPL_CONFLICT, "the explanation ended in an error: %s",
                        ret->error_message ? ret->error_message : "");
    return xpl_fail(err, XPL_CONFLICT, "the explanation is still in progress");
}

enum xpl_answered xpl_explanation_task_attributions(struct xpl_call *call)
{
    struct xpl_error err = {0};
    struct xpl_task task;
    const char *text;

    if (xpl_task_find_finished(call, &task, &err) ||
        xpl_explanation_attributions(call->db, call->arena, task.id, &text, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_json_text(call, 200, xpl_text_of(text));
}
