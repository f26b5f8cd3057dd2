/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions in the form of v1: those of a binding, with ids that clients choose. */
#include "api/configuration/subscriptions.h"

#include <string.h>

#include "api/configuration/json_patch.h"
#include "api/configuration/monitors.h"
#include "api/configuration/service_providers.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/v1/subscription_form.h"
#include "api/v1/v1.h"
#include "lib/base/time.h"

#define ENDPOINT "/deployments/0/scoring_endpoint"

static json_t *configuration_view(struct xpl_call *call, const struct xpl_resource *resource, const char *name,
                                  bool enabled)
{
    return json_pack("{s:b, s:s, s:s, s:o}", "enabled", enabled, "monitor_definition_id", name, "type", name, "url",
                     xpl_v1_url(call, "/service_bindings/%s/subscriptions/%s/configurations/%s", resource->columns[0],
                                resource->id, name));
}

static json_t *view_of(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource *resource,
                       struct xpl_error *err)
{
    XPL_AUTO_JSON v2 = xpl_resource_view(db, call, &xpl_subscription_type, resource, err);
    XPL_AUTO_JSON entity = v2 ? xpl_v1_subscription_entity(json_object_get(v2, "entity")) : NULL;
    bool explains = false;

    if (!entity || xpl_explainability_get(db, call, resource->id, &explains, NULL, err))
        return NULL;
    json_object_set_new(entity, "configurations",
                        json_pack("[o, o]", configuration_view(call, resource, "payload_logging", true),
                                  configuration_view(call, resource, "explainability", explains)));
    return json_pack("{s:o, s:O}", "metadata",
                     xpl_v1_metadata(resource, xpl_v1_url(call, "/service_bindings/%s/subscriptions/%s",
                                                          resource->columns[0], resource->id)),
                     "entity", entity);
}

static enum xpl_answered reply_view(struct xpl_db *db, struct xpl_call *call, unsigned status,
                                    const struct xpl_resource *resource)
{
    struct xpl_error err = {0};
    json_t *view = view_of(db, call, resource, &err);

    return err.status ? xpl_reply_error(call, &err) : xpl_reply_json(call, status, view);
}

static enum xpl_status check_binding(struct xpl_db *db, struct xpl_call *call, struct xpl_error *err)
{
    struct xpl_resource binding;

    return xpl_v1_find(db, call, &xpl_service_provider_type, call->path_params[0], &binding, err);
}

enum xpl_answered xpl_v1_subscriptions_list(struct xpl_call *call)
{
    struct xpl_resource_filter of_binding = {0};
    XPL_AUTO_JSON list = json_array();
    struct xpl_resource *rows;
    struct xpl_error err = {0};
    size_t n;

    if (xpl_v1_enter(call, &err) || check_binding(call->db, call, &err))
        return xpl_reply_error(call, &err);
    of_binding.values[0] = call->path_params[0];
    if (xpl_resource_list(call->db, call->arena, &xpl_kind_subscription, call->data_mart_id, &of_binding, &rows, &n,
                          &err))
        return xpl_reply_error(call, &err);
    for (size_t i = 0; i < n && !err.status; i++)
        json_array_append_new(list, view_of(call->db, call, &rows[i], &err));
    if (err.status)
        return xpl_reply_error(call, &err);
    return xpl_reply_json(call, 200, json_pack("{s:O}", "subscriptions", list));
}

enum xpl_answered xpl_v1_subscriptions_get(struct xpl_call *call)
{
    struct xpl_resource resource;
    struct xpl_error err = {0};

    if (xpl_v1_enter(call, &err) || xpl_v1_find_subscription(call->db, call, &resource, &err))
        return xpl_reply_error(call, &err);
    return reply_view(call->db, call, 200, &resource);
}

/* ---- making one ---- */

/* A PUT whose answer was lost comes again: the same id is made anew, or written over. */
static enum xpl_status run_make(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    struct xpl_resource *resource = arg, before;
    struct xpl_error missing = {0};
    enum xpl_status st = check_binding(db, call, err);

    if (st)
        return st;
    st = xpl_resource_get(db, call->arena, &xpl_kind_subscription, call->data_mart_id, resource->id, &before, &missing);
    if (st && st != XPL_NOT_FOUND)
        return xpl_fail(err, st, "%s", missing.message);
    if (st == XPL_OK) {
        resource->created_at = before.created_at;
        resource->modified_at = xpl_now_us();
        resource->modified_by = call->user;
        st = xpl_resource_update(db, &xpl_kind_subscription, resource, err);
    } else
        st = xpl_subscription_insert(db, call, resource, err);
    if (st)
        return st;
    reply_view(db, call, 201, resource);
    return XPL_OK;
}

