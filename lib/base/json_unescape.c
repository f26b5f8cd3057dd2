/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lib/base/json_scan.h"

static unsigned hex4(const char *text)
{
    unsigned value = 0;

    for (int i = 0; i < 4; i++) {
        unsigned char c = (unsigned char)text[i];

        value = value * 16 + (c <= '9' ? c - 0x30u : (c | 0x20u) - 0x61u + 10u);
    }
    return value;
}

static size_t put_utf8(unsigned code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* The character of a \u escape at `at`, pairs of surrogates joined; `*ret_used` bytes were read. 0 = broken. */
static unsigned unicode_escape(struct xpl_text raw, size_t at, size_t *ret_used)
{
    unsigned code = hex4(raw.ptr + at + 2), low;

    *ret_used = 6;
    if (code >= 0xDC00 && code <= 0xDFFF)
        return 0;
    if (code < 0xD800 || code > 0xDBFF)
        return code;
    if (at + 12 > raw.length || raw.ptr[at + 6] != '\\' || raw.ptr[at + 7] != 'u')
        return 0;
    low = hex4(raw.ptr + at + 8);
    if (low < 0xDC00 || low > 0xDFFF)
        return 0;
    *ret_used = 12;
    return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
}

bool xpl_json_unescape(struct xpl_text raw, char *out)
{
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    size_t at = 0;

    while (at < raw.length) {
        char c = raw.ptr[at];
        size_t used = 1;

        if (c != '\\') {
            *out++ = c;
        } else if (raw.ptr[at + 1] == 'u') {
            unsigned code = unicode_escape(raw, at, &used);

            if (code == 0)
                return false;
            out += put_utf8(code, out);
        } else {
            *out++ = meanings[strchr(escapes, raw.ptr[at + 1]) - escapes];
            used = 2;
        }
        at += used;
    }
    *out = '\0';
    return true;
}
