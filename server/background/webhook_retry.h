/* SPDX-License-Identifier: Apache-2.0 */
/* When a delivery that failed is made again, and how the failure is put into words. */
#ifndef XPL_SERVER_WEBHOOK_RETRY_H
#define XPL_SERVER_WEBHOOK_RETRY_H

#include "api/app.h"

/**
 * When to try again after `attempts` (>= 1) failures: webhooks.retry_ms, three times as long after each further one, 6
 * h at most, less up to half of it by chance; not before the receiver wants it, if that is within a day. 0: never,
 * after webhooks.attempts.
 */
int64_t xpl_webhook_retry_at(const struct xpl_settings *settings, int64_t attempts, int64_t now,
                             int64_t retry_after_ms);

/** What went wrong: with the call (`status`, of xpl_forward), or what the receiver answered. Names no address. */
const char *xpl_webhook_reason(struct xpl_arena *arena, enum xpl_status status, long answered);

#endif
