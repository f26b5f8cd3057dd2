/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Skipping values whole: where a body of 50,000 pixels spends its time. Numbers of an array are read in one go, and a
 * text that was checked before is only searched for the end of the value.
 */
#include <string.h>

#include "lib/base/json_scan.h"
#include "lib/base/small_rows.h"
#include "lib/base/words.h"

static enum xpl_status word(struct xpl_json_scan *scan, const char *wanted)
{
    size_t length = strlen(wanted);

    if (scan->length - scan->at < length || memcmp(scan->text + scan->at, wanted, length) != 0)
        return xpl_fail(scan->err, XPL_BAD_JSON, "not valid JSON: unexpected word at byte %zu", scan->at);
    scan->at += length;
    return XPL_OK;
}

/* Reads a scalar whole, or only opens a container. */
static enum xpl_status begin_value(struct xpl_json_scan *scan)
{
    enum xpl_json_kind kind;
    struct xpl_text ignored;
    enum xpl_status st = xpl_json_peek(scan, &kind);

    if (st)
        return st;
    switch (kind) {
    case XPL_JSON_OBJECT:
        return xpl_json_enter_object(scan);
    case XPL_JSON_ARRAY:
        return xpl_json_enter_array(scan);
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
    }
    return XPL_INTERNAL;
}

static bool begins_number(const char *at, const char *end)
{
    return at < end && (*at == '-' || (*at >= '0' && *at <= '9'));
}

/* Stops in front of what is not ",number" or ", number": whoever reads that says what is wrong with it. */
enum xpl_status xpl_json_numbers(struct xpl_json_scan *scan, struct xpl_json_numbers *ret)
{
    const char *at = scan->text + scan->at, *end = scan->text + scan->length;
    struct xpl_text ignored;
    size_t length;

    *ret = (struct xpl_json_numbers){0};
    while ((length = xpl_json_number_length(at, end, &ret->exponents)) > 0 &&
           (!scan->limits.numbers || scan->seen.numbers < scan->limits.numbers)) {
        const char *following = at + length;

        ret->n++;
        ret->longest = length > ret->longest ? length : ret->longest;
        scan->seen.numbers++;
        scan->at = (size_t)(following - scan->text);
        if (following == end || *following != ',')
            return XPL_OK;
        following++;
        following += following < end && *following == ' ';
        if (!begins_number(following, end))
            return XPL_OK;
        at = following;
    }
    scan->at = (size_t)(at - scan->text);
    return xpl_json_number(scan, &ignored);
}

/* The element behind a comma, or NULL; one blank may be between. */
static const char *behind_comma(const char *at, const char *end)
{
    if (at == end || *at != ',')
        return NULL;
    at++;
    if (at < end && *at == ' ')
        at++;
    return at;
}

/* Behind a number without exponent; NULL when it is none, or has one. */
static const char *plain_number(const char *at, const char *end)
{
    const char *digits = at += at < end && *at == '-';

    at = xpl_skip_digits(at, end);
    if (at == digits || (*digits == '0' && at - digits > 1))
        return NULL;
    if (at < end && *at == '.') {
        digits = at + 1;
        if ((at = xpl_skip_digits(digits, end)) == digits)
            return NULL;
    }
    return at < end && *at != 'e' && *at != 'E' ? at : NULL;
}

/* Behind "[number, number]"; NULL when it is something else. */
static const char *number_row(const char *at, const char *end, size_t *ret_length)
{
    *ret_length = 0;
    for (at++; at; at = behind_comma(at, end)) {
        const char *start = at;

        at = plain_number(at, end);
        if (!at || at - start >= XPL_JSON_PLAIN_NUMBER)
            return NULL;
        ++*ret_length;
        if (*at == ']')
            return at + 1;
    }
    return NULL;
}

static bool within_limits(const struct xpl_json_scan *scan, size_t rows, size_t numbers)
{
    const struct xpl_json_limits *limits = &scan->limits;

    return (!limits->arrays || limits->arrays - scan->seen.arrays >= rows) &&
           (!limits->numbers || limits->numbers - scan->seen.numbers >= numbers);
}

static bool take_rows(struct xpl_json_scan *scan, const char *behind, size_t n, size_t length,
                      struct xpl_json_number_rows *ret)
{
    if (!within_limits(scan, n, n * length))
        return false;
    ret->n += n;
    ret->length = length;
    scan->seen.arrays += n;
    scan->seen.numbers += n * length;
    scan->at = (size_t)(behind - scan->text);
    return true;
}

