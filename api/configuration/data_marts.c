/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A data mart is a tenant: its id is the instance in the path, and it exists from the first start. What a client may
 * store is its name and the like; the database itself is the daemon's own.
 */
#include <string.h>
#include <strings.h>

#include "api/configuration/data_marts.h"
#include "api/configuration/resource.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "db/idempotency.h"
#include "db/subscriptions.h"

static const char *const read_only[] = {"status", "internal_database", "database_configuration", "service_instance_crn",
                                        NULL};

struct data_mart_request {
    const char *name, *description;
    bool internal_database;
    json_t *database_configuration;
};

static enum xpl_status check(const json_t *entity, struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_STRING(struct data_mart_request, name),
        XPL_JSON_STRING(struct data_mart_request, description),
        XPL_JSON_BOOL(struct data_mart_request, internal_database),
        XPL_JSON_OBJECT_FIELD(struct data_mart_request, database_configuration),
    };
    struct data_mart_request request;

    return xpl_json_read(entity, fields, XPL_COUNT(fields), &request, err);
}

static enum xpl_status removing(struct xpl_db *db, struct xpl_call *call, const char *id, bool force,
                                struct xpl_error *err);

const struct xpl_resource_type xpl_data_mart_type = {
    .kind = &xpl_kind_data_mart,
    .singular = "data_mart",
    .plural = "data_marts",
    .read_only = read_only,
    .check = check,
    .removing = removing,
};

static json_t *default_entity(const struct xpl_call *call)
{
    return json_pack("{s:s, s:s, s:b, s:o, s:{s:s}}", "name", "explaind", "description", "the built-in data mart",
                     "internal_database", 1, "service_instance_crn",
                     json_sprintf("crn:v1:bluemix:public:aiopenscale:us-south:a/na:%s::", call->data_mart_id), "status",
                     "state", "active");
}

static enum xpl_status insert(struct xpl_db *db, struct xpl_call *call, json_t *entity, struct xpl_error *err)
{
    struct xpl_resource resource;
    enum xpl_status st;

    if (!entity)
        return xpl_no_memory(err);
    st = xpl_resource_make(call, &xpl_data_mart_type, call->data_mart_id, entity, &resource, err);
    return st ? st : xpl_resource_insert(db, xpl_data_mart_type.kind, &resource, err);
}

enum xpl_status xpl_data_mart_look(struct xpl_db *db, struct xpl_call *call, enum xpl_presence *ret,
                                   struct xpl_error *err)
{
    struct xpl_error missing = {0};
    struct xpl_resource resource;
    XPL_AUTO_JSON entity = NULL;
    const char *state;
    enum xpl_status st;

    *ret = XPL_NEVER_SEEN;
    st = xpl_resource_get(db, call->arena, xpl_data_mart_type.kind, call->data_mart_id, call->data_mart_id, &resource,
                          &missing);
    if (st)
        return st == XPL_NOT_FOUND ? XPL_OK : xpl_fail(err, st, "%s", missing.message);
    if ((st = xpl_resource_entity(&resource, &entity, err)))
        return st;
    state = xpl_json_string_at(entity, "status.state");
    *ret = state && strcmp(state, "deleted") == 0 ? XPL_DELETED : XPL_PRESENT;
    return XPL_OK;
}

enum xpl_status xpl_data_mart_ensure(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    XPL_AUTO_JSON entity = NULL;
    enum xpl_presence presence;
    enum xpl_status st = xpl_data_mart_look(db, call, &presence, err);

    (void)arg;
    if (st || presence == XPL_PRESENT)
        return st;
    if (presence == XPL_DELETED)
        return xpl_resource_missing(xpl_data_mart_type.singular, call->data_mart_id, err);
    entity = default_entity(call);
    return insert(db, call, entity, err);
}

static enum xpl_status remove_all(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource_kind *kind,
                                  const char *data_mart_id, struct xpl_error *err)
{
    struct xpl_resource_filter all = {0};
    struct xpl_resource *rows;
    size_t n;
    enum xpl_status st = xpl_resource_list(db, call->arena, kind, data_mart_id, &all, &rows, &n, err);

    for (size_t i = 0; !st && i < n; i++)
        st = xpl_resource_delete(db, kind, data_mart_id, rows[i].id, err);
    return st;
}

static enum xpl_status removing(struct xpl_db *db, struct xpl_call *call, const char *id, bool force,
                                struct xpl_error *err)
{
    /* what does not hang on a subscription */
    static const struct xpl_resource_kind *const rest[] = {&xpl_kind_service_provider, &xpl_kind_data_set,
                                                           &xpl_kind_monitor_instance};
    struct xpl_resource_filter all = {0};
    struct xpl_resource *subscriptions, *providers;
    size_t n_subscriptions, n_providers;
    enum xpl_status st;

    if ((st = xpl_resource_list(db, call->arena, &xpl_kind_subscription, id, &all, &subscriptions, &n_subscriptions,
                                err)) ||
        (st = xpl_resource_list(db, call->arena, &xpl_kind_service_provider, id, &all, &providers, &n_providers, err)))
        return st;
    if (!force && n_subscriptions + n_providers > 0)
        return xpl_fail(err, XPL_CONFLICT,
                        "the data mart has %zu service providers and %zu subscriptions; force=true deletes them too",
                        n_providers, n_subscriptions);
    for (size_t i = 0; i < n_subscriptions; i++)
        if ((st = xpl_remove_subscription(db, call, subscriptions[i].id, err)))
            return st;
    for (size_t i = 0; i < XPL_COUNT(rest); i++)
        if ((st = remove_all(db, call, rest[i], id, err)))
            return st;
    return xpl_keyed_answers_delete(db, id, err);
}

