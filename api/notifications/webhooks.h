/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks: who is called when explanations of a subscription end, and with what. */
#ifndef XPL_API_WEBHOOKS_H
#define XPL_API_WEBHOOKS_H

#include "api/configuration/resource.h"
#include "db/deliveries.h"

#define XPL_WEBHOOK_HEADERS 3

extern const struct xpl_resource_type xpl_webhook_type;

/** The bytes of a secret: base64, with or without "whsec_" in front. NULL when it is none, or not 24 to 64 bytes. */
uint8_t *xpl_webhook_key(struct xpl_arena *arena, const char *secret, size_t *ret_length);

/** What is sent: all of it lives in the arena. */
struct xpl_webhook_message {
    const char *url;
    const char *headers[XPL_WEBHOOK_HEADERS]; /* "Name: value" */
    const char *body;
};

/**
 * The message of a delivery, signed as Standard Webhooks has it: webhook-id, webhook-timestamp (seconds), and
 * webhook-signature, "v1," and the base64 of HMAC-SHA-256 over id.timestamp.body.
 */
enum xpl_status xpl_webhook_message_make(const struct xpl_app *app, struct xpl_db *db, struct xpl_arena *arena,
                                         const struct xpl_delivery *delivery, int64_t now,
                                         struct xpl_webhook_message *ret, struct xpl_error *err);

#endif
