/* SPDX-License-Identifier: Apache-2.0 */
#include "api/cors.h"

#include <string.h>

#define SEPARATORS ", \t"
#define REMEMBER_S "600"
#define REQUEST_HEADERS                                                                                                \
    "Authorization, Content-Encoding, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, "           \
    "X-Global-Transaction-Id, traceparent, ce-id, ce-source, ce-specversion, ce-time, ce-type"
#define ANSWER_HEADERS "ETag, Idempotency-Replayed, Location, Preference-Applied, Retry-After, X-Global-Transaction-Id"

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