static enum xpl_answered make(struct xpl_call *call, const char *id)
{
    struct xpl_resource *resource = XPL_NEW(call->arena, struct xpl_resource);
    XPL_AUTO_JSON body = NULL;
    XPL_AUTO_JSON entity = NULL;
    struct xpl_error err = {0};

    if (!resource)
        return xpl_reply_json(call, 503, NULL);
    if (xpl_call_json(call, &body, &err) ||
        xpl_v2_subscription_entity(body, NULL, call->data_mart_id, call->path_params[0], &entity, &err) ||
        xpl_subscription_type.check(entity, &err))
        return xpl_reply_error(call, &err);
    xpl_set_active(entity);
    if (xpl_resource_make(call, &xpl_subscription_type, id, entity, resource, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_make, resource, call->body.length);
}

enum xpl_answered xpl_v1_subscriptions_add(struct xpl_call *call)
{
    struct xpl_error err = {0};

    return xpl_v1_enter(call, &err) ? xpl_reply_error(call, &err) : make(call, NULL);
}

enum xpl_answered xpl_v1_subscriptions_put(struct xpl_call *call)
{
    struct xpl_error err = {0};

    return xpl_v1_enter(call, &err) ? xpl_reply_error(call, &err) : make(call, call->path_params[1]);
}

/* ---- changing one ---- */

static enum xpl_status patched(struct xpl_db *db, struct xpl_call *call, struct xpl_resource *resource,
                               json_t **ret_entity, struct xpl_error *err)
{
    static const char *const read_only[] = {"status", "service_binding_id", "configurations", NULL};
    static const char *const secrets[] = {ENDPOINT "/credentials", ENDPOINT "/request_headers", NULL};
    static const struct xpl_patch_rules rules = {read_only, secrets};
    XPL_AUTO_JSON before = NULL;
    XPL_AUTO_JSON v1 = NULL;
    XPL_AUTO_JSON patch = NULL;
    enum xpl_status st;

    if ((st = xpl_call_json(call, &patch, err)) ||
        (st = xpl_subscription_load(call->app, db, call->arena, call->data_mart_id, resource->id, &before, err)))
        return st;
    if (!(v1 = xpl_v1_subscription_entity(before)))
        return xpl_no_memory(err);
    if ((st = xpl_json_patch(&v1, patch, &rules, err)) ||
        (st = xpl_v2_subscription_entity(v1, before, call->data_mart_id, resource->columns[0], ret_entity, err)) ||
        (st = xpl_subscription_type.check(*ret_entity, err)))
        return st;
    return xpl_secrets_check_moved(xpl_subscription_type.secrets, before, *ret_entity, patch, err);
}

static enum xpl_status run_patch(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    XPL_AUTO_JSON entity = NULL;
    struct xpl_resource before, now;
    enum xpl_status st;

    (void)arg;
    if ((st = xpl_v1_find_subscription(db, call, &before, err)) || (st = patched(db, call, &before, &entity, err)) ||
        (st = xpl_resource_make(call, &xpl_subscription_type, before.id, entity, &now, err)))
        return st;
    now.created_at = before.created_at;
    now.created_by = before.created_by;
    now.modified_at = xpl_now_us();
    now.modified_by = call->user;
    if ((st = xpl_resource_update(db, &xpl_kind_subscription, &now, err)))
        return st;
    reply_view(db, call, 200, &now);
    return XPL_OK;
}

enum xpl_answered xpl_v1_subscriptions_patch(struct xpl_call *call)
{
    XPL_AUTO_JSON patch = NULL;
    struct xpl_error err = {0};

    if (xpl_v1_enter(call, &err) || xpl_call_json(call, &patch, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_patch, NULL, call->body.length);
}

static enum xpl_status run_delete(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    struct xpl_resource resource;
    const bool *force = arg;
    enum xpl_status st = xpl_v1_find_subscription(db, call, &resource, err);

    if (st)
        return st;
    call->path_params[0] = resource.id;
    return xpl_resource_delete_now(db, call, &xpl_subscription_type, *force, err);
}

enum xpl_answered xpl_v1_subscriptions_delete(struct xpl_call *call)
{
    bool *force = XPL_NEW(call->arena, bool);
    struct xpl_error err = {0};

    if (!force)
        return xpl_reply_json(call, 503, NULL);
    if (xpl_v1_enter(call, &err) || xpl_query_bool(call, "force", false, force, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_delete, force, XPL_WRITE_UNBOUNDED);
}
