/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/exchange.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/text.h"
#include "lib/scoring/transport/transport.h"

static size_t shorten(const char *text, size_t length, char out[XPL_EXCERPT_BYTES])
{
    static const char dots[] = " … ";
    size_t half = (XPL_EXCERPT_BYTES - sizeof dots) / 2;

    if (length < XPL_EXCERPT_BYTES) {
        memcpy(out, text, length);
        out[length] = '\0';
    } else
        snprintf(out, XPL_EXCERPT_BYTES, "%.*s%s%.*s", (int)half, text, dots, (int)half, text + length - half);
    xpl_repair_utf8(out);
    return length;
}

static void read_header(const struct xpl_slot *slot, const char *name, char *out, size_t size)
{
    struct curl_header *header;

    if (curl_easy_header(slot->handle, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return;
    snprintf(out, size, "%s", header->value);
    xpl_repair_utf8(out);
}

void xpl_exchange_note(struct xpl_exchange *exchange, const struct xpl_slot *slot,
                       const struct xpl_exchange_facts *facts)
{
    exchange->last_status = slot->status;
    exchange->retry_after_ms = facts->retry_after_ms;
    if (exchange->request_bytes)
        return;
    exchange->request_bytes = shorten(slot->body, facts->body_length, exchange->request);
    if (slot->answer.length)
        exchange->answer_bytes = shorten(slot->answer.data, slot->answer.length, exchange->answer);
    exchange->status = slot->status;
    exchange->ms = (double)facts->took_us / 1000;
    read_header(slot, "Location", exchange->location, sizeof exchange->location);
    read_header(slot, "Content-Encoding", exchange->encoding, sizeof exchange->encoding);
}

bool xpl_exchange_is_compressed(const struct xpl_exchange *exchange)
{
    return *exchange->encoding && strcasecmp(exchange->encoding, "identity") != 0;
}
