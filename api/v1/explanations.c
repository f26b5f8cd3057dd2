/* SPDX-License-Identifier: Apache-2.0 */
/* Asking for explanations and getting them, in both dialects of v1. */
#include <string.h>

#include "api/configuration/subscriptions.h"
#include "api/explanations/explanation_ask.h"
#include "api/explanations/explanation_tasks.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/v1/explanation_form.h"
#include "api/v1/v1.h"
#include "lib/base/time.h"

#define STORED_MAX     1000
#define STORED_DEFAULT 100

/* ---- asking ---- */

static json_t *task_begun(const struct xpl_call *call, const char *task_id)
{
    char when[XPL_TIME_TEXT_SIZE];

    return json_pack("{s:{s:s, s:s, s:s}, s:{s:{s:s}}}", "metadata", "id", task_id, "created_by", call->user,
                     "created_at", xpl_time_format(xpl_now_us(), when), "entity", "status", "state", "in_progress");
}

static void reply_task(struct xpl_call *call, const char *task_id)
{
    xpl_reply_json(call, 202, task_begun(call, task_id));
}

static void reply_model_explanation(struct xpl_call *call, const char *task_id)
{
    char when[XPL_TIME_TEXT_SIZE];

    xpl_reply_json(call, 200,
                   json_pack("{s:{s:s, s:s, s:s}, s:{s:s}}", "metadata", "request_id", task_id, "created_by",
                             call->user, "created_at", xpl_time_format(xpl_now_us(), when), "entity", "status",
                             "in_progress"));
}

struct asking {
    const char *scoring_id, *data_mart_id, *subscription_id;
};

static enum xpl_status read_asking(struct xpl_call *call, const char *member, struct asking *ret, struct xpl_error *err)
{
    const struct xpl_json_field fields[] = {
        XPL_JSON_STRING(struct asking, scoring_id, .path = member, .required = true, .min = 1, .max = 256),
        XPL_JSON_STRING(struct asking, data_mart_id, .max = 256),
        XPL_JSON_STRING(struct asking, subscription_id, .max = 256),
    };
    XPL_AUTO_JSON body = NULL;
    enum xpl_status st = xpl_call_json(call, &body, err);

    *ret = (struct asking){0};
    if (st || (st = xpl_json_read(body, fields, XPL_COUNT(fields), ret, err)))
        return st;
    ret->scoring_id = xpl_arena_string(call->arena, ret->scoring_id);
    ret->data_mart_id = xpl_arena_string(call->arena, ret->data_mart_id);
    ret->subscription_id = xpl_arena_string(call->arena, ret->subscription_id);
    return ret->scoring_id ? XPL_OK : xpl_no_memory(err);
}

enum xpl_answered xpl_v1_explanation_tasks_add(struct xpl_call *call)
{
    struct asking asking;
    struct xpl_error err = {0};

    if (xpl_v1_enter(call, &err) || read_asking(call, "scoring_id", &asking, &err))
        return xpl_reply_error(call, &err);
    return xpl_explanation_ask(call, asking.scoring_id, asking.subscription_id, "scoring_id", reply_task);
}

enum xpl_answered xpl_v1_model_explanations_add(struct xpl_call *call)
{
    struct asking asking;
    struct xpl_error err = {0};

    if (read_asking(call, "transaction_id", &asking, &err) || xpl_v1_use_data_mart(call, asking.data_mart_id, &err))
        return xpl_reply_error(call, &err);
    return xpl_explanation_ask(call, asking.scoring_id, asking.subscription_id, "transaction_id",
                               reply_model_explanation);
}

/* ---- getting ---- */

static enum xpl_answered reply_view(struct xpl_call *call, json_t *view, const struct xpl_error *err)
{
    xpl_reply_header(call, "Cache-Control", "no-store");
    return err->status ? xpl_reply_error(call, err) : xpl_reply_json(call, 200, view);
}

enum xpl_answered xpl_v1_explanation_tasks_get(struct xpl_call *call)
{
    struct xpl_error err = {0};
    struct xpl_task task;

    if (xpl_v1_enter(call, &err) || xpl_task_find(call->db, call, &task, &err))
        return xpl_reply_error(call, &err);
    return reply_view(call, xpl_v1_task_view(call, &task, true, &err), &err);
}

enum xpl_answered xpl_v1_model_explanations_get(struct xpl_call *call)
{
    struct xpl_error err = {0};
    struct xpl_task task;