static bool is_own(struct xpl_call *call)
{
    if (strcasecmp(call->path_params[0], call->data_mart_id) != 0)
        return false;
    call->path_params[0] = call->data_mart_id;
    return true;
}

static enum xpl_answered missing(struct xpl_call *call)
{
    struct xpl_error err = {0};

    xpl_resource_missing(xpl_data_mart_type.singular, call->path_params[0], &err);
    return xpl_reply_error(call, &err);
}

/* The first look at a tenant makes its row; the answer is then that of any other look. */
static enum xpl_status ensure_and_list(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    enum xpl_status st = xpl_data_mart_ensure(db, call, arg, err);

    if (st)
        return st;
    call->db = db;
    xpl_resource_list_reply(call, &xpl_data_mart_type);
    return XPL_OK;
}

static enum xpl_status ensure_and_get(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    enum xpl_status st = xpl_data_mart_ensure(db, call, arg, err);

    if (st)
        return st;
    call->db = db;
    xpl_resource_get_reply(call, &xpl_data_mart_type);
    return XPL_OK;
}

enum xpl_answered xpl_data_marts_list(struct xpl_call *call)
{
    enum xpl_presence presence;
    struct xpl_error err = {0};

    if (xpl_data_mart_look(call->db, call, &presence, &err))
        return xpl_reply_error(call, &err);
    if (presence == XPL_NEVER_SEEN)
        return xpl_reply_after_commit(call, ensure_and_list, NULL, 512);
    if (presence == XPL_DELETED)
        return xpl_reply_json(call, 200, json_pack("{s:[]}", xpl_data_mart_type.plural));
    return xpl_resource_list_reply(call, &xpl_data_mart_type);
}

enum xpl_answered xpl_data_marts_get(struct xpl_call *call)
{
    enum xpl_presence presence;
    struct xpl_error err = {0};

    if (!is_own(call))
        return missing(call);
    if (xpl_data_mart_look(call->db, call, &presence, &err))
        return xpl_reply_error(call, &err);
    if (presence != XPL_PRESENT)
        return xpl_reply_after_commit(call, ensure_and_get, NULL, 512);
    return xpl_resource_get_reply(call, &xpl_data_mart_type);
}

static void take_member(json_t *entity, const json_t *body, const char *name)
{
    json_t *value = json_object_get(body, name);

    if (json_is_string(value))
        json_object_set(entity, name, value);
}

enum xpl_status xpl_data_mart_make(struct xpl_db *db, struct xpl_call *call, const json_t *body,
                                   enum xpl_presence presence, struct xpl_error *err)
{
    XPL_AUTO_JSON entity = default_entity(call);
    enum xpl_status st = XPL_OK;

    take_member(entity, body, "name");
    take_member(entity, body, "description");
    if (presence != XPL_NEVER_SEEN)
        st = xpl_resource_delete(db, xpl_data_mart_type.kind, call->data_mart_id, call->data_mart_id, err);
    return st ? st : insert(db, call, entity, err);
}

/* Only one that was deleted can be made. */
static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    XPL_AUTO_JSON entity = default_entity(call);
    XPL_AUTO_JSON body = NULL;
    struct xpl_resource resource;
    enum xpl_presence presence;
    enum xpl_status st;

    (void)arg;
    if ((st = xpl_data_mart_look(db, call, &presence, err)))
        return st;
    if (presence != XPL_DELETED)
        return xpl_fail(err, XPL_DATA_MART_EXISTS, "Data Mart with this id is already defined");
    if ((st = xpl_call_json(call, &body, err)))
        return st;
    take_member(entity, body, "name");
    take_member(entity, body, "description");
    if ((st = xpl_resource_make(call, &xpl_data_mart_type, call->data_mart_id, entity, &resource, err)) ||
        (st = xpl_resource_delete(db, xpl_data_mart_type.kind, call->data_mart_id, call->data_mart_id, err)))
        return st;
    return xpl_resource_insert_and_reply(db, call, &xpl_data_mart_type, &resource, err);
}

enum xpl_answered xpl_data_marts_add(struct xpl_call *call)
{
    XPL_AUTO_JSON body = NULL;
    struct xpl_error err = {0};

    if (xpl_call_json(call, &body, &err) || check(body, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_add, NULL, call->body.length);
}

static enum xpl_status ensure_and_patch(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    enum xpl_status st = xpl_data_mart_ensure(db, call, arg, err);

    return st ? st : xpl_resource_patch_now(db, call, &xpl_data_mart_type, err);
}

enum xpl_answered xpl_data_marts_patch(struct xpl_call *call)
{
    XPL_AUTO_JSON patch = NULL;
    struct xpl_error err = {0};

    if (!is_own(call))
        return missing(call);
    if (xpl_call_json(call, &patch, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, ensure_and_patch, NULL, call->body.length);
}

static enum xpl_status ensure_and_delete(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    XPL_AUTO_JSON deleted = json_pack("{s:{s:s}}", "status", "state", "deleted");
    const bool *force = arg;
    enum xpl_status st = xpl_data_mart_ensure(db, call, NULL, err);

    if (st || (st = xpl_resource_delete_now(db, call, &xpl_data_mart_type, *force, err)))
        return st;
    return insert(db, call, deleted, err);
}

enum xpl_answered xpl_data_marts_delete(struct xpl_call *call)
{
    bool *force = XPL_NEW(call->arena, bool);
    struct xpl_error err = {0};

    if (!is_own(call))
        return missing(call);
    if (!force)
        return xpl_reply_json(call, 503, NULL);
    if (xpl_query_bool(call, "force", false, force, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, ensure_and_delete, force, XPL_WRITE_UNBOUNDED);
}
