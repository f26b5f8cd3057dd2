/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The login routes of Cloud Pak for Data and IBM Cloud, as IBM's SDKs call them. This version runs without users
 * (--no-auth): any credentials get a valid administrator's token, and the token is not looked at afterwards.
 */
#include <string.h>

#include "api/handlers.h"
#include "lib/base/time.h"

#define TOKEN_SECONDS (12 * 3600)

/* A JWT with HMAC-SHA-256: IBM's SDKs decode it and want numeric `iat` and `exp`. NULL without memory. */
static const char *make_token(struct xpl_call *call, int64_t now_s)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    char id[XPL_UUID_SIZE];
    const char *payload, *head, *claims, *signed_part, *signature;
    uint8_t tag[32];

    payload =
        xpl_arena_printf(call->arena,
                         "{\"iss\":\"explaind\",\"sub\":\"%s\",\"username\":\"%s\",\"role\":\"Admin\","
                         "\"jti\":\"%s\",\"iat\":%lld,\"exp\":%lld}",
                         call->user, call->user, xpl_uuid(id), (long long)now_s, (long long)now_s + TOKEN_SECONDS);
    head = xpl_base64url(call->arena, header, sizeof header - 1);
    claims = payload ? xpl_base64url(call->arena, payload, strlen(payload)) : NULL;
    signed_part = head && claims ? xpl_arena_printf(call->arena, "%s.%s", head, claims) : NULL;
    if (!signed_part)
        return NULL;
    xpl_hmac(call->app->token_key, signed_part, strlen(signed_part), tag);
    signature = xpl_base64url(call->arena, tag, sizeof tag);
    return signature ? xpl_arena_printf(call->arena, "%s.%s", signed_part, signature) : NULL;
}

static enum xpl_answered reply_token(struct xpl_call *call, const char *member, json_t *others)
{
    int64_t now_s = xpl_now_us() / 1000000;
    const char *token = make_token(call, now_s);

    if (!token || !others || json_object_set_new(others, member, json_string(token))) {
        json_decref(others);
        return xpl_reply_json(call, 200, NULL);
    }
    return xpl_reply_json(call, 200, others);
}

enum xpl_answered xpl_login_cp4d(struct xpl_call *call)
{
    return reply_token(call, "token", json_pack("{s:s, s:s}", "_messageCode_", "200", "message", "Success"));
}

enum xpl_answered xpl_login_iam(struct xpl_call *call)
{
    return reply_token(call, "access_token",
                       json_pack("{s:s, s:s, s:i, s:I}", "refresh_token", "not_supported", "token_type", "Bearer",
                                 "expires_in", TOKEN_SECONDS, "expiration",
                                 (json_int_t)(xpl_now_us() / 1000000 + TOKEN_SECONDS)));
}

enum xpl_answered xpl_login_preauth_get(struct xpl_call *call)
{
    return reply_token(
        call, "accessToken",
        json_pack("{s:s, s:s, s:s}", "username", call->user, "role", "Admin", "_messageCode_", "success"));
}

enum xpl_answered xpl_login_preauth_post(struct xpl_call *call)
{
    return reply_token(call, "access_token",
                       json_pack("{s:s, s:i}", "token_type", "Bearer", "expires_in", TOKEN_SECONDS));
}

enum xpl_answered xpl_login_entitlements(struct xpl_call *call)
{
    return xpl_reply_json(call, 200,
                          json_pack("{s:{s:[{s:s, s:s}]}}", "entitlements", "ai_openscale", "id", call->data_mart_id,
                                    "plan_name", "standard"));
}

enum xpl_answered xpl_login_heartbeat(struct xpl_call *call)
{
    return xpl_reply_json(call, 200, json_pack("{s:b}", "is_cloud", 0));
}
