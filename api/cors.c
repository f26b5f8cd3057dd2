/* SPDX-License-Identifier: Apache-2.0 */
#include "api/cors.h"

#include <string.h>

#define SEPARATORS ", \t"
#define REMEMBER_S "600"
#define REQUEST_HEADERS                                                                                                \
    "Authorization, Content-Encoding, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, "           \
    "X-Global-Transaction-Id, traceparent, ce-id, ce-source, ce-specversion, ce-time, ce-type"
#define ANSWER_HEADERS "ETag, Idempotency-Replayed, Location, Preference-Applied, Retry-After, X-Global-Transaction-Id"

/* As browsers write it: small letters of ASCII, no path, no port that the scheme has anyway. */
static bool is_origin(struct xpl_text item)
{
    const char *end = item.ptr + item.length, *host = memmem(item.ptr, item.length, "://", 3);

    if (xpl_text_equal(item, "*") || xpl_text_equal(item, "null"))
        return true;
    if (!host || host == item.ptr || (host += 3) == end || *host == ':')
        return false;
    for (const char *at = item.ptr; at < end; at++)
        if ((*at >= 'A' && *at <= 'Z') || (unsigned char)*at > '~' || (at >= host && strchr("/?#@*", *at)))
            return false;
    return !(xpl_starts_with(item.ptr, "http://") && item.length > 3 && memcmp(end - 3, ":80", 3) == 0) &&
           !(xpl_starts_with(item.ptr, "https://") && item.length > 4 && memcmp(end - 4, ":443", 4) == 0);
}

enum xpl_status xpl_cors_check(const char *origins, struct xpl_error *err)
{
    for (const char *at = origins + strspn(origins, SEPARATORS); *at; at += strspn(at, SEPARATORS)) {
        struct xpl_text item = {at, strcspn(at, SEPARATORS)};

        if (!is_origin(item))
            return xpl_fail_field(err, XPL_BAD_FIELD, "cors.origins",
                                  "\"%.*s\" is no origin as browsers send it: scheme://host[:port] in small letters "
                                  "(others as xn--), without a path and without the scheme's own port; or *",
                                  (int)(item.length < 80 ? item.length : 80), item.ptr);
        at += item.length;
    }
    return XPL_OK;
}

/* The origin of the page that calls, when it may. */
static const char *allowed_origin(const struct xpl_call *call)
{
    const char *at = call->app->settings.cors_origins, *origin = xpl_call_header(call, "Origin");

    if (!origin || !*origin)
        return NULL;
    for (at += strspn(at, SEPARATORS); *at; at += strspn(at, SEPARATORS)) {
        struct xpl_text item = {at, strcspn(at, SEPARATORS)};

        if (xpl_text_equal(item, "*") || xpl_text_equal(item, origin))
            return origin;
        at += item.length;
    }
    return NULL;
}

bool xpl_cors_preflight(struct xpl_call *call, const char *allowed_methods)
{
    const char *wanted = xpl_call_header(call, "Access-Control-Request-Method");

    if (call->method != XPL_OPTIONS || !wanted || !allowed_origin(call))
        return false;
    call->reply = (struct xpl_reply){0};
    xpl_reply_bytes(call, 204, "text/plain", (struct xpl_text){"", 0});
    xpl_reply_header(call, "Access-Control-Allow-Methods", xpl_arena_string(call->arena, allowed_methods));
    xpl_reply_header(call, "Access-Control-Allow-Headers", REQUEST_HEADERS);
    xpl_reply_header(call, "Access-Control-Max-Age", REMEMBER_S);
    return true;
}

void xpl_cors_apply(struct xpl_call *call)
{
    const char *origin = allowed_origin(call);

    if (*call->app->settings.cors_origins)
        xpl_reply_header(call, "Vary", "Origin");
    if (!origin)
        return;
    xpl_reply_header(call, "Access-Control-Allow-Origin", origin);
    xpl_reply_header(call, "Access-Control-Expose-Headers", ANSWER_HEADERS);
}
