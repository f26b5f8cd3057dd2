/* SPDX-License-Identifier: Apache-2.0 */
/* What users log in with beside passwords: their API keys, and ending tokens before their time. */
#include <string.h>

#include "api/access/auth.h"
#include "api/access/tokens.h"
#include "api/configuration/resource.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "lib/base/time.h"

#define MAX_DESCRIPTION 256

/* ---- API keys ---- */

static json_t *key_view(const struct xpl_api_key *key)
{
    char when[XPL_TIME_TEXT_SIZE];

    return json_pack("{s:{s:s, s:o, s:s, s:s}, s:{s:s, s:s*}}", "metadata", "id", key->id, "url",
                     json_sprintf("/v2/users/%s/api_keys/%s", key->user_name, key->id), "created_at",
                     xpl_time_format(key->created_at, when), "created_by", key->created_by, "entity", "user_name",
                     key->user_name, "description", key->description);
}

static enum xpl_status check_user(struct xpl_db *db, struct xpl_call *call, struct xpl_error *err)
{
    struct xpl_user user;
    enum xpl_status st = xpl_user_get(db, call->arena, call->path_params[0], &user, err);

    return st == XPL_NOT_FOUND ? xpl_resource_missing("user", call->path_params[0], err) : st;
}

enum xpl_answered xpl_api_keys_list(struct xpl_call *call)
{
    XPL_AUTO_JSON list = json_array();
    struct xpl_error err = {0};
    struct xpl_api_key *keys;
    size_t n;

    if (check_user(call->db, call, &err) ||
        xpl_api_key_list(call->db, call->arena, call->path_params[0], &keys, &n, &err))
        return xpl_reply_error(call, &err);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, key_view(&keys[i]));
    return xpl_reply_json(call, 200, json_pack("{s:O}", "api_keys", list));
}

struct new_key {
    const char *description, *text;
    struct xpl_api_key row;
    uint8_t hash[XPL_HASH_BYTES];
};

static enum xpl_status run_add_key(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    const struct new_key *key = arg;
    enum xpl_status st;
    json_t *view;

    if ((st = check_user(db, call, err)) || (st = xpl_api_key_insert(db, &key->row, err)))
        return st;
    view = key_view(&key->row);
    json_object_set_new(json_object_get(view, "entity"), "api_key", json_string(key->text));
    xpl_reply_json(call, 202, view);
    return XPL_OK;
}

static enum xpl_status make_key(struct xpl_call *call, struct new_key *ret, struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_STRING(struct new_key, description, .max = MAX_DESCRIPTION),
    };
    XPL_AUTO_JSON body = NULL;
    char id[XPL_UUID_SIZE];
    enum xpl_status st;

    if ((st = xpl_call_json(call, &body, err)) || (st = xpl_json_read(body, fields, XPL_COUNT(fields), ret, err)))
        return st;
    if (!(ret->text = xpl_api_key_make(call->arena)))
        return xpl_no_memory(err);
    xpl_api_key_hash(ret->text, ret->hash);
    ret->row = (struct xpl_api_key){.id = xpl_arena_string(call->arena, xpl_uuid(id)),
                                    .user_name = call->path_params[0],
                                    .description = xpl_arena_string(call->arena, ret->description),
                                    .hash = {ret->hash, sizeof ret->hash},
                                    .created_at = xpl_now_us(),
                                    .created_by = call->user};
    return ret->row.id ? XPL_OK : xpl_no_memory(err);
}

enum xpl_answered xpl_api_keys_add(struct xpl_call *call)
{
    struct new_key *key = XPL_NEW(call->arena, struct new_key);
    struct xpl_error err = {0};

    if (!key)
        return xpl_reply_json(call, 503, NULL);
    if (make_key(call, key, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_add_key, key, 512);
}

static enum xpl_status run_delete_key(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    enum xpl_status st = xpl_api_key_delete(db, call->path_params[0], call->path_params[1], err);

    (void)arg;
    if (st)
        return st == XPL_NOT_FOUND ? xpl_resource_missing("api_key", call->path_params[1], err) : st;
    xpl_reply_json(call, 202, json_object());
    return XPL_OK;
}

enum xpl_answered xpl_api_keys_delete(struct xpl_call *call)
{
    return xpl_reply_after_commit(call, run_delete_key, NULL, 256);
}

/* ---- revoked tokens ---- */

enum xpl_answered xpl_revoked_tokens_list(struct xpl_call *call)
{
    XPL_AUTO_JSON list = json_array();
    struct xpl_error err = {0};
    struct xpl_revoked_token *tokens;
    char created[XPL_TIME_TEXT_SIZE], expires[XPL_TIME_TEXT_SIZE];
    size_t n;

