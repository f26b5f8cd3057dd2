/* SPDX-License-Identifier: Apache-2.0 */
#include "api/configuration/resource.h"

#include <string.h>
#include <strings.h>

#include "api/configuration/json_patch.h"
#include "api/json_spec.h"
#include "api/json_text.h"
#include "lib/base/time.h"

enum xpl_status xpl_resource_missing(const char *singular, const char *id, struct xpl_error *err)
{
    xpl_error_clear(err);
    return xpl_fail(err, XPL_NOT_FOUND, "Resource of `%s` with given id `%.100s` could not be found", singular, id);
}

void xpl_set_active(json_t *entity)
{
    json_object_set_new(entity, "status", json_pack("{s:s}", "state", "active"));
}

enum xpl_status xpl_check_data_mart(const struct xpl_call *call, json_t *entity, struct xpl_error *err)
{
    const char *id = xpl_json_string_at(entity, "data_mart_id");

    if (strcasecmp(id, call->data_mart_id) == 0)
        return json_object_set_new(entity, "data_mart_id", json_string(call->data_mart_id)) ? xpl_no_memory(err)
                                                                                            : XPL_OK;
    return xpl_fail_field(err, XPL_BAD_FIELD, "data_mart_id", "there is no data mart %.100s here; the data mart is %s",
                          id, call->data_mart_id);
}

json_t *xpl_metadata_view(const struct xpl_call *call, const struct xpl_resource_type *type,
                          const struct xpl_resource *resource)
{
    char when[XPL_TIME_TEXT_SIZE];
    json_t *metadata;

    metadata = json_pack("{s:s, s:o, s:o, s:s, s:s}", "id", resource->id, "crn",
                         json_sprintf("crn:v1:bluemix:public:aiopenscale:us-south:a/na:%s:%s:%s", call->data_mart_id,
                                      type->singular, resource->id),
                         "url", json_sprintf("/v2/%s/%s", type->plural, resource->id), "created_at",
                         xpl_time_format(resource->created_at, when), "created_by", resource->created_by);
    if (metadata && resource->modified_at) {
        json_object_set_new(metadata, "modified_at", json_string(xpl_time_format(resource->modified_at, when)));
        json_object_set_new(metadata, "modified_by", json_string(resource->modified_by));
    }
    return metadata;
}

enum xpl_status xpl_resource_entity(const struct xpl_resource *resource, json_t **ret, struct xpl_error *err)
{
    json_error_t error;

    *ret = json_loads(resource->entity, 0, &error);
    return *ret ? XPL_OK : xpl_fail(err, XPL_STORAGE_FAILED, "the stored resource %s is not JSON", resource->id);
}

json_t *xpl_resource_view(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource_type *type,
                          const struct xpl_resource *resource, struct xpl_error *err)
{
    XPL_AUTO_JSON entity = NULL;

    if (xpl_resource_entity(resource, &entity, err) ||
        (type->decorate && type->decorate(db, call, resource, entity, err)))
        return NULL;
    if (type->secrets)
        xpl_secrets_hide(type->secrets, entity);
    return json_pack("{s:o, s:O}", "metadata", xpl_metadata_view(call, type, resource), "entity", entity);
}

static void take_columns(struct xpl_call *call, const struct xpl_resource_type *type, const json_t *entity,
                         struct xpl_resource *resource)
{
    for (size_t i = 0; i < XPL_RESOURCE_MAX_COLUMNS && type->filters[i]; i++)
        resource->columns[i] = xpl_arena_string(call->arena, xpl_json_string_at(entity, type->filters[i]));
}

static enum xpl_status seal(struct xpl_call *call, const struct xpl_resource_type *type, const char *id, json_t *entity,
                            struct xpl_error *err)
{
    if (!type->secrets)
        return XPL_OK;
    return xpl_secrets_seal(call->app, call->arena, type->secrets, type->kind->table, id, entity, err);
}

static enum xpl_status unseal(const struct xpl_app *app, struct xpl_arena *arena, const struct xpl_resource_type *type,
                              const char *id, json_t *entity, struct xpl_error *err)
{
    if (!type->secrets)
        return XPL_OK;
    return xpl_secrets_unseal(app, arena, type->secrets, type->kind->table, id, entity, err);
}

enum xpl_status xpl_resource_load(const struct xpl_app *app, struct xpl_db *db, struct xpl_arena *arena,
                                  const struct xpl_resource_type *type, const char *data_mart_id, const char *id,
                                  json_t **ret_entity, struct xpl_error *err)
{
    XPL_AUTO_JSON entity = NULL;
    struct xpl_resource resource;
    enum xpl_status st;

    st = xpl_resource_get(db, arena, type->kind, data_mart_id, id, &resource, err);
    if (st == XPL_NOT_FOUND)
        return xpl_resource_missing(type->singular, id, err);
    if (st || (st = xpl_resource_entity(&resource, &entity, err)) || (st = unseal(app, arena, type, id, entity, err)))
        return st;
    *ret_entity = json_incref(entity);
    return XPL_OK;
}

