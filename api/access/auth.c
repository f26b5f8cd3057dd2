/* SPDX-License-Identifier: Apache-2.0 */
#include "api/access/auth.h"

#include <string.h>
#include <strings.h>

#include "api/access/credentials.h"
#include "api/access/tokens.h"
#include "api/routes.h"
#include "lib/base/time.h"

/* ---- credentials ---- */

/* What follows `scheme` in the Authorization header; NULL when it is another one. */
static const char *of_scheme(const struct xpl_call *call, const char *scheme)
{
    const char *value = xpl_call_header(call, "Authorization");
    size_t length = strlen(scheme);

    if (!value || strncasecmp(value, scheme, length) != 0 || value[length] != ' ')
        return NULL;
    value += length;
    return value + strspn(value, " ");
}

/* base64(name:secret) */
static bool split_login(struct xpl_arena *arena, const char *text, struct xpl_login *ret)
{
    size_t length = 0;
    char *plain = (char *)xpl_base64_decode(arena, text, &length), *colon;

    if (!plain || strlen(plain) != length || !xpl_is_utf8(plain, length) || !(colon = strchr(plain, ':')))
        return false;
    *colon = '\0';
    *ret = (struct xpl_login){plain, colon + 1};
    return true;
}

static enum xpl_status malformed(const char *scheme, struct xpl_error *err)
{
    return xpl_fail(err, XPL_UNAUTHORIZED, "Authorization: %s must be followed by the base64 of NAME:SECRET", scheme);
}

enum xpl_status xpl_login_basic(struct xpl_call *call, struct xpl_login *ret, struct xpl_error *err)
{
    const char *basic = of_scheme(call, "Basic");

    return basic && split_login(call->arena, basic, ret) ? XPL_OK : malformed("Basic", err);
}

static enum xpl_status find_user(struct xpl_call *call, const char *name, struct xpl_user *ret, bool *ret_found,
                                 struct xpl_error *err)
{
    enum xpl_status st = xpl_user_get(call->db, call->arena, name, ret, err);

    *ret_found = st == XPL_OK;
    if (st == XPL_NOT_FOUND)
        xpl_error_clear(err);
    return st == XPL_NOT_FOUND ? XPL_OK : st;
}

enum xpl_status xpl_login_password(struct xpl_call *call, const struct xpl_login *login, struct xpl_user *ret,
                                   struct xpl_error *err)
{
    bool found;
    enum xpl_status st = find_user(call, login->name, ret, &found, err);

    return st ? st
              : xpl_credentials_verify(call->app->credentials, login->name, call->client, found ? ret : NULL,
                                       login->secret, err);
}

const char *xpl_api_key_make(struct xpl_arena *arena)
{
    uint8_t bytes[32];

    xpl_random(bytes, sizeof bytes);
    return xpl_base64url(arena, bytes, sizeof bytes);
}

void xpl_api_key_hash(const char *key, uint8_t ret_hash[XPL_HASH_BYTES])
{
    xpl_hash(key, strlen(key), ret_hash);
}

enum xpl_status xpl_login_key(struct xpl_call *call, const struct xpl_login *login, struct xpl_user *ret,
                              struct xpl_error *err)
{
    uint8_t hash[XPL_HASH_BYTES];
    enum xpl_status st;

    xpl_api_key_hash(login->secret, hash);
    st = xpl_user_of_key(call->db, call->arena, (struct xpl_blob){hash, sizeof hash}, ret, err);
    if (st == XPL_NOT_FOUND || (st == XPL_OK && login->name && strcmp(login->name, ret->name) != 0)) {
        xpl_error_clear(err);
        return xpl_fail(err, XPL_UNAUTHORIZED, "the API key is not known");
    }
    return st;
}

static enum xpl_status login_token(struct xpl_call *call, const char *text, struct xpl_user *ret, struct xpl_error *err)
{
    struct xpl_token token;
    enum xpl_status st = xpl_token_read(call->app, call->arena, text, xpl_now_us() / 1000000, &token, err);

    if (st)
        return st;
    st = xpl_user_of_token(call->db, call->arena, token.user_name, token.epoch, token.id, ret, err);
    if (st != XPL_NOT_FOUND)
        return st;
    xpl_error_clear(err);
    return xpl_fail(err, XPL_UNAUTHORIZED, "the token has been revoked");
}

