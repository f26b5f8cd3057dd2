/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct xpl_text xpl_text_of(const char *string)
{
    return string ? (struct xpl_text){string, strlen(string)} : (struct xpl_text){"", 0};
}

bool xpl_text_equal(struct xpl_text text, const char *string)
{
    return strlen(string) == text.length && memcmp(text.ptr, string, text.length) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct xpl_text xpl_text_trim(struct xpl_text text)
{
    while (text.length && is_blank(*text.ptr)) {
        text.ptr++;
        text.length--;
    }
    while (text.length && is_blank(text.ptr[text.length - 1]))
        text.length--;
    return text;
}

bool xpl_starts_with(const char *string, const char *prefix)
{
    return strncmp(string, prefix, strlen(prefix)) == 0;
}

bool xpl_ends_with(const char *string, const char *suffix)
{
    size_t length = strlen(string), tail = strlen(suffix);

    return tail <= length && strcmp(string + length - tail, suffix) == 0;
}

struct xpl_text xpl_text_without_mark(struct xpl_text text)
{
    static const char mark[] = "\xef\xbb\xbf";

    if (text.length < 3 || memcmp(text.ptr, mark, 3) != 0)
        return text;
    return (struct xpl_text){text.ptr + 3, text.length - 3};
}

bool xpl_parse_int(const char *string, int64_t min, int64_t max, int64_t *ret_value)
{
    char *end;
    long long value;

    if (!(*string >= '0' && *string <= '9') && !(*string == '-' && string[1] >= '0' && string[1] <= '9'))
        return false;
    errno = 0;
    value = strtoll(string, &end, 10);
    if (errno || *end || value < min || value > max)
        return false;
    *ret_value = value;
    return true;
}

bool xpl_parse_bool(const char *string, bool *ret_value)
{
    if (strcmp(string, "true") != 0 && strcmp(string, "false") != 0)
        return false;
    *ret_value = *string == 't';
    return true;
}

/* Decimal numbers of up to 19 digits whose power of ten is exact in a double need one rounding only (Clinger 1990). */
static bool parse_short(const char *text, size_t length, double *ret_value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const uint64_t max_exact = (uint64_t)1 << 53;
    const char *end = text + length;
    bool negative = length && *text == '-';
    uint64_t digits = 0;
    size_t n_digits = 0, n_fraction = 0;
    bool fraction = false;

    for (text += negative; text < end; text++) {
        if (*text == '.') {
            fraction = true;
            continue;
        }
        if (*text < '0' || *text > '9' || (n_digits += digits || *text != '0') > 19)
            return false;
        digits = digits * 10 + (uint64_t)(*text - '0');
        n_fraction += fraction;
    }
    if (digits > max_exact || n_fraction > 22)
        return false;
    *ret_value = (double)digits / powers[n_fraction];
    if (negative)
        *ret_value = -*ret_value;
    return true;
}

double xpl_parse_double(const char *text, size_t length)
{
    char copy[64], *heap;
    double value;

    if (parse_short(text, length, &value))
        return value;
    if (length < sizeof copy) {
        memcpy(copy, text, length);
        copy[length] = '\0';
        return strtod(copy, NULL);
    }
    heap = strndup(text, length);
    value = heap ? strtod(heap, NULL) : 0.0;
    free(heap);
    return value;
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool xpl_percent_decode(char *string, bool plus_is_blank)
{
    char *out = string;

    for (const char *in = string; *in; in++) {
        if (*in == '%') {
            int high = hex_digit(in[1]);
            int low = high < 0 ? -1 : hex_digit(in[2]);

            if (low < 0 || high * 16 + low == 0)
                return false;
            *out++ = (char)(high * 16 + low);
            in += 2;
        } else {
            *out++ = *in == '+' && plus_is_blank ? ' ' : *in;
        }
    }
    *out = '\0';
    return true;
}

/* Length of the well-formed sequence at `s`, 0 when there is none (Unicode 15, table 3-7). */
static size_t utf8_sequence(const unsigned char *s, size_t left)
{
    unsigned char low = 0x80, high = 0xBF;
    size_t length;

    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xC2 || s[0] > 0xF4)
        return 0;
    length = s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    if (length > left)
        return 0;
    if (s[0] == 0xE0)
        low = 0xA0;
    else if (s[0] == 0xED)
        high = 0x9F;
    else if (s[0] == 0xF0)
        low = 0x90;
    else if (s[0] == 0xF4)
        high = 0x8F;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (s[i] < 0x80 || s[i] > 0xBF)
            return 0;
    return length;
}

char *xpl_lower(char *string)
{
    for (char *c = string; c && *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return string;
}

bool xpl_is_utf8(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t at = 0;

    while (at < length) {
        size_t step = utf8_sequence(bytes + at, length - at);

        if (!step)
            return false;
        at += step;
    }
    return true;
}

void xpl_repair_utf8(char *string)
{
    size_t length = strlen(string), at = 0;

    while (at < length) {
        size_t step = utf8_sequence((const unsigned char *)string + at, length - at);

        if (!step)
            string[at] = '?';
        at += step ? step : 1;
    }
}
