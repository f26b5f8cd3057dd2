/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/trace.h"

#include <string.h>

#include "lib/base/hash.h"

#define SPAN_BYTES     8
#define VERSION_DIGITS 2
#define TRACE_DIGITS   32
#define SPAN_DIGITS    16
#define FLAG_DIGITS    2

/* Exactly `n` hexadecimal digits; moves behind them. */
static bool take_hex(const char **at, size_t n, bool zero_allowed)
{
    if (strspn(*at, "0123456789abcdef") != n)
        return false;
    if (!zero_allowed && strspn(*at, "0") >= n)
        return false;
    *at += n;
    return true;
}

static bool take_dash(const char **at)
{
    return *(*at)++ == '-';
}

bool xpl_traceparent_valid(const char *text)
{
    const char *at = text;

    if (!take_hex(&at, VERSION_DIGITS, true) || memcmp(text, "ff", VERSION_DIGITS) == 0 || !take_dash(&at) ||
        !take_hex(&at, TRACE_DIGITS, false) || !take_dash(&at) || !take_hex(&at, SPAN_DIGITS, false) ||
        !take_dash(&at) || !take_hex(&at, FLAG_DIGITS, true))
        return false;
    if (memcmp(text, "00", VERSION_DIGITS) == 0)
        return *at == '\0';
    return strlen(text) < 256 && (*at == '\0' || *at == '-');
}

char *xpl_traceparent_child(struct xpl_arena *arena, const char *parent)
{
    const char *trace, *flags;
    char span[2 * SPAN_BYTES + 1];
    uint8_t random[SPAN_BYTES];

    if (!parent)
        return NULL;
    trace = parent + VERSION_DIGITS + 1;
    flags = trace + TRACE_DIGITS + 1 + SPAN_DIGITS + 1;
    xpl_random(random, sizeof random);
    random[0] |= 1; /* a span of zeros is not one */
    return xpl_arena_printf(arena, "00-%.32s-%s-%.2s", trace, xpl_hex(random, sizeof random, span), flags);
}