    if (xpl_v1_use_data_mart(call, xpl_call_query(call, "data_mart_id"), &err) ||
        xpl_task_find(call->db, call, &task, &err))
        return xpl_reply_error(call, &err);
    return reply_view(call, xpl_v1_model_explanation_view(call, &task, &err), &err);
}

/* ---- what is stored ---- */

/* The binding of a subscription; "" when it is gone. Listings mostly are of one subscription. */
static const char *binding_of(struct xpl_call *call, const char *subscription_id, const char *last_id,
                              const char *last_binding)
{
    struct xpl_resource subscription;
    struct xpl_error ignored = {0};

    if (last_id && strcmp(last_id, subscription_id) == 0)
        return last_binding;
    if (xpl_resource_get(call->db, call->arena, &xpl_kind_subscription, call->data_mart_id, subscription_id,
                         &subscription, &ignored) ||
        !subscription.columns[0])
        return "";
    return subscription.columns[0];
}

static json_t *stored_view(struct xpl_call *call, const struct xpl_task *task, const char *binding_id,
                           struct xpl_error *err)
{
    XPL_AUTO_JSON explanation = xpl_v1_task_view(call, task, false, err);
    char when[XPL_TIME_TEXT_SIZE];
    json_t *view;

    if (!explanation)
        return NULL;
    view = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "request_id", task->id, "scoring_id", task->scoring_id,
                     "deployment_id", task->deployment_id, "subscription_id", task->subscription_id, "binding_id",
                     binding_id, "created_by", task->created_by, "created_at", xpl_time_format(task->created_at, when));
    if (task->state == XPL_TASK_ERROR)
        json_object_set(view, "error", xpl_json_at(explanation, "entity.error"));
    else
        json_object_set(view, "explanation", explanation);
    return view;
}

static enum xpl_status read_stored(struct xpl_call *call, struct xpl_task_query *query, struct xpl_error *err)
{
    const char *subscription_id = xpl_call_query(call, "subscription_id");
    enum xpl_status st;

    *query = (struct xpl_task_query){.data_mart_id = call->data_mart_id,
                                     .subscription_id = subscription_id && *subscription_id ? subscription_id : NULL};
    if ((st = xpl_query_int(call, "offset", 0, INT64_MAX, 0, &query->offset, err)) ||
        (st = xpl_query_int(call, "limit", 0, INT32_MAX, STORED_DEFAULT, &query->limit, err)))
        return st;
    if (query->limit > STORED_MAX)
        query->limit = STORED_MAX;
    return XPL_OK;
}

enum xpl_answered xpl_v1_explanations_list(struct xpl_call *call)
{
    const char *last_id = NULL, *binding = "";
    XPL_AUTO_JSON list = json_array();
    struct xpl_task_query query;
    struct xpl_task *tasks;
    struct xpl_error err = {0};
    size_t n;

    if (xpl_v1_enter(call, &err) || read_stored(call, &query, &err) ||
        xpl_tasks_list(call->db, call->arena, &query, &tasks, &n, &err))
        return xpl_reply_error(call, &err);
    for (size_t i = 0; i < n && !err.status; i++) {
        binding = binding_of(call, tasks[i].subscription_id, last_id, binding);
        last_id = tasks[i].subscription_id;
        json_array_append_new(list, stored_view(call, &tasks[i], binding, &err));
    }
    if (err.status)
        return xpl_reply_error(call, &err);
    return xpl_reply_json(call, 200, json_pack("{s:O}", "explanations", list));
}

/* ---- what v1 clients ask beside, and image models have none of ---- */

static enum xpl_answered reply_empty(struct xpl_call *call, const char *list)
{
    struct xpl_error err = {0};

    return xpl_v1_enter(call, &err) ? xpl_reply_error(call, &err)
                                    : xpl_reply_json(call, 200, json_pack("{s:[]}", list));
}

enum xpl_answered xpl_v1_monitor_definitions_list(struct xpl_call *call)
{
    return reply_empty(call, "monitor_definitions");
}

enum xpl_answered xpl_v1_metrics_list(struct xpl_call *call)
{
    return reply_empty(call, "metrics");
}

enum xpl_answered xpl_v1_deployment_metrics_list(struct xpl_call *call)
{
    return reply_empty(call, "deployment_metrics");
}