/* Short whole numbers many at a time, others one by one. */
void xpl_json_number_rows(struct xpl_json_scan *scan, struct xpl_json_number_rows *ret)
{
    const char *at = scan->text + scan->at, *end = scan->text + scan->length, *behind;
    struct xpl_small_rows small;
    size_t length;

    *ret = (struct xpl_json_number_rows){0};
    if (scan->depth >= XPL_JSON_MAX_DEPTH)
        return;
    behind = xpl_small_rows_measure(at, end, &small);
    if (small.n > 0 && take_rows(scan, behind, small.n, small.length, ret))
        at = behind_comma(behind, end);
    while (at && at < end && *at == '[') {
        behind = number_row(at, end, &length);
        if (!behind || (ret->n > 0 && length != ret->length) || !take_rows(scan, behind, 1, length, ret))
            return;
        at = behind_comma(behind, end);
    }
}

static enum xpl_status read_element(struct xpl_json_scan *scan)
{
    const char *at = scan->text + scan->at;
    struct xpl_json_numbers ignored;
    struct xpl_json_number_rows rows;

    xpl_json_number_rows(scan, &rows);
    if (rows.n > 0)
        return XPL_OK;
    return begins_number(at, scan->text + scan->length) ? xpl_json_numbers(scan, &ignored) : begin_value(scan);
}

static enum xpl_status read_value(struct xpl_json_scan *scan)
{
    unsigned outside = scan->depth;
    struct xpl_text name;
    enum xpl_status st = begin_value(scan);
    bool more;

    while (!st && scan->depth > outside) {
        if (scan->open[scan->depth - 1] == '{') {
            st = xpl_json_next_member(scan, &name, &more);
            st = st || !more ? st : begin_value(scan);
        } else {
            st = xpl_json_next_element(scan, &more);
            st = st || !more ? st : read_element(scan);
        }
    }
    return st;
}

/* ---- texts that were checked before ---- */

/* Behind the string whose opening quote is at `at`. */
static const char *end_of_string(const char *at, const char *end)
{
    const char *quote = at, *start = at + 1;
    size_t backslashes;

    do {
        if (!(quote = memchr(quote + 1, '"', (size_t)(end - quote - 1))))
            return end;
        for (backslashes = 0; quote - backslashes > start && quote[-1 - (ptrdiff_t)backslashes] == '\\';)
            backslashes++;
    } while (backslashes % 2);
    return quote + 1;
}

static const char *end_of_scalar(const char *at, const char *end)
{
    while (at < end && !memchr(",]} \t\n\r", *at, 7))
        at++;
    return at;
}

typedef int8_t vbytes __attribute__((vector_size(16)));

/* How many bytes of a mask are set. */
static int count_set(vbytes mask)
{
    uint64_t words[2];

    mask = mask & 1;
    memcpy(words, &mask, sizeof words);
    return (int)((words[0] + words[1]) * XPL_WORD_OF(1) >> 56);
}

/* Sixteen bytes without a quote, in which the container cannot end, only change the depth. */
static bool changes_depth(const char *at, int *depth)
{
    vbytes bytes, brackets, quotes;
    uint64_t words[2];
    int closed;

    memcpy(&bytes, at, sizeof bytes);
    brackets = bytes | (int8_t)('{' ^ '[');
    quotes = bytes == (int8_t)'"';
    memcpy(words, &quotes, sizeof words);
    closed = count_set(brackets == (int8_t)'}');
    if ((words[0] | words[1]) || closed >= *depth)
        return false;
    *depth += count_set(brackets == (int8_t)'{') - closed;
    return true;
}

static const char *end_of_container(const char *at, const char *end)
{
    static const int8_t steps[256] = {['['] = 1, ['{'] = 1, [']'] = -1, ['}'] = -1};
    int depth = 0;

    do {
        while (end - at >= (ptrdiff_t)sizeof(vbytes) && changes_depth(at, &depth))
            at += sizeof(vbytes);
        if (*at == '"') {
            at = end_of_string(at, end);
            continue;
        }
        depth += steps[(unsigned char)*at++];
    } while (depth > 0 && at < end);
    return at;
}

static void find_end(struct xpl_json_scan *scan, enum xpl_json_kind kind)
{
    const char *at = scan->text + scan->at, *end = scan->text + scan->length;

    if (kind == XPL_JSON_OBJECT || kind == XPL_JSON_ARRAY)
        at = end_of_container(at, end);
    else
        at = kind == XPL_JSON_STRING ? end_of_string(at, end) : end_of_scalar(at, end);
    scan->at = (size_t)(at - scan->text);
}

enum xpl_status xpl_json_skip(struct xpl_json_scan *scan, struct xpl_text *ret_text)
{
    enum xpl_json_kind kind;
    enum xpl_status st = xpl_json_peek(scan, &kind);
    size_t start = scan->at;

    if (st)
        return st;
    if (scan->checked)
        find_end(scan, kind);
    else if ((st = read_value(scan)))
        return st;
    if (ret_text)
        *ret_text = (struct xpl_text){scan->text + start, scan->at - start};
    return XPL_OK;
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
