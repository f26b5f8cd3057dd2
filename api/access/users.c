/* SPDX-License-Identifier: Apache-2.0 */
/* Users of all data marts: for whoever runs the daemon, and for administrators of the default data mart. */
#include "api/access/users.h"

#include <string.h>

#include "api/configuration/json_patch.h"
#include "api/configuration/resource.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "lib/base/password.h"
#include "lib/base/time.h"

#define MIN_PASSWORD 8
#define MAX_PASSWORD 1024
#define MAX_NAME     64

static const char *const roles[] = {"viewer", "editor", "admin", NULL};

/* What a client says about a user; a name only when it is made. */
struct user_request {
    const char *name, *password, *role, *data_mart_id;
};

static enum xpl_status check_name(const char *name, struct xpl_error *err)
{
    static const char accepted[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@";

    if (*name && strlen(name) <= MAX_NAME && !name[strspn(name, accepted)])
        return XPL_OK;
    return xpl_fail_field(err, XPL_BAD_FIELD, "name", "must be 1 to %d letters, digits or any of - _ . @", MAX_NAME);
}

static enum xpl_status read_request(const json_t *json, struct user_request *ret, struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_STRING(struct user_request, name),
        XPL_JSON_STRING(struct user_request, password, .min = MIN_PASSWORD, .max = MAX_PASSWORD),
        XPL_JSON_STRING(struct user_request, role, .required = true, .choices = roles),
        XPL_JSON_STRING(struct user_request, data_mart_id),
    };
    static const char *const known[] = {"name", "password", "role", "data_mart_id", NULL};
    enum xpl_status st;

    ret->data_mart_id = XPL_DEFAULT_INSTANCE;
    if ((st = xpl_json_read(json, fields, XPL_COUNT(fields), ret, err)) || (st = xpl_json_known(json, "", known, err)))
        return st;
    if (!xpl_is_guid(ret->data_mart_id))
        return xpl_fail_field(err, XPL_BAD_FIELD, "data_mart_id", "must be a GUID, the id of the instance");
    return XPL_OK;
}

static enum xpl_status hash_password(struct xpl_arena *arena, const char *password, const char **ret_hash,
                                     struct xpl_error *err)
{
    char *hash = xpl_arena_alloc(arena, XPL_PASSWORD_HASH_SIZE);

    if (!hash || !xpl_password_hash(password, hash))
        return xpl_no_memory(err);
    *ret_hash = hash;
    return XPL_OK;
}

static const char *new_epoch(struct xpl_arena *arena)
{
    char epoch[XPL_UUID_SIZE];

    return xpl_arena_string(arena, xpl_uuid(epoch));
}

enum xpl_status xpl_user_make(struct xpl_arena *arena, const char *name, const char *password, const char *role,
                              const char *data_mart_id, const char *created_by, struct xpl_user *ret,
                              struct xpl_error *err)
{
    enum xpl_status st;

    *ret = (struct xpl_user){.created_at = xpl_now_us(), .created_by = created_by};
    if ((st = hash_password(arena, password, &ret->password_hash, err)))
        return st;
    ret->name = xpl_arena_string(arena, name);
    ret->role = xpl_arena_string(arena, role);
    ret->data_mart_id = xpl_lower(xpl_arena_string(arena, data_mart_id));
    ret->epoch = new_epoch(arena);
    return ret->name && ret->role && ret->data_mart_id && ret->epoch ? XPL_OK : xpl_no_memory(err);
}

/* ---- answers ---- */

static json_t *view(const struct xpl_user *user)
{
    char when[XPL_TIME_TEXT_SIZE];
    json_t *metadata =
        json_pack("{s:s, s:o, s:s, s:s}", "id", user->name, "url", json_sprintf("/v2/users/%s", user->name),
                  "created_at", xpl_time_format(user->created_at, when), "created_by", user->created_by);

    if (metadata && user->modified_at) {
        json_object_set_new(metadata, "modified_at", json_string(xpl_time_format(user->modified_at, when)));
        json_object_set_new(metadata, "modified_by", json_string(user->modified_by));
    }
    return json_pack("{s:o, s:{s:s, s:s, s:s}}", "metadata", metadata, "entity", "name", user->name, "role", user->role,
                     "data_mart_id", user->data_mart_id);
}

static enum xpl_status find(struct xpl_db *db, struct xpl_call *call, struct xpl_user *ret, struct xpl_error *err)
{
    enum xpl_status st = xpl_user_get(db, call->arena, call->path_params[0], ret, err);

    return st == XPL_NOT_FOUND ? xpl_resource_missing("user", call->path_params[0], err) : st;
}

enum xpl_answered xpl_users_list(struct xpl_call *call)
{
    XPL_AUTO_JSON list = json_array();
    struct xpl_error err = {0};
    struct xpl_user *users;
    size_t n;

    if (xpl_user_list(call->db, call->arena, &users, &n, &err))
        return xpl_reply_error(call, &err);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, view(&users[i]));
    return xpl_reply_json(call, 200, json_pack("{s:O}", "users", list));
}

enum xpl_answered xpl_users_get(struct xpl_call *call)
{
    struct xpl_error err = {0};
    struct xpl_user user;

