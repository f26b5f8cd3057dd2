/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/json_scan.h"

#include <string.h>

#include "lib/base/words.h"

void xpl_json_scan_start(struct xpl_json_scan *scan, const char *text, size_t length,
                         const struct xpl_json_limits *limits, struct xpl_error *err)
{
    *scan = (struct xpl_json_scan){.text = text, .length = length, .err = err};
    if (limits)
        scan->limits = *limits;
}

void xpl_json_rescan_start(struct xpl_json_scan *scan, struct xpl_text text, struct xpl_error *err)
{
    xpl_json_scan_start(scan, text.ptr, text.length, NULL, err);
    scan->checked = true;
}

static enum xpl_status broken(struct xpl_json_scan *scan, const char *what)
{
    return xpl_fail(scan->err, XPL_BAD_JSON, "not valid JSON: %s at byte %zu", what, scan->at);
}

static enum xpl_status over_limit(struct xpl_json_scan *scan, const char *what, size_t limit)
{
    return xpl_fail(scan->err, XPL_BAD_JSON, "the JSON text has more than %zu %s (at byte %zu)", limit, what, scan->at);
}

static void skip_blanks(struct xpl_json_scan *scan)
{
    while (scan->at < scan->length) {
        char c = scan->text[scan->at];

        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return;
        scan->at++;
    }
}

/* The next byte that is not blank; 0 at the end of the text. */
static char look(struct xpl_json_scan *scan)
{
    skip_blanks(scan);
    return scan->at < scan->length ? scan->text[scan->at] : '\0';
}

static bool follows(const struct xpl_json_scan *scan, const char *word)
{
    size_t length = strlen(word);

    return scan->length - scan->at >= length && memcmp(scan->text + scan->at, word, length) == 0;
}

/* What other writers of JSON make of numbers that are none. */
static enum xpl_status unexpected(struct xpl_json_scan *scan)
{
    if (follows(scan, "NaN") || follows(scan, "Infinity") || follows(scan, "-Infinity"))
        return broken(scan, "NaN and Infinity are no JSON numbers,");
    return broken(scan, "unexpected character");
}

enum xpl_status xpl_json_peek(struct xpl_json_scan *scan, enum xpl_json_kind *ret_kind)
{
    switch (look(scan)) {
    case '{':
        *ret_kind = XPL_JSON_OBJECT;
        return XPL_OK;
    case '[':
        *ret_kind = XPL_JSON_ARRAY;
        return XPL_OK;
    case '"':
        *ret_kind = XPL_JSON_STRING;
        return XPL_OK;
    case 't':
        *ret_kind = XPL_JSON_TRUE;
        return XPL_OK;
    case 'f':
        *ret_kind = XPL_JSON_FALSE;
        return XPL_OK;
    case 'n':
        *ret_kind = XPL_JSON_NULL;
        return XPL_OK;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        *ret_kind = XPL_JSON_NUMBER;
        return XPL_OK;
    case '\0':
        if (scan->at >= scan->length)
            return broken(scan, "the text ends too early");
        return broken(scan, "unexpected character");
    default:
        return unexpected(scan);
    }
}

static enum xpl_status enter(struct xpl_json_scan *scan, char bracket)
{
    bool object = bracket == '{';
    size_t *seen = object ? &scan->seen.objects : &scan->seen.arrays;
    size_t limit = object ? scan->limits.objects : scan->limits.arrays;

    if (look(scan) != bracket)
        return broken(scan, object ? "an object was expected" : "an array was expected");
    if (scan->depth == XPL_JSON_MAX_DEPTH)
        return xpl_fail(scan->err, XPL_BAD_JSON, "the JSON text is nested more than %d levels deep (at byte %zu)",
                        XPL_JSON_MAX_DEPTH, scan->at);
    if (limit && *seen == limit)
        return over_limit(scan, object ? "objects" : "arrays", limit);
    ++*seen;
    scan->open[scan->depth++] = bracket;
    scan->first = true;
    scan->at++;
    return XPL_OK;
}

enum xpl_status xpl_json_enter_object(struct xpl_json_scan *scan)
{
    return enter(scan, '{');
}

enum xpl_status xpl_json_enter_array(struct xpl_json_scan *scan)
{
    return enter(scan, '[');
}

static void leave(struct xpl_json_scan *scan)
{
    scan->depth--;
    scan->first = false;
    scan->at++;
}

/* The comma before an element or member, or the bracket that ends the container. */
static enum xpl_status next(struct xpl_json_scan *scan, char closing, bool *ret_more)
{
    char c = look(scan);

    if (c == closing) {
        leave(scan);
        *ret_more = false;
        return XPL_OK;
    }
    if (!scan->first) {
        if (c != ',')
            return broken(scan, "',' or the end of the list was expected");
        scan->at++;
        if (look(scan) == closing)
            return broken(scan, "a value was expected after ','");
    }
    scan->first = false;
    *ret_more = true;
    return XPL_OK;
}

