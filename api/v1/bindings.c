/* SPDX-License-Identifier: Apache-2.0 */
/* Service bindings: the service providers of v2, with ids that clients choose. */
#include <string.h>

#include "api/configuration/service_providers.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/v1/v1.h"
#include "lib/base/time.h"

static json_t *view_of(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource *resource,
                       struct xpl_error *err)
{
    XPL_AUTO_JSON v2 = xpl_resource_view(db, call, &xpl_service_provider_type, resource, err);

    if (!v2)
        return NULL;
    return json_pack("{s:o, s:O}", "metadata",
                     xpl_v1_metadata(resource, xpl_v1_url(call, "/service_bindings/%s", resource->id)), "entity",
                     json_object_get(v2, "entity"));
}

static enum xpl_answered reply_view(struct xpl_db *db, struct xpl_call *call, unsigned status,
                                    const struct xpl_resource *resource)
{
    struct xpl_error err = {0};
    json_t *view = view_of(db, call, resource, &err);

    return err.status ? xpl_reply_error(call, &err) : xpl_reply_json(call, status, view);
}

enum xpl_answered xpl_v1_bindings_list(struct xpl_call *call)
{
    struct xpl_resource_filter all = {0};
    XPL_AUTO_JSON list = json_array();
    struct xpl_resource *rows;
    struct xpl_error err = {0};
    size_t n;

    if (xpl_v1_enter(call, &err) ||
        xpl_resource_list(call->db, call->arena, &xpl_kind_service_provider, call->data_mart_id, &all, &rows, &n, &err))
        return xpl_reply_error(call, &err);
    for (size_t i = 0; i < n && !err.status; i++)
        json_array_append_new(list, view_of(call->db, call, &rows[i], &err));
    if (err.status)
        return xpl_reply_error(call, &err);
    return xpl_reply_json(call, 200, json_pack("{s:O}", "service_bindings", list));
}

enum xpl_answered xpl_v1_bindings_get(struct xpl_call *call)
{
    struct xpl_resource resource;
    struct xpl_error err = {0};

    if (xpl_v1_enter(call, &err) ||
        xpl_v1_find(call->db, call, &xpl_service_provider_type, call->path_params[0], &resource, &err))
        return xpl_reply_error(call, &err);
    return reply_view(call->db, call, 200, &resource);
}

/* ---- making one ---- */

/* The body as an entity of v2: what v1 leaves out is not asked for. */
static enum xpl_status read_entity(struct xpl_call *call, json_t **ret, struct xpl_error *err)
{
    XPL_AUTO_JSON body = NULL;
    enum xpl_status st = xpl_call_json(call, &body, err);

    if (st)
        return st;
    if (!json_is_object(body))
        return xpl_fail(err, XPL_BAD_FIELD, "the body must be an object");
    if (json_is_null(json_object_get(body, "credentials")))
        json_object_del(body, "credentials");
    if (!json_object_get(body, "credentials"))
        json_object_set_new(body, "credentials", json_object());
    if (json_is_null(json_object_get(body, "name")))
        json_object_del(body, "name");
    if (!json_object_get(body, "name"))
        json_object_set_new(body, "name", json_string("service binding"));
    if (json_is_null(json_object_get(body, "request_headers")))
        json_object_del(body, "request_headers");
    if ((st = xpl_service_provider_type.check(body, err)))
        return st;
    xpl_set_active(body);
    *ret = json_incref(body);
    return XPL_OK;
}

struct making {
    struct xpl_resource resource;
    bool replace;
};

static enum xpl_status run_make(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    struct making *making = arg;
    struct xpl_resource before, *resource = &making->resource;
    struct xpl_error missing = {0};
    enum xpl_status st = xpl_resource_get(db, call->arena, &xpl_kind_service_provider, call->data_mart_id, resource->id,
                                          &before, &missing);
    bool there = st == XPL_OK;

    if (st && st != XPL_NOT_FOUND)
        return xpl_fail(err, st, "%s", missing.message);
    if (there && !making->replace)
        return xpl_fail(err, XPL_CONFLICT, "the service binding %.100s is already defined", resource->id);
    if (there) {
        resource->modified_at = xpl_now_us();
        resource->modified_by = call->user;
        resource->created_at = before.created_at;
        st = xpl_resource_update(db, &xpl_kind_service_provider, resource, err);
    } else
        st = xpl_resource_insert(db, &xpl_kind_service_provider, resource, err);
    if (st)
        return st;
    reply_view(db, call, there ? 200 : 201, resource);
    return XPL_OK;
}

static enum xpl_answered make(struct xpl_call *call, const char *id, bool replace)
{
    struct making *making = XPL_NEW(call->arena, struct making);
    XPL_AUTO_JSON entity = NULL;
    struct xpl_error err = {0};

    if (!making)
        return xpl_reply_json(call, 503, NULL);
    if (read_entity(call, &entity, &err))
        return xpl_reply_error(call, &err);
    if (!id)
        id = xpl_json_string_at(entity, "instance_id"); /* v1 clients look a binding up by it */
    making->replace = replace;
    if (xpl_resource_make(call, &xpl_service_provider_type, id, entity, &making->resource, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_make, making, call->body.length);
}

enum xpl_answered xpl_v1_bindings_add(struct xpl_call *call)
{
    struct xpl_error err = {0};

    return xpl_v1_enter(call, &err) ? xpl_reply_error(call, &err) : make(call, NULL, false);
}

enum xpl_answered xpl_v1_bindings_put(struct xpl_call *call)
{
    struct xpl_error err = {0};

    return xpl_v1_enter(call, &err) ? xpl_reply_error(call, &err) : make(call, call->path_params[0], true);
}

enum xpl_answered xpl_v1_bindings_delete(struct xpl_call *call)
{
    struct xpl_error err = {0};

    return xpl_v1_enter(call, &err) ? xpl_reply_error(call, &err)
                                    : xpl_resource_delete_reply(call, &xpl_service_provider_type);
}
