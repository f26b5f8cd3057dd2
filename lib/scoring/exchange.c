/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/exchange.h"

#include <stdio.h>
#include <string.h>

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

void xpl_exchange_note(struct xpl_exchange *exchange, const struct xpl_slot *slot, size_t body_length)
{
    if (exchange->request_bytes)
        return;
    exchange->request_bytes = shorten(slot->body, body_length, exchange->request);
    if (slot->answer.length)
        exchange->answer_bytes = shorten(slot->answer.data, slot->answer.length, exchange->answer);
    exchange->status = slot->status;
}
