/* SPDX-License-Identifier: Apache-2.0 */
/* What clients ask for around a request: Prefer: wait (RFC 7240), If-None-Match and Accept (RFC 9110). */
#include <string.h>
#include <strings.h>

#include "api/call.h"
#include "lib/base/time.h"

/* ---- Prefer: wait ---- */

/* Of a list such as "respond-async, wait=10"; 0 when there is no wait in it. */
static int64_t wait_of(const char *preferences)
{
    static const char separators[] = " \t,;";
    char word[32];

    for (const char *at = preferences + strspn(preferences, separators); *at; at += strspn(at, separators)) {
        size_t length = strcspn(at, separators);
        int64_t seconds;

        if (length < sizeof word && strncasecmp(at, "wait=", 5) == 0) {
            memcpy(word, at, length);
            word[length] = '\0';
            if (xpl_parse_int(word + 5, 0, INT64_MAX, &seconds))
                return seconds < XPL_MAX_WAIT_S ? seconds : XPL_MAX_WAIT_S;
        }
        at += length;
    }
    return 0;
}

void xpl_call_read_prefer(struct xpl_call *call)
{
    if (call->wait_s > 0)
        return; /* the handler runs again */
    for (size_t i = 0; i < call->n_headers && call->wait_s == 0; i++)
        if (strcasecmp(call->headers[i].name, "Prefer") == 0)
            call->wait_s = wait_of(call->headers[i].value);
    call->wait_until_us = xpl_monotonic_us() + call->wait_s * 1000000;
}

bool xpl_call_waits(const struct xpl_call *call)
{
    return call->wait_s > 0 && !call->wait_over && !call->wait_refused;
}

enum xpl_answered xpl_reply_after_tasks(struct xpl_call *call, const char **task_ids, size_t n_tasks)
{
    xpl_reply_hold_for_tasks(call, task_ids, n_tasks);
    return XPL_ANSWERED_AFTER_TASKS;
}

void xpl_reply_hold_for_tasks(struct xpl_call *call, const char **task_ids, size_t n_tasks)
{
    call->awaited_tasks = task_ids;
    call->n_awaited_tasks = n_tasks;
}

void xpl_reply_preference(struct xpl_call *call)
{
    if (call->wait_s > 0 && !call->wait_refused)
        xpl_reply_header(call, "Preference-Applied",
                         xpl_arena_printf(call->arena, "wait=%lld", (long long)call->wait_s));
}

/* ---- If-None-Match ---- */

/* Whether a list such as W/"a", "b" has the tag; weak and strong ones are the same here. */
static bool has_tag(const char *list, const char *etag)
{
    size_t length = strlen(etag);

    for (const char *quote = strchr(list, '"'); quote; quote = strchr(quote, '"')) {
        const char *end = strchr(quote + 1, '"');

        if (!end)
            return false;
        if ((size_t)(end + 1 - quote) == length && memcmp(quote, etag, length) == 0)
            return true;
        quote = end + 1;
    }
    return false;
}

bool xpl_call_has_current(const struct xpl_call *call, const char *etag)
{
    const char *list = xpl_call_header(call, "If-None-Match");

    return list && (strcmp(list, "*") == 0 || has_tag(list, etag));
}

void xpl_reply_etag(struct xpl_call *call, const char *etag)
{
    xpl_reply_header(call, "ETag", etag);
    xpl_reply_header(call, "Cache-Control", "private, no-cache");
}

enum xpl_answered xpl_reply_not_modified(struct xpl_call *call, const char *etag)
{
    xpl_reply_etag(call, etag);
    return xpl_reply_bytes(call, 304, NULL, (struct xpl_text){"", 0});
}

/* ---- Accept ---- */

static bool is_refused(const char *parameters, size_t length)
{
    static const char blanks[] = " \t;";
    size_t at = 0;

    while (at < length) {
        at += strspn(parameters + at, blanks);
        if (strncasecmp(parameters + at, "q=0", 3) == 0)
            return strspn(parameters + at + 3, ".0") == strcspn(parameters + at + 3, " \t;,");
        at += strcspn(parameters + at, ";,");
    }
    return false;
}

static bool names_type(const char *list, const char *media_type)
{
    size_t length = strlen(media_type);

    for (const char *at = list + strspn(list, " \t,"); *at; at += strspn(at, " \t,")) {
        size_t range = strcspn(at, ",");

        if (strncasecmp(at, media_type, length) == 0 && strchr(" \t;,", at[length]))
            return !is_refused(at + length, range - length);
        at += range;
    }
    return false;
}

bool xpl_call_accepts(const struct xpl_call *call, const char *media_type)
{
    for (size_t i = 0; i < call->n_headers; i++)
        if (strcasecmp(call->headers[i].name, "Accept") == 0 && names_type(call->headers[i].value, media_type))
            return true;
    return false;
}
