/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/json_scan.h"

#include <string.h>

void xpl_json_scan_start(struct xpl_json_scan *scan, const char *text, size_t length,
                         const struct xpl_json_limits *limits, struct xpl_error *err)
{
    *scan = (struct xpl_json_scan){.text = text, .length = length, .err = err};
    if (limits)
        scan->limits = *limits;
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
        return broken(scan, "unexpected character");
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

static size_t digits(const struct xpl_json_scan *scan, size_t at)
{
    size_t end = at;

    while (end < scan->length && scan->text[end] >= '0' && scan->text[end] <= '9')
        end++;
    return end - at;
}

enum xpl_status xpl_json_number(struct xpl_json_scan *scan, struct xpl_text *ret_text)
{
    size_t start, at, n;

    skip_blanks(scan);
    start = at = scan->at;
    if (at < scan->length && scan->text[at] == '-')
        at++;
    n = digits(scan, at);
    if (n == 0)
        return broken(scan, "a number was expected");
    if (n > 1 && scan->text[at] == '0')
        return broken(scan, "a number must not start with 0");
    at += n;
    if (at < scan->length && scan->text[at] == '.') {
        if ((n = digits(scan, at + 1)) == 0)
            return broken(scan, "digits were expected after '.'");
        at += 1 + n;
    }
    if (at < scan->length && (scan->text[at] == 'e' || scan->text[at] == 'E')) {
        at++;
        if (at < scan->length && (scan->text[at] == '+' || scan->text[at] == '-'))
            at++;
        if ((n = digits(scan, at)) == 0)
            return broken(scan, "digits were expected in the exponent");
        at += n;
    }
    if (scan->limits.numbers && scan->seen.numbers == scan->limits.numbers)
        return over_limit(scan, "numbers", scan->limits.numbers);
    scan->seen.numbers++;
    scan->at = at;
    *ret_text = (struct xpl_text){scan->text + start, at - start};
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

enum xpl_status xpl_json_string(struct xpl_json_scan *scan, struct xpl_text *ret_raw)
{
    size_t start, at;

    if (look(scan) != '"')
        return broken(scan, "a string was expected");
    start = at = scan->at + 1;
    while (at < scan->length && scan->text[at] != '"') {
        unsigned char c = (unsigned char)scan->text[at];
        size_t step = c == '\\' ? escape_length(scan, at) : 1;

        if (c < 0x20 || step == 0) {
            scan->at = at;
            return broken(scan, c < 0x20 ? "control character in a string" : "broken escape in a string");
        }
        at += step;
    }
    if (at >= scan->length)
        return broken(scan, "a string is not closed");
    if (!xpl_is_utf8(scan->text + start, at - start))
        return broken(scan, "a string is not UTF-8");
    scan->at = at + 1;
    *ret_raw = (struct xpl_text){scan->text + start, at - start};
    return XPL_OK;
}

static enum xpl_status word(struct xpl_json_scan *scan, const char *wanted)
{
    size_t length = strlen(wanted);

    if (scan->length - scan->at < length || memcmp(scan->text + scan->at, wanted, length) != 0)
        return broken(scan, "unexpected word");
    scan->at += length;
    return XPL_OK;
}

/* A value that is no container. */
static enum xpl_status skip_scalar(struct xpl_json_scan *scan, enum xpl_json_kind kind)
{
    struct xpl_text ignored;

    switch (kind) {
    case XPL_JSON_STRING:
        return xpl_json_string(scan, &ignored);
    case XPL_JSON_NUMBER:
        return xpl_json_number(scan, &ignored);
    case XPL_JSON_TRUE:
        return word(scan, "true");
    case XPL_JSON_FALSE:
        return word(scan, "false");
    case XPL_JSON_NULL:
        return word(scan, "null");
    case XPL_JSON_OBJECT:
    case XPL_JSON_ARRAY:
        break;
    }
    return broken(scan, "unexpected container");
}

/* Reads a scalar whole, or only opens a container. */
static enum xpl_status begin_value(struct xpl_json_scan *scan)
{
    enum xpl_json_kind kind;
    enum xpl_status st = xpl_json_peek(scan, &kind);

    if (st)
        return st;
    if (kind == XPL_JSON_OBJECT || kind == XPL_JSON_ARRAY)
        return enter(scan, kind == XPL_JSON_OBJECT ? '{' : '[');
    return skip_scalar(scan, kind);
}

enum xpl_status xpl_json_skip(struct xpl_json_scan *scan, struct xpl_text *ret_text)
{
    unsigned outside = scan->depth;
    struct xpl_text name;
    enum xpl_status st;
    size_t start;
    bool more;

    skip_blanks(scan);
    start = scan->at;
    if ((st = begin_value(scan)))
        return st;
    while (scan->depth > outside) {
        bool object = scan->open[scan->depth - 1] == '{';

        st = object ? xpl_json_next_member(scan, &name, &more) : xpl_json_next_element(scan, &more);
        if (st == XPL_OK && more)
            st = begin_value(scan);
        if (st)
            return st;
    }
    if (ret_text)
        *ret_text = (struct xpl_text){scan->text + start, scan->at - start};
    return XPL_OK;
}

enum xpl_status xpl_json_end(struct xpl_json_scan *scan)
{
    skip_blanks(scan);
    return scan->at == scan->length ? XPL_OK : broken(scan, "text after the end");
}

enum xpl_status xpl_json_check(const char *text, size_t length, const struct xpl_json_limits *limits,
                               struct xpl_error *err)
{
    struct xpl_json_scan scan;
    enum xpl_status st;

    xpl_json_scan_start(&scan, text, length, limits, err);
    st = xpl_json_skip(&scan, NULL);
    return st ? st : xpl_json_end(&scan);
}