enum xpl_status xpl_json_next_element(struct xpl_json_scan *scan, bool *ret_more)
{
    return next(scan, ']', ret_more);
}

enum xpl_status xpl_json_next_member(struct xpl_json_scan *scan, struct xpl_text *ret_name, bool *ret_more)
{
    enum xpl_status st = next(scan, '}', ret_more);

    if (st || !*ret_more)
        return st;
    if (look(scan) != '"')
        return broken(scan, "a member name was expected");
    if ((st = xpl_json_string(scan, ret_name)))
        return st;
    if (look(scan) != ':')
        return broken(scan, "':' was expected");
    scan->at++;
    return XPL_OK;
}

size_t xpl_json_number_length(const char *at, const char *end, bool *exponents)
{
    const char *start = at, *from;

    at += at < end && *at == '-';
    from = at;
    at = xpl_skip_digits(at, end);
    if (at == from || (*from == '0' && at - from > 1))
        return 0;
    if (at < end && *at == '.') {
        from = at + 1;
        if ((at = xpl_skip_digits(from, end)) == from)
            return 0;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        *exponents = true;
        from = at + 1;
        from += from < end && (*from == '+' || *from == '-');
        if ((at = xpl_skip_digits(from, end)) == from)
            return 0;
    }
    return (size_t)(at - start);
}

static enum xpl_status broken_number(struct xpl_json_scan *scan)
{
    const char *at = scan->text + scan->at, *end = scan->text + scan->length, *digit = at;

    digit += digit < end && *digit == '-';
    if (follows(scan, "-Infinity"))
        return unexpected(scan);
    if (xpl_skip_digits(digit, end) == digit)
        return broken(scan, "a number was expected");
    if (*digit == '0' && xpl_skip_digits(digit, end) > digit + 1)
        return broken(scan, "a number must not start with 0");
    return broken(scan, "digits were expected in a number's fraction or exponent");
}

enum xpl_status xpl_json_number(struct xpl_json_scan *scan, struct xpl_text *ret_text)
{
    const char *at;
    bool exponents;
    size_t length;

    skip_blanks(scan);
    at = scan->text + scan->at;
    if ((length = xpl_json_number_length(at, scan->text + scan->length, &exponents)) == 0)
        return broken_number(scan);
    if (scan->limits.numbers && scan->seen.numbers == scan->limits.numbers)
        return over_limit(scan, "numbers", scan->limits.numbers);
    scan->seen.numbers++;
    scan->at += length;
    *ret_text = (struct xpl_text){at, length};
    return XPL_OK;
}

/* Length of the escape at `at` (which holds the backslash), 0 when it is broken. */
static size_t escape_length(const struct xpl_json_scan *scan, size_t at)
{
    if (at + 1 >= scan->length)
        return 0;
    if (scan->text[at + 1] != 'u')
        return strchr("\"\\/bfnrt", scan->text[at + 1]) && scan->text[at + 1] ? 2 : 0;
    if (at + 6 > scan->length)
        return 0;
    for (size_t i = at + 2; i < at + 6; i++)
        if (!strchr("0123456789abcdefABCDEF", scan->text[i]) || !scan->text[i])
            return 0;
    return 6;
}

/* Behind what is neither quote, escape nor control character; `*all` gathers the bytes. */
static size_t skip_plain(const struct xpl_json_scan *scan, size_t at, uint64_t *all)
{
    for (; scan->length - at >= XPL_WORD_BYTES; at += XPL_WORD_BYTES) {
        uint64_t word = xpl_word_at(scan->text + at);

        if (xpl_word_equal(word, '"') | xpl_word_equal(word, '\\') | xpl_word_control(word))
            break;
        *all |= word;
    }
    return at;
}

enum xpl_status xpl_json_string(struct xpl_json_scan *scan, struct xpl_text *ret_raw)
{
    uint64_t all = 0;
    size_t start, at;

    if (look(scan) != '"')
        return broken(scan, "a string was expected");
    start = scan->at + 1;
    at = skip_plain(scan, start, &all);
    while (at < scan->length && scan->text[at] != '"') {
        unsigned char c = (unsigned char)scan->text[at];
        size_t step = c == '\\' ? escape_length(scan, at) : 1;

        if (c < 0x20 || step == 0) {
            scan->at = at;
            return broken(scan, c < 0x20 ? "control character in a string" : "broken escape in a string");
        }
        all |= c;
        at += step;
        if (c == '\\')
            at = skip_plain(scan, at, &all);
    }
    if (at >= scan->length)
        return broken(scan, "a string is not closed");
    if ((all & XPL_WORD_HIGH) && !xpl_is_utf8(scan->text + start, at - start))
        return broken(scan, "a string is not UTF-8");
    scan->at = at + 1;
    *ret_raw = (struct xpl_text){scan->text + start, at - start};
    return XPL_OK;
}

enum xpl_status xpl_json_end(struct xpl_json_scan *scan)
{
    skip_blanks(scan);
    return scan->at == scan->length ? XPL_OK : broken(scan, "text after the end");
}
