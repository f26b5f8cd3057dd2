/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is switched on for a subscription. `explainability` is the monitor instance of that name; payload logging always
 * is on; the other monitors of the original are remembered and do nothing.
 */
#include <string.h>

#include "api/configuration/monitors.h"
#include "api/configuration/subscriptions.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/json_text.h"
#include "api/v1/v1.h"
#include "db/record_query.h"
#include "db/subscriptions.h"
#include "lib/base/time.h"

#define KEPT "configurations" /* member of the entity */

static const char *const names[] = {"payload_logging",    "explainability",      "performance_monitoring",
                                    "quality_monitoring", "fairness_monitoring", NULL};

static enum xpl_status check_name(const char *name, struct xpl_error *err)
{
    for (size_t i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0)
            return XPL_OK;
    return xpl_fail(err, XPL_NOT_FOUND,
                    "there is no configuration `%.60s`: payload_logging, explainability, performance_monitoring, "
                    "quality_monitoring, fairness_monitoring",
                    name);
}

/* As it was put, or off. */
static json_t *kept(const struct xpl_resource *subscription, const char *name)
{
    XPL_AUTO_JSON entity = json_loads(subscription->entity, 0, NULL);
    json_t *there = json_object_get(json_object_get(entity, KEPT), name);

    return there ? json_deep_copy(there) : json_pack("{s:b, s:{}}", "enabled", 0, "parameters");
}

static enum xpl_status view_of(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource *subscription,
                               const char *name, json_t **ret, struct xpl_error *err)
{
    json_t *parameters = NULL;
    bool enabled;
    enum xpl_status st;

    if (strcmp(name, "payload_logging") == 0)
        *ret = json_pack("{s:b, s:{s:o, s:b}}", "enabled", 1, "parameters", "table_name",
                         json_sprintf("Payload_%s", subscription->id), "dynamic_schema_update", 0);
    else if (strcmp(name, "explainability") == 0) {
        if ((st = xpl_explainability_get(db, call, subscription->id, &enabled, &parameters, err)))
            return st;
        *ret = json_pack("{s:b, s:o}", "enabled", enabled, "parameters", parameters);
    } else
        *ret = kept(subscription, name);
    return *ret ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_answered reply_view(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource *subscription,
                                    const char *name)
{
    struct xpl_error err = {0};
    json_t *view = NULL;

    return view_of(db, call, subscription, name, &view, &err) ? xpl_reply_error(call, &err)
                                                              : xpl_reply_json(call, 200, view);
}

enum xpl_answered xpl_v1_configurations_get(struct xpl_call *call)
{
    struct xpl_resource subscription;
    struct xpl_error err = {0};

    if (xpl_v1_enter(call, &err) || xpl_v1_find_subscription(call->db, call, &subscription, &err) ||
        check_name(call->path_params[2], &err))
        return xpl_reply_error(call, &err);
    return reply_view(call->db, call, &subscription, call->path_params[2]);
}

/* ---- switching ---- */

struct switching {
    bool enabled;
    json_t *parameters;
};

static enum xpl_status read_body(struct xpl_call *call, json_t **ret_body, struct switching *ret, struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_BOOL(struct switching, enabled, .required = true),
        XPL_JSON_OBJECT_FIELD(struct switching, parameters),
    };
    enum xpl_status st = xpl_call_json(call, ret_body, err);

    *ret = (struct switching){0};
    return st ? st : xpl_json_read(*ret_body, fields, XPL_COUNT(fields), ret, err);
}

static enum xpl_status keep(struct xpl_db *db, struct xpl_call *call, struct xpl_resource *subscription,
                            const char *name, json_t *body, struct xpl_error *err)
{
    XPL_AUTO_JSON entity = json_loads(subscription->entity, 0, NULL);
    json_t *all = json_object_get(entity, KEPT);

    if (!entity)
        return xpl_no_memory(err);
    if (!json_is_object(all)) {
        all = json_object();
        json_object_set_new(entity, KEPT, all);
    }
    json_object_set(all, name, body);
    if (!(subscription->entity = xpl_json_text(call->arena, entity)))
        return xpl_no_memory(err);
    subscription->modified_at = xpl_now_us();
    subscription->modified_by = call->user;
    return xpl_resource_update(db, &xpl_kind_subscription, subscription, err);
}