/* ---- admission ---- */

static enum xpl_role role_of(const struct xpl_user *user)
{
    if (strcmp(user->role, "viewer") == 0)
        return XPL_VIEWER;
    if (strcmp(user->role, "editor") == 0)
        return XPL_EDITOR;
    return strcmp(user->data_mart_id, XPL_DEFAULT_INSTANCE) == 0 ? XPL_OPERATOR : XPL_ADMIN;
}

static enum xpl_status check_role(const struct xpl_call *call, enum xpl_role role, struct xpl_error *err)
{
    enum xpl_role needed = call->route->role;

    if (role >= needed)
        return XPL_OK;
    if (needed == XPL_OPERATOR && call->app->no_auth)
        return xpl_fail(err, XPL_FORBIDDEN,
                        "users are not managed over the network while the daemon runs with --no-auth");
    return xpl_fail(err, XPL_FORBIDDEN, "this takes the role %s; %s has the role %s", xpl_role_name(needed), call->user,
                    xpl_role_name(role));
}

/* The caller is known: takes the tenant from its row and compares instance and role with what was asked for. */
static enum xpl_status settle(struct xpl_call *call, const struct xpl_user *user, struct xpl_error *err)
{
    call->user = user->name;
    if (call->instance_named && strcmp(call->data_mart_id, user->data_mart_id) != 0)
        return xpl_fail(err, XPL_NOT_FOUND, "there is no instance %s", call->data_mart_id);
    call->data_mart_id = user->data_mart_id;
    return check_role(call, role_of(user), err);
}

/* Basic is quick while the password is remembered. If not, and `may_block` is not set, it is left for later. */
static enum xpl_status identify_basic(struct xpl_call *call, bool may_block, struct xpl_user *ret,
                                      struct xpl_error *err)
{
    struct xpl_login login;
    enum xpl_status st = xpl_login_basic(call, &login, err);
    bool found;

    if (st)
        return st;
    if (may_block)
        return xpl_login_password(call, &login, ret, err);
    if ((st = find_user(call, login.name, ret, &found, err)))
        return st;
    call->password_unchecked = !found || !xpl_credentials_known(call->app->credentials, ret, login.secret);
    return XPL_OK;
}

static enum xpl_status identify(struct xpl_call *call, bool may_block, struct xpl_user *ret, struct xpl_error *err)
{
    const char *bearer = of_scheme(call, "Bearer"), *zen = of_scheme(call, "ZenApiKey");
    struct xpl_login login;

    if (bearer)
        return login_token(call, bearer, ret, err);
    if (zen)
        return split_login(call->arena, zen, &login) ? xpl_login_key(call, &login, ret, err)
                                                     : malformed("ZenApiKey", err);
    if (of_scheme(call, "Basic"))
        return identify_basic(call, may_block, ret, err);
    return xpl_fail(err, XPL_UNAUTHORIZED, "log in first: Authorization must be Bearer TOKEN, ZenApiKey or Basic");
}

/* Without users everybody is an administrator; through the local socket comes whoever runs the daemon. */
static enum xpl_status admit_unasked(struct xpl_call *call, struct xpl_error *err)
{
    call->user = call->local ? "(local)" : "admin";
    return check_role(call, call->local ? XPL_OPERATOR : XPL_ADMIN, err);
}

static enum xpl_status admit(struct xpl_call *call, bool may_block, struct xpl_error *err)
{
    struct xpl_user user = {0};
    enum xpl_status st;

    call->password_unchecked = false;
    if (call->local || call->app->no_auth)
        return admit_unasked(call, err);
    if (call->route->role == XPL_ANYONE || (call->route->role == XPL_LOCAL_OR_VIEWER && call->loopback))
        return XPL_OK;
    if ((st = identify(call, may_block, &user, err)) || call->password_unchecked)
        return st;
    return settle(call, &user, err);
}

bool xpl_call_admit(struct xpl_call *call, bool may_block)
{
    struct xpl_error err = {0};

    if (!admit(call, may_block, &err))
        return true;
    xpl_reply_error(call, &err);
    return false;
}