    if (xpl_token_list_revoked(call->db, call->arena, &tokens, &n, &err))
        return xpl_reply_error(call, &err);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "id", tokens[i].id, "expires_at",
                                              xpl_time_format(tokens[i].expires_at, expires), "created_at",
                                              xpl_time_format(tokens[i].created_at, created), "created_by",
                                              tokens[i].created_by));
    return xpl_reply_json(call, 200, json_pack("{s:O}", "revoked_tokens", list));
}

/* One of the three says what is revoked. */
struct revocation {
    const char *id, *token, *user_name;
    int64_t expires_at_s;
};

/* All tokens of a user end with a new epoch. */
static enum xpl_status end_epoch(struct xpl_db *db, struct xpl_call *call, const char *name, struct xpl_error *err)
{
    struct xpl_user user;
    char epoch[XPL_UUID_SIZE];
    enum xpl_status st = xpl_user_get(db, call->arena, name, &user, err);

    if (st)
        return st == XPL_NOT_FOUND ? xpl_resource_missing("user", name, err) : st;
    user.epoch = xpl_uuid(epoch);
    user.modified_at = xpl_now_us();
    user.modified_by = call->user;
    return xpl_user_update(db, &user, err);
}

static enum xpl_status run_revoke(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    const struct revocation *revocation = arg;
    const struct xpl_revoked_token token = {.id = revocation->id,
                                            .expires_at = revocation->expires_at_s * 1000000,
                                            .created_at = xpl_now_us(),
                                            .created_by = call->user};
    enum xpl_status st =
        revocation->user_name ? end_epoch(db, call, revocation->user_name, err) : xpl_token_revoke(db, &token, err);

    if (st)
        return st;
    xpl_reply_json(call, 202, json_pack("{s:s*, s:s*}", "id", revocation->id, "user_name", revocation->user_name));
    return XPL_OK;
}

static enum xpl_status read_revocation(struct xpl_call *call, struct revocation *ret, struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_STRING(struct revocation, id, .min = 1, .max = 64),
        XPL_JSON_STRING(struct revocation, token),
        XPL_JSON_STRING(struct revocation, user_name, .min = 1, .max = 64),
    };
    int64_t now_s = xpl_now_us() / 1000000;
    struct revocation request = {0};
    XPL_AUTO_JSON body = NULL;
    struct xpl_token token;
    enum xpl_status st;

    if ((st = xpl_call_json(call, &body, err)) || (st = xpl_json_read(body, fields, XPL_COUNT(fields), &request, err)))
        return st;
    if (!!request.id + !!request.token + !!request.user_name != 1)
        return xpl_fail(err, XPL_BAD_FIELD, "one of id, token and user_name is needed");
    ret->id = xpl_arena_string(call->arena, request.id);
    ret->user_name = xpl_arena_string(call->arena, request.user_name);
    ret->expires_at_s = now_s + XPL_TOKEN_SECONDS;
    if (!request.token)
        return ret->id || ret->user_name ? XPL_OK : xpl_no_memory(err);
    if (xpl_token_read(call->app, call->arena, request.token, now_s, &token, NULL))
        return xpl_fail_field(err, XPL_BAD_FIELD, "token", "is not a token of this daemon, or has expired");
    ret->id = token.id;
    ret->expires_at_s = token.expires_at_s;
    return XPL_OK;
}

enum xpl_answered xpl_revoked_tokens_add(struct xpl_call *call)
{
    struct revocation *revocation = XPL_NEW(call->arena, struct revocation);
    struct xpl_error err = {0};

    if (!revocation)
        return xpl_reply_json(call, 503, NULL);
    if (read_revocation(call, revocation, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_revoke, revocation, 256);
}