    if (find(call->db, call, &user, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_json(call, 200, view(&user));
}

/* ---- making ---- */

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    const struct xpl_user *user = arg;
    enum xpl_status st = xpl_user_insert(db, user, err);

    if (st == XPL_CONFLICT) {
        xpl_error_clear(err);
        return xpl_fail_field(err, XPL_CONFLICT, "name", "there is a user %s already", user->name);
    }
    if (st)
        return st;
    xpl_reply_json(call, 202, view(user));
    return XPL_OK;
}

static enum xpl_status make(struct xpl_call *call, struct xpl_user *ret, struct xpl_error *err)
{
    struct user_request request = {0};
    XPL_AUTO_JSON body = NULL;
    enum xpl_status st;

    if ((st = xpl_call_json(call, &body, err)) || (st = read_request(body, &request, err)) ||
        (st = check_name(request.name ? request.name : "", err)))
        return st;
    if (!request.password)
        return xpl_fail_field(err, XPL_BAD_FIELD, "password", "is missing");
    return xpl_user_make(call->arena, request.name, request.password, request.role, request.data_mart_id, call->user,
                         ret, err);
}

enum xpl_answered xpl_users_add(struct xpl_call *call)
{
    struct xpl_user *user = XPL_NEW(call->arena, struct xpl_user);
    struct xpl_error err = {0};

    if (!user)
        return xpl_reply_json(call, 503, NULL);
    if (make(call, user, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_add, user, 512);
}

/* ---- changing and removing ---- */

/* Whether somebody is left who can manage users, after a change of one who could. */
static enum xpl_status check_admins(struct xpl_db *db, const struct xpl_user *before, struct xpl_error *err)
{
    enum xpl_status st;
    int64_t n;

    if (strcmp(before->role, "admin") != 0 || strcmp(before->data_mart_id, XPL_DEFAULT_INSTANCE) != 0)
        return XPL_OK;
    if ((st = xpl_user_count_admins(db, XPL_DEFAULT_INSTANCE, &n, err)))
        return st;
    return n ? XPL_OK : xpl_fail(err, XPL_CONFLICT, "this is the last administrator of the default data mart");
}

static enum xpl_status run_patch(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    const struct xpl_user *changed = arg;
    struct xpl_user user, before;
    enum xpl_status st = find(db, call, &before, err);

    if (st)
        return st;
    user = before;
    if (changed->role)
        user.role = changed->role;
    if (changed->data_mart_id)
        user.data_mart_id = changed->data_mart_id;
    if (changed->password_hash) {
        user.password_hash = changed->password_hash;
        user.epoch = changed->epoch;
    }
    user.modified_at = xpl_now_us();
    user.modified_by = call->user;
    if ((st = xpl_user_update(db, &user, err)) || (st = check_admins(db, &before, err)))
        return st;
    xpl_reply_json(call, 200, view(&user));
    return XPL_OK;
}

/* What a patch changes; the rest stays NULL, so that patches at the same time do not undo each other. */
static enum xpl_status patch(struct xpl_call *call, struct xpl_user *ret, struct xpl_error *err)
{
    static const char *const read_only[] = {"name", NULL}, *const no_secrets[] = {NULL};
    XPL_AUTO_JSON operations = NULL;
    XPL_AUTO_JSON entity = NULL;
    struct user_request request = {0};
    struct xpl_user user;
    enum xpl_status st;

    if ((st = xpl_call_json(call, &operations, err)) || (st = find(call->db, call, &user, err)))
        return st;
    entity = json_pack("{s:s, s:s}", "role", user.role, "data_mart_id", user.data_mart_id);
    if ((st = xpl_json_patch(&entity, operations, &(struct xpl_patch_rules){read_only, no_secrets}, err)) ||
        (st = read_request(entity, &request, err)))
        return st;
    if (strcmp(request.role, user.role) != 0)
        ret->role = xpl_arena_string(call->arena, request.role);
    if (strcmp(request.data_mart_id, user.data_mart_id) != 0)
        ret->data_mart_id = xpl_lower(xpl_arena_string(call->arena, request.data_mart_id));
    if (!(ret->epoch = new_epoch(call->arena)))
        return xpl_no_memory(err);
    return request.password ? hash_password(call->arena, request.password, &ret->password_hash, err) : XPL_OK;
}

enum xpl_answered xpl_users_patch(struct xpl_call *call)
{
    struct xpl_user *changed = XPL_NEW(call->arena, struct xpl_user);
    struct xpl_error err = {0};

    if (!changed)
        return xpl_reply_json(call, 503, NULL);
    if (patch(call, changed, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_patch, changed, 512);
}

static enum xpl_status run_delete(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    struct xpl_user user;
    enum xpl_status st;

    (void)arg;
    if ((st = find(db, call, &user, err)) || (st = xpl_user_delete(db, user.name, err)) ||
        (st = check_admins(db, &user, err)))
        return st;
    xpl_reply_json(call, 202, json_object());
    return XPL_OK;
}

enum xpl_answered xpl_users_delete(struct xpl_call *call)
{
    return xpl_reply_after_commit(call, run_delete, NULL, 256);
}
