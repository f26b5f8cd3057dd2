/* SPDX-License-Identifier: Apache-2.0 */
#include "api/access/tokens.h"

#include <string.h>

#include "api/configuration/resource.h"
#include "api/json_spec.h"
#include "api/json_text.h"
#include "lib/base/text.h"

#define MAX_TOKEN 4096

static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";

static const char *signature_of(const struct xpl_app *app, struct xpl_arena *arena, const char *text, size_t length)
{
    uint8_t tag[32];

    xpl_hmac(app->token_key, sizeof app->token_key, text, length, tag);
    return xpl_base64url(arena, tag, sizeof tag);
}

const char *xpl_token_make(const struct xpl_app *app, struct xpl_arena *arena, const struct xpl_user *user,
                           int64_t now_s)
{
    char id[XPL_UUID_SIZE];
    XPL_AUTO_JSON claims =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "iss", "explaind", "sub", user->name, "username",
                  user->name, "role", user->role, "tenant", user->data_mart_id, "epoch", user->epoch, "jti",
                  xpl_uuid(id), "iat", (json_int_t)now_s, "exp", (json_int_t)(now_s + XPL_TOKEN_SECONDS));
    const char *payload = claims ? xpl_json_text(arena, claims) : NULL;
    const char *head = xpl_base64url(arena, header, sizeof header - 1);
    const char *body = payload ? xpl_base64url(arena, payload, strlen(payload)) : NULL;
    const char *signed_part = head && body ? xpl_arena_printf(arena, "%s.%s", head, body) : NULL;
    const char *signature = signed_part ? signature_of(app, arena, signed_part, strlen(signed_part)) : NULL;

    return signature ? xpl_arena_printf(arena, "%s.%s", signed_part, signature) : NULL;
}

static enum xpl_status not_valid(struct xpl_error *err)
{
    return xpl_fail(err, XPL_UNAUTHORIZED, "the token is not one of this daemon");
}

/* The payload of a token of ours. The header is compared as a whole, so no other algorithm is ever considered. */
static json_t *verified_claims(const struct xpl_app *app, struct xpl_arena *arena, const char *text)
{
    const char *head = xpl_base64url(arena, header, sizeof header - 1);
    const char *dot = strrchr(text, '.'), *signature, *payload;
    size_t head_length = head ? strlen(head) : 0, length = 0;

    if (!head || !dot || strlen(text) > MAX_TOKEN || !xpl_starts_with(text, head) || text[head_length] != '.' ||
        dot <= text + head_length)
        return NULL;
    signature = signature_of(app, arena, text, (size_t)(dot - text));
    if (!signature || strlen(dot + 1) != strlen(signature) || !xpl_same_bytes(dot + 1, signature, strlen(signature)))
        return NULL;
    text += head_length + 1;
    payload = xpl_base64url_decode(arena, text, (size_t)(dot - text), &length);
    return payload ? json_loadb(payload, length, 0, NULL) : NULL;
}

enum xpl_status xpl_token_read(const struct xpl_app *app, struct xpl_arena *arena, const char *text, int64_t now_s,
                               struct xpl_token *ret, struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_STRING(struct xpl_token, id, .path = "jti", .required = true),
        XPL_JSON_STRING(struct xpl_token, user_name, .path = "sub", .required = true),
        XPL_JSON_STRING(struct xpl_token, epoch, .required = true),
        XPL_JSON_INT(struct xpl_token, expires_at_s, .path = "exp", .required = true),
    };
    XPL_AUTO_JSON json = verified_claims(app, arena, text);
    struct xpl_token claims = {0};

    if (!json || xpl_json_read(json, fields, XPL_COUNT(fields), &claims, NULL))
        return not_valid(err);
    if (claims.expires_at_s <= now_s)
        return xpl_fail(err, XPL_UNAUTHORIZED, "the token has expired");
    *ret = (struct xpl_token){xpl_arena_string(arena, claims.id), xpl_arena_string(arena, claims.user_name),
                              xpl_arena_string(arena, claims.epoch), claims.expires_at_s};
    return ret->id && ret->user_name && ret->epoch ? XPL_OK : xpl_no_memory(err);
}