enum xpl_status xpl_resource_make(struct xpl_call *call, const struct xpl_resource_type *type, const char *id,
                                  json_t *entity, struct xpl_resource *ret, struct xpl_error *err)
{
    char fresh[XPL_UUID_SIZE];
    enum xpl_status st;

    if (type->complete)
        type->complete(entity);
    *ret = (struct xpl_resource){.data_mart_id = call->data_mart_id, .created_by = call->user};
    ret->id = xpl_arena_string(call->arena, id ? id : xpl_uuid(fresh));
    if (!ret->id)
        return xpl_no_memory(err);
    if ((st = seal(call, type, ret->id, entity, err)))
        return st;
    ret->entity = xpl_json_text(call->arena, entity);
    ret->created_at = xpl_now_us();
    take_columns(call, type, entity, ret);
    return ret->entity ? XPL_OK : xpl_no_memory(err);
}

enum xpl_status xpl_resource_insert_and_reply(struct xpl_db *db, struct xpl_call *call,
                                              const struct xpl_resource_type *type, const struct xpl_resource *resource,
                                              struct xpl_error *err)
{
    enum xpl_status st = xpl_resource_insert(db, type->kind, resource, err);
    json_t *view;

    if (st)
        return st;
    if (!(view = xpl_resource_view(db, call, type, resource, err)))
        return err->status ? err->status : xpl_no_memory(err);
    xpl_reply_json(call, 202, view);
    return XPL_OK;
}

static bool in_values(const char *values, const char *value)
{
    while (values && value) {
        size_t length = strcspn(values, ",");

        if (xpl_text_equal((struct xpl_text){values, length}, value))
            return true;
        values = values[length] ? values + length + 1 : NULL;
    }
    return false;
}

/* Whether an entity passes the filters that have no column. */
static bool passes(const struct xpl_call *call, const struct xpl_resource_type *type, const json_t *view)
{
    const json_t *entity = json_object_get(view, "entity");

    for (const char *const *filter = type->more_filters; filter && *filter; filter++) {
        const char *values = xpl_call_query(call, *filter);

        if (values && *values && !in_values(values, xpl_json_string_at(entity, *filter)))
            return false;
    }
    return true;
}

static enum xpl_status append_view(struct xpl_call *call, const struct xpl_resource_type *type,
                                   const struct xpl_resource *resource, json_t *list, struct xpl_error *err)
{
    json_t *view = xpl_resource_view(call->db, call, type, resource, err);

    if (!view)
        return err->status ? err->status : xpl_no_memory(err);
    if (!passes(call, type, view)) {
        json_decref(view);
        return XPL_OK;
    }
    return json_array_append_new(list, view) ? xpl_no_memory(err) : XPL_OK;
}

/* Whether the filter data_mart_id, when there is one, names the caller's own data mart. */
static bool own_data_mart_asked(const struct xpl_call *call)
{
    const char *asked = xpl_call_query(call, "data_mart_id");

    return !asked || !*asked || in_values(xpl_lower(xpl_arena_string(call->arena, asked)), call->data_mart_id);
}

enum xpl_answered xpl_resource_add_reply(struct xpl_call *call, const struct xpl_resource_type *type)
{
    struct xpl_resource *resource = XPL_NEW(call->arena, struct xpl_resource);
    XPL_AUTO_JSON entity = NULL;
    struct xpl_error err = {0};

    if (!resource)
        return xpl_reply_json(call, 503, NULL);
    if (xpl_call_json(call, &entity, &err) || type->check(entity, &err) ||
        (type->names_data_mart && xpl_check_data_mart(call, entity, &err)))
        return xpl_reply_error(call, &err);
    if (type->has_status)
        xpl_set_active(entity);
    if (xpl_resource_make(call, type, NULL, entity, resource, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, type->adding, resource, call->body.length);
}

enum xpl_answered xpl_resource_list_reply(struct xpl_call *call, const struct xpl_resource_type *type)
{
    struct xpl_resource_filter filter = {0};
    XPL_AUTO_JSON list = json_array();
    struct xpl_resource *rows;
    struct xpl_error err = {0};
    size_t n;

    if (!own_data_mart_asked(call))
        return xpl_reply_json(call, 200, json_pack("{s:[]}", type->plural));
    for (size_t i = 0; i < XPL_RESOURCE_MAX_COLUMNS && type->filters[i]; i++) {
        filter.values[i] = xpl_call_query(call, type->filters[i]);
        if (filter.values[i] && !*filter.values[i])
            filter.values[i] = NULL;
    }
    if (xpl_resource_list(call->db, call->arena, type->kind, call->data_mart_id, &filter, &rows, &n, &err))
        return xpl_reply_error(call, &err);
    for (size_t i = 0; i < n; i++)
        if (append_view(call, type, &rows[i], list, &err))
            return xpl_reply_error(call, &err);
    return xpl_reply_json(call, 200, json_pack("{s:O}", type->plural, list));
}

static enum xpl_status get(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource_type *type,
                           struct xpl_resource *ret, struct xpl_error *err)
{
    enum xpl_status st =
        xpl_resource_get(db, call->arena, type->kind, call->data_mart_id, call->path_params[0], ret, err);

