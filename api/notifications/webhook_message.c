/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "api/json_spec.h"
#include "api/json_text.h"
#include "api/notifications/event_view.h"
#include "api/notifications/webhooks.h"
#include "lib/base/text.h"
#include "lib/base/time.h"

#define SECRET_PREFIX "whsec_"
#define MIN_KEY_BYTES 24u
#define MAX_KEY_BYTES 64u

uint8_t *xpl_webhook_key(struct xpl_arena *arena, const char *secret, size_t *ret_length)
{
    uint8_t *key;

    if (xpl_starts_with(secret, SECRET_PREFIX))
        secret += strlen(SECRET_PREFIX);
    key = xpl_base64_decode(arena, secret, ret_length);
    return key && *ret_length >= MIN_KEY_BYTES && *ret_length <= MAX_KEY_BYTES ? key : NULL;
}

/* The same bytes at every try. */
static const char *body_of(struct xpl_arena *arena, const struct xpl_task_event *event)
{
    char when[XPL_TIME_TEXT_SIZE];
    XPL_AUTO_JSON body = json_pack("{s:o, s:s, s:o}", "type", json_sprintf("explanation.%s", event->state), "timestamp",
                                   xpl_time_format(event->at, when), "data", xpl_event_view(event, NULL));

    return body ? xpl_json_text(arena, body) : NULL;
}

static const char *signature_of(struct xpl_arena *arena, const char *secret, const char *signed_text)
{
    uint8_t tag[XPL_HMAC_BYTES], *key;
    size_t length;

    if (!signed_text || !(key = xpl_webhook_key(arena, secret, &length)))
        return NULL;
    xpl_hmac(key, length, signed_text, strlen(signed_text), tag);
    return xpl_base64(arena, tag, sizeof tag);
}

enum xpl_status xpl_webhook_message_make(const struct xpl_app *app, struct xpl_db *db, struct xpl_arena *arena,
                                         const struct xpl_delivery *delivery, int64_t now,
                                         struct xpl_webhook_message *ret, struct xpl_error *err)
{
    long long timestamp = now / 1000000;
    XPL_AUTO_JSON entity = NULL;
    const char *url, *secret, *body, *signature;
    enum xpl_status st = xpl_resource_load(app, db, arena, &xpl_webhook_type, delivery->data_mart_id,
                                           delivery->webhook_id, &entity, err);

    if (st)
        return st;
    url = xpl_json_string_at(entity, "url");
    secret = xpl_json_string_at(entity, "secret");
    if (!url || !secret)
        return xpl_fail(err, XPL_STORAGE_FAILED, "the stored webhook %s has no url or secret", delivery->webhook_id);
    body = body_of(arena, &delivery->event);
    signature =
        body ? signature_of(arena, secret, xpl_arena_printf(arena, "%s.%lld.%s", delivery->id, timestamp, body)) : NULL;
    if (!signature)
        return xpl_no_memory(err);
    *ret = (struct xpl_webhook_message){.url = xpl_arena_string(arena, url),
                                        .headers = {xpl_arena_printf(arena, "webhook-id: %s", delivery->id),
                                                    xpl_arena_printf(arena, "webhook-timestamp: %lld", timestamp),
                                                    xpl_arena_printf(arena, "webhook-signature: v1,%s", signature)},
                                        .body = body};
    return ret->url && ret->headers[0] && ret->headers[1] && ret->headers[2] ? XPL_OK : xpl_no_memory(err);
}