static enum xpl_status run_put(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    const char *name = call->path_params[2];
    struct xpl_resource subscription;
    XPL_AUTO_JSON body = NULL;
    struct switching to;
    enum xpl_status st;

    (void)arg;
    if ((st = read_body(call, &body, &to, err)) || (st = xpl_v1_find_subscription(db, call, &subscription, err)))
        return st;
    if (strcmp(name, "explainability") == 0)
        st = xpl_explainability_set(db, call, subscription.id, to.enabled, to.parameters, err);
    else if (strcmp(name, "payload_logging") != 0)
        st = keep(db, call, &subscription, name, body, err);
    if (st)
        return st;
    reply_view(db, call, &subscription, name);
    return XPL_OK;
}

enum xpl_answered xpl_v1_configurations_put(struct xpl_call *call)
{
    XPL_AUTO_JSON body = NULL;
    struct switching ignored;
    struct xpl_error err = {0};

    if (xpl_v1_enter(call, &err) || check_name(call->path_params[2], &err) || read_body(call, &body, &ignored, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_put, NULL, call->body.length);
}

/* ---- POST /v1/model_explanation_configurations ---- */

struct enabling {
    const char *data_mart_id, *service_binding_id, *model_id;
    bool enabled;
    json_t *parameters;
};

static enum xpl_status read_enabling(struct xpl_call *call, json_t **ret_body, struct enabling *ret,
                                     struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_STRING(struct enabling, data_mart_id, .required = true),
        XPL_JSON_STRING(struct enabling, service_binding_id, .required = true),
        XPL_JSON_STRING(struct enabling, model_id, .required = true),
        XPL_JSON_BOOL(struct enabling, enabled),
        XPL_JSON_OBJECT_FIELD(struct enabling, parameters),
    };
    enum xpl_status st = xpl_call_json(call, ret_body, err);

    *ret = (struct enabling){.enabled = true};
    if (st || (st = xpl_json_read(*ret_body, fields, XPL_COUNT(fields), ret, err)))
        return st;
    return xpl_v1_use_data_mart(call, ret->data_mart_id, err);
}

/* The original wants something to be logged before. */
static enum xpl_status check_logged(struct xpl_db *db, const struct xpl_resource *subscription, struct xpl_error *err)
{
    bool has_records;
    enum xpl_status st = xpl_subscription_has_records(db, subscription->id, &has_records, err);

    if (st || has_records)
        return st;
    return xpl_fail(err, XPL_BAD_FIELD,
                    "no payload was logged for the subscription %.60s: explainability needs one "
                    "scoring record",
                    subscription->id);
}

static enum xpl_status run_enable(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    struct xpl_resource_filter filter = {0};
    struct xpl_resource *found;
    XPL_AUTO_JSON body = NULL;
    struct enabling request;
    enum xpl_status st;
    size_t n;

    (void)arg;
    if ((st = read_enabling(call, &body, &request, err)))
        return st;
    filter.values[0] = request.service_binding_id;
    filter.values[1] = request.model_id;
    if ((st = xpl_resource_list(db, call->arena, &xpl_kind_subscription, call->data_mart_id, &filter, &found, &n, err)))
        return st;
    if (n == 0)
        return xpl_fail_field(err, XPL_NOT_FOUND, "model_id", "the binding %.60s has no subscription of asset %.100s",
                              request.service_binding_id, request.model_id);
    for (size_t i = 0; i < n; i++)
        if ((st = check_logged(db, &found[i], err)) ||
            (st = xpl_explainability_set(db, call, found[i].id, request.enabled, request.parameters, err)))
            return st;
    xpl_reply_json(call, 200,
                   json_pack("{s:b, s:s, s:s, s:s}", "enabled", request.enabled, "data_mart_id", call->data_mart_id,
                             "service_binding_id", request.service_binding_id, "model_id", request.model_id));
    return XPL_OK;
}

enum xpl_answered xpl_v1_explanation_configurations_add(struct xpl_call *call)
{
    XPL_AUTO_JSON body = NULL;
    struct enabling ignored;
    struct xpl_error err = {0};

    if (read_enabling(call, &body, &ignored, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_enable, NULL, call->body.length);
}