    return st == XPL_NOT_FOUND ? xpl_resource_missing(type->singular, call->path_params[0], err) : st;
}

enum xpl_answered xpl_resource_get_reply(struct xpl_call *call, const struct xpl_resource_type *type)
{
    struct xpl_resource resource;
    struct xpl_error err = {0};
    json_t *view;

    if (get(call->db, call, type, &resource, &err) ||
        (!(view = xpl_resource_view(call->db, call, type, &resource, &err)) && err.status))
        return xpl_reply_error(call, &err);
    return xpl_reply_json(call, 200, view);
}

/* ---- patch ---- */

struct patching {
    const struct xpl_resource_type *type;
};

static enum xpl_status patch_entity(struct xpl_call *call, const struct xpl_resource_type *type,
                                    struct xpl_resource *resource, json_t **entity, struct xpl_error *err)
{
    static const char *const no_secrets[] = {NULL};
    const struct xpl_patch_rules rules = {type->read_only, type->secrets ? type->secrets->pointers : no_secrets};
    XPL_AUTO_JSON patch = NULL;
    XPL_AUTO_JSON before = NULL;
    enum xpl_status st;

    if ((st = xpl_call_json(call, &patch, err)) || (st = xpl_resource_entity(resource, entity, err)) ||
        (st = unseal(call->app, call->arena, type, resource->id, *entity, err)))
        return st;
    if (!(before = json_deep_copy(*entity)))
        return xpl_no_memory(err);
    if ((st = xpl_json_patch(entity, patch, &rules, err)) || (st = type->check(*entity, err)) ||
        (type->secrets && (st = xpl_secrets_check_moved(type->secrets, before, *entity, patch, err))))
        return st;
    if (type->complete)
        type->complete(*entity);
    return seal(call, type, resource->id, *entity, err);
}

enum xpl_status xpl_resource_patch_now(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource_type *type,
                                       struct xpl_error *err)
{
    XPL_AUTO_JSON entity = NULL;
    struct xpl_resource resource;
    enum xpl_status st;
    json_t *view;

    if ((st = get(db, call, type, &resource, err)) || (st = patch_entity(call, type, &resource, &entity, err)))
        return st;
    if (!(resource.entity = xpl_json_text(call->arena, entity)))
        return xpl_no_memory(err);
    take_columns(call, type, entity, &resource);
    resource.modified_at = xpl_now_us();
    resource.modified_by = call->user;
    if ((st = xpl_resource_update(db, type->kind, &resource, err)))
        return st;
    if (!(view = xpl_resource_view(db, call, type, &resource, err)))
        return err->status ? err->status : xpl_no_memory(err);
    xpl_reply_json(call, 200, view);
    return XPL_OK;
}

static enum xpl_status run_patch(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    const struct patching *patching = arg;

    return xpl_resource_patch_now(db, call, patching->type, err);
}

enum xpl_answered xpl_resource_patch_reply(struct xpl_call *call, const struct xpl_resource_type *type)
{
    struct patching *patching = XPL_NEW(call->arena, struct patching);
    XPL_AUTO_JSON patch = NULL;
    struct xpl_error err = {0};

    if (!patching)
        return xpl_reply_json(call, 503, NULL);
    if (xpl_call_json(call, &patch, &err))
        return xpl_reply_error(call, &err);
    *patching = (struct patching){.type = type};
    return xpl_reply_after_commit(call, run_patch, patching, call->body.length);
}

/* ---- delete ---- */

struct removal {
    const struct xpl_resource_type *type;
    bool force;
};

enum xpl_status xpl_resource_delete_now(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource_type *type,
                                        bool force, struct xpl_error *err)
{
    struct xpl_resource resource;
    enum xpl_status st;

    if ((st = get(db, call, type, &resource, err)))
        return st;
    if (type->removing && (st = type->removing(db, call, resource.id, force, err)))
        return st;
    if ((st = xpl_resource_delete(db, type->kind, call->data_mart_id, resource.id, err)))
        return st;
    xpl_reply_json(call, 202, json_object());
    return XPL_OK;
}

static enum xpl_status run_delete(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    const struct removal *removal = arg;

    return xpl_resource_delete_now(db, call, removal->type, removal->force, err);
}

enum xpl_answered xpl_resource_delete_reply(struct xpl_call *call, const struct xpl_resource_type *type)
{
    struct removal *removal = XPL_NEW(call->arena, struct removal);
    struct xpl_error err = {0};

    if (!removal)
        return xpl_reply_json(call, 503, NULL);
    removal->type = type;
    if (xpl_query_bool(call, "force", false, &removal->force, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_delete, removal, XPL_WRITE_UNBOUNDED);
}
