/* SPDX-License-Identifier: Apache-2.0 */
#include "server/background/webhook_retry.h"

#include "lib/base/hash.h"

#define FACTOR        3
#define MAX_PAUSE_MS  ((int64_t)6 * 3600 * 1000)
#define MAX_WANTED_MS ((int64_t)24 * 3600 * 1000)

int64_t xpl_webhook_retry_at(const struct xpl_settings *settings, int64_t attempts, int64_t now, int64_t retry_after_ms)
{
    int64_t pause_ms = settings->webhooks_retry_ms;
    uint32_t chance;

    if (attempts >= settings->webhooks_attempts)
        return 0;
    for (int64_t i = 1; i < attempts && pause_ms < MAX_PAUSE_MS; i++)
        pause_ms *= FACTOR;
    if (pause_ms > MAX_PAUSE_MS)
        pause_ms = MAX_PAUSE_MS;
    xpl_random(&chance, sizeof chance);
    pause_ms -= (int64_t)chance % (pause_ms / 2 + 1);
    if (retry_after_ms > MAX_WANTED_MS)
        retry_after_ms = MAX_WANTED_MS;
    return now + 1000 * (pause_ms > retry_after_ms ? pause_ms : retry_after_ms);
}

const char *xpl_webhook_reason(struct xpl_arena *arena, enum xpl_status status, long answered)
{
    const char *text;

    if (status == XPL_OK)
        text = xpl_arena_printf(arena, "the receiver answered with status %ld", answered);
    else if (status == XPL_MODEL_TIMEOUT)
        text = "the receiver did not answer in time";
    else if (status == XPL_ADDRESS_REFUSED)
        text = "the address is not among those scoring.allow permits";
    else if (status == XPL_MODEL_BAD_ANSWER)
        text = "the receiver's answer is too long";
    else if (status == XPL_STORAGE_FAILED)
        text = "the webhook cannot be read with this data directory's key";
    else
        text = "the receiver cannot be reached, or the connection broke";
    return text ? text : "";
}
