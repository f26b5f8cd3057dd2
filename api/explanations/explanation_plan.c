/* SPDX-License-Identifier: Apache-2.0 */
#include "api/explanations/explanation_plan.h"

#include <string.h>

#include "api/configuration/resource.h"
#include "api/explanations/explain_params.h"
#include "api/explanations/label_map.h"
#include "api/json_spec.h"
#include "api/json_text.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/explain/coarse_to_fine.h"

enum xpl_status xpl_explanation_find_record(struct xpl_call *call, const char *scoring_id, const char *subscription_id,
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
    return xpl_explain_params_read(call->arena, xpl_json_at(entity, "parameters"), "parameters", params, err);
}

/* The image that hidden zones show: logged in the same subscription, and of the same size. */
static enum xpl_status check_background(struct xpl_call *call, const struct xpl_record *record,
                                        const struct xpl_explain_params *params, struct xpl_error *err)
{
    static const char path[] = "parameters.image.background";
    struct xpl_record background = {0};
    struct xpl_error inner = {0};

    if (params->fill != XPL_FILL_IMAGE)
        return XPL_OK;
    if (xpl_explanation_find_record(call, params->background, record->subscription_id, &background, &inner))
        return xpl_fail_field(err, inner.status, path, "%s", inner.message);
    if (background.height != record->height || background.width != record->width ||
        background.channels != record->channels)
        return xpl_fail_field(err, XPL_BAD_FIELD, path,
                              "is an image of %lld x %lld x %lld; the explained one has %lld x %lld x %lld",
                              (long long)background.height, (long long)background.width, (long long)background.channels,
                              (long long)record->height, (long long)record->width, (long long)record->channels);
    return XPL_OK;
}

static enum xpl_status check_budget(const struct xpl_record *record, const struct xpl_explain_params *params,
                                    struct xpl_error *err)
{
    uint32_t n = xpl_explain_known_segments(params, (uint32_t)record->height, (uint32_t)record->width);

    return xpl_explain_check_budget(params, n, err);
}

/* One of input_rows is not stored yet. */
static enum xpl_status check_pixels(struct xpl_call *call, const struct xpl_record *record, struct xpl_error *err)
{
    struct xpl_error inner = {0};
    enum xpl_status st = record->payload_id ? xpl_payload_check(call->db, record->payload_id, &inner) : XPL_OK;

    return st ? xpl_fail_field(err, st, "scoring_ids", "%.100s: %s", record->scoring_id, inner.message) : XPL_OK;
}

enum xpl_status xpl_explanation_plan(struct xpl_call *call, const struct xpl_explanation_request *request,
                                     const struct xpl_record *record, struct xpl_task *ret, struct xpl_error *err)
{
    struct xpl_explain_params params;
    XPL_AUTO_JSON view = NULL;
    char id[XPL_UUID_SIZE];
    enum xpl_status st;

    if ((st = check_pixels(call, record, err)) || (st = monitor_params(call, record->subscription_id, &params, err)) ||
        (st = xpl_explain_params_known(request->parameters, "parameters", err)) ||
        (st = xpl_explain_params_read(call->arena, request->parameters, "parameters", &params, err)) ||
        (st = xpl_label_map_check(&params.segmentation, record->height, record->width,
                                  "parameters.image.segmentation.labels", err)) ||
        (st = check_budget(record, &params, err)) || (st = check_background(call, record, &params, err)))
        return st;
    if (request->has_types) {
        params.lime = request->lime;
        params.contrastive = request->contrastive;
    }
    view = xpl_explain_params_view(&params);
    *ret = (struct xpl_task){
        .id = xpl_arena_string(call->arena, xpl_uuid(id)),
        .data_mart_id = call->data_mart_id,
        .subscription_id = record->subscription_id,
        .deployment_id = record->deployment_id ? record->deployment_id : record->subscription_id,
        .record_id = record->id,
        .scoring_id = record->scoring_id,
        .transaction_id = record->transaction_id,
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

/* ---- the queue ---- */

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

enum xpl_status xpl_explanation_queue(struct xpl_db *db, struct xpl_call *call, const struct xpl_task *task,
                                      const char **ret_id, struct xpl_error *err)
{
    struct xpl_error inner = {0};
    enum xpl_status st = xpl_task_find_open(db, call->arena, task->record_id, task->parameters_hash, ret_id, &inner);

    if (!st)
        return xpl_task_promote(db, *ret_id, err);
    if (st != XPL_NOT_FOUND)
        return xpl_fail(err, st, "%s", inner.message);
    *ret_id = task->id;
    if ((st = check_queue(db, call, task, err)))
        return st;
    return xpl_task_insert(db, task, err);
}
