/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The login routes of Cloud Pak for Data and IBM Cloud, as IBM's SDKs call them. Without users (--no-auth) any
 * credentials get an administrator's token, which is not looked at afterwards.
 */
#include <string.h>

#include "api/access/auth.h"
#include "api/access/tokens.h"
#include "api/errors.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "db/resources.h"
#include "lib/base/time.h"

/* The caller of a daemon without users. */
static struct xpl_user nobody(const struct xpl_call *call)
{
    return (struct xpl_user){
        .name = call->user, .data_mart_id = call->data_mart_id, .role = "admin", .epoch = "" /* is never valid */};
}

static enum xpl_answered reply_token(struct xpl_call *call, const struct xpl_user *user, const char *member,
                                     json_t *others)
{
    const char *token = xpl_token_make(call->app, call->arena, user, xpl_now_us() / 1000000);

    if (!token || !others || json_object_set_new(others, member, json_string(token))) {
        json_decref(others);
        return xpl_reply_json(call, 200, NULL);
    }
    return xpl_reply_json(call, 200, others);
}

/* ---- Cloud Pak for Data ---- */

struct authorization {
    const char *username, *password, *api_key;
};

static enum xpl_status login_cp4d(struct xpl_call *call, struct xpl_user *ret, struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_STRING(struct authorization, username, .required = true),
        XPL_JSON_STRING(struct authorization, password),
        XPL_JSON_STRING(struct authorization, api_key),
    };
    struct authorization request = {0};
    XPL_AUTO_JSON body = NULL;
    enum xpl_status st;

    if ((st = xpl_call_json(call, &body, err)) || (st = xpl_json_read(body, fields, XPL_COUNT(fields), &request, err)))
        return st;
    if (request.api_key)
        return xpl_login_key(call, &(struct xpl_login){request.username, request.api_key}, ret, err);
    if (request.password)
        return xpl_login_password(call, &(struct xpl_login){request.username, request.password}, ret, err);
    return xpl_fail_field(err, XPL_BAD_FIELD, "password", "is missing, and there is no api_key either");
}

enum xpl_answered xpl_login_cp4d(struct xpl_call *call)
{
    struct xpl_user user = nobody(call);
    struct xpl_error err = {0};

    if (!call->app->no_auth && login_cp4d(call, &user, &err))
        return xpl_reply_error(call, &err);
    return reply_token(call, &user, "token", json_pack("{s:s, s:s}", "_messageCode_", "200", "message", "Success"));
}

static enum xpl_status login_basic(struct xpl_call *call, struct xpl_user *ret, struct xpl_error *err)
{
    struct xpl_login login;
    enum xpl_status st = xpl_login_basic(call, &login, err);

    return st ? st : xpl_login_password(call, &login, ret, err);
}

enum xpl_answered xpl_login_preauth_get(struct xpl_call *call)
{
    struct xpl_user user = nobody(call);
    struct xpl_error err = {0};

    if (!call->app->no_auth && login_basic(call, &user, &err))
        return xpl_reply_error(call, &err);
    return reply_token(
        call, &user, "accessToken",
        json_pack("{s:s, s:s, s:s}", "username", user.name, "role", user.role, "_messageCode_", "success"));
}

/* ---- IBM Cloud: an API key in a form ---- */

/* The decoded value of a member of a form in the body, in the call's arena; NULL when there is none. */
static const char *form_value(struct xpl_call *call, const char *name)
{
    struct xpl_text body = {call->body.data, call->body.length};

    while (body.length) {
        const char *end = memchr(body.ptr, '&', body.length);
        size_t length = end ? (size_t)(end - body.ptr) : body.length;
        char *pair = xpl_arena_string_n(call->arena, body.ptr, length), *equals = pair ? strchr(pair, '=') : NULL;

        if (equals) {
            *equals = '\0';
            if (strcmp(pair, name) == 0)
                return xpl_percent_decode(equals + 1, true) ? equals + 1 : NULL;
        }
        length += end != NULL;
        body = (struct xpl_text){body.ptr + length, body.length - length};
    }
    return NULL;
}

static enum xpl_status login_form(struct xpl_call *call, struct xpl_user *ret, struct xpl_error *err)
{
    const char *key = form_value(call, "apikey");

    if (!key)
        return xpl_fail_field(err, XPL_BAD_FIELD, "apikey", "is missing in the form");
    return xpl_login_key(call, &(struct xpl_login){NULL, key}, ret, err);
}

/* IBM Cloud's own form of an error; its SDK shows errorMessage. */
static enum xpl_answered refuse_iam(struct xpl_call *call, const struct xpl_error *err)
{
    bool unknown = err->status == XPL_UNAUTHORIZED;

    if (!unknown && err->status != XPL_BAD_FIELD)
        return xpl_reply_error(call, err);
    return xpl_reply_json(call, 400,
                          json_pack("{s:s, s:s, s:s}", "trace", call->request_id, "errorCode",
                                    unknown ? "BXNIM0415E" : "BXNIM0109E", "errorMessage",
                                    unknown ? "Provided API key could not be found." : "Property missing: apikey"));
}

enum xpl_answered xpl_login_iam(struct xpl_call *call)
{
    struct xpl_user user = nobody(call);
    struct xpl_error err = {0};

    if (!call->app->no_auth && login_form(call, &user, &err))
        return refuse_iam(call, &err);
    return reply_token(call, &user, "access_token",
                       json_pack("{s:s, s:s, s:i, s:I}", "refresh_token", "not_supported", "token_type", "Bearer",
                                 "expires_in", XPL_TOKEN_SECONDS, "expiration",
                                 (json_int_t)(xpl_now_us() / 1000000 + XPL_TOKEN_SECONDS)));
}

enum xpl_answered xpl_login_preauth_post(struct xpl_call *call)
{
    struct xpl_user user = nobody(call);
    struct xpl_error err = {0};

    if (!call->app->no_auth && login_form(call, &user, &err))
        return xpl_reply_error(call, &err);
    return reply_token(call, &user, "access_token",
                       json_pack("{s:s, s:i}", "token_type", "Bearer", "expires_in", XPL_TOKEN_SECONDS));
}

/* ---- what clients ask beside ---- */

static void append_entitlement(json_t *list, const char *instance)
{
    json_array_append_new(list, json_pack("{s:s, s:s}", "id", instance, "plan_name", "standard"));
}

/* IBM's SDK refuses to work with an instance that is not listed here. Without users, everybody may use all of them. */
enum xpl_answered xpl_login_entitlements(struct xpl_call *call)
{
    XPL_AUTO_JSON list = json_array();
    struct xpl_error err = {0};
    const char **instances;
    size_t n = 0;

    append_entitlement(list, call->data_mart_id);
    if (call->app->no_auth && xpl_data_marts_in_use(call->db, call->arena, &instances, &n, &err))
        return xpl_reply_error(call, &err);
    for (size_t i = 0; i < n; i++)
        if (strcmp(instances[i], call->data_mart_id) != 0)
            append_entitlement(list, instances[i]);
    return xpl_reply_json(call, 200, json_pack("{s:{s:O}}", "entitlements", "ai_openscale", list));
}

enum xpl_answered xpl_login_heartbeat(struct xpl_call *call)
{
    return xpl_reply_json(call, 200, json_pack("{s:b}", "is_cloud", 0));
}
