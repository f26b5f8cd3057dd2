/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict one-pass JSON scanner over borrowed text: no tree, no allocation, no recursion.
 *
 * For what is too large for a DOM (requests with 50,000 pixels) or comes in a hot loop (model answers), and as the
 * pre-scan that bounds depth and counts before a DOM is built. RFC 8259 syntax; bare NaN and Infinity are errors.
 *
 *     struct xpl_json_scan scan;
 *     xpl_json_scan_start(&scan, text, length, NULL, err);
 *     if ((st = xpl_json_enter_object(&scan)))          // the next value must be an object
 *         return st;
 *     while ((st = xpl_json_next_member(&scan, &name, &more)) == XPL_OK && more)
 *         if (xpl_text_equal(name, "values"))  st = ...read the value...
 *         else                                  st = xpl_json_skip(&scan, NULL);
 *
 * Errors are XPL_BAD_JSON with the byte position in the message. After an error the scan must not be used.
 */
#ifndef XPL_BASE_JSON_SCAN_H
#define XPL_BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/status.h"
#include "lib/base/text.h"

#define XPL_JSON_MAX_DEPTH    32
#define XPL_JSON_PLAIN_NUMBER 300 /* bytes; a shorter number without exponent is below 1e300 */

enum xpl_json_kind {
    XPL_JSON_OBJECT,
    XPL_JSON_ARRAY,
    XPL_JSON_STRING,
    XPL_JSON_NUMBER,
    XPL_JSON_TRUE,
    XPL_JSON_FALSE,
    XPL_JSON_NULL
};

/** 0 = no limit. Depth is bounded by XPL_JSON_MAX_DEPTH in any case. */
struct xpl_json_limits {
    size_t arrays;
    size_t objects;
    size_t numbers;
};

struct xpl_json_scan {
    const char *text;
    size_t length;
    size_t at;      /* byte position */
    unsigned depth; /* open containers */
    bool first;     /* nothing read yet in the innermost open container */
    bool checked;   /* the text was scanned before: xpl_json_skip only looks for the end */
    char open[XPL_JSON_MAX_DEPTH];
    struct xpl_json_limits limits, seen;
    struct xpl_error *err;
};

void xpl_json_scan_start(struct xpl_json_scan *scan, const char *text, size_t length,
                         const struct xpl_json_limits *limits, struct xpl_error *err);

/** For a part of a text that was scanned without an error: what is skipped now is not checked a second time. */
void xpl_json_rescan_start(struct xpl_json_scan *scan, struct xpl_text text, struct xpl_error *err);

/** What the next value is, without reading it. */
enum xpl_status xpl_json_peek(struct xpl_json_scan *scan, enum xpl_json_kind *ret_kind);

/** Opens the next value, which must be an object or array. */
enum xpl_status xpl_json_enter_object(struct xpl_json_scan *scan);
enum xpl_status xpl_json_enter_array(struct xpl_json_scan *scan);

/** The next member's name (as written, escapes not decoded); `*ret_more` = false closes the object. */
enum xpl_status xpl_json_next_member(struct xpl_json_scan *scan, struct xpl_text *ret_name, bool *ret_more);

/** Goes to the next element; `*ret_more` = false closes the array. */
enum xpl_status xpl_json_next_element(struct xpl_json_scan *scan, bool *ret_more);

/** How many of the bytes from `at` to `end` are a JSON number; 0 when they do not begin with one. `*exponents` is set
 * when it has an exponent. */
size_t xpl_json_number_length(const char *at, const char *end, bool *exponents);

/** Reads a number and gives its text. */
enum xpl_status xpl_json_number(struct xpl_json_scan *scan, struct xpl_text *ret_text);

/** What a run of numbers is like. */
struct xpl_json_numbers {
    size_t n;
    size_t longest; /* bytes of the longest text */
    bool exponents; /* at least one has an exponent */
};

/**
 * Reads the number that comes next and all that follow it as elements of the same array, as far as they are written one
 * after the other; xpl_json_next_element comes next.
 */
enum xpl_status xpl_json_numbers(struct xpl_json_scan *scan, struct xpl_json_numbers *ret);

/** What a run of arrays of numbers is like. */
struct xpl_json_number_rows {
    size_t n;
    size_t length; /* numbers in each */
};

/**
 * Pixels: reads arrays of plain numbers (without exponent, shorter than XPL_JSON_PLAIN_NUMBER bytes), all of the same
 * length, as far as they come one after the other as elements of the array that is open; xpl_json_next_element comes
 * next. n is 0, and nothing was read, when the next element is something else, broken or over a limit: the other
 * functions read it and say what is wrong.
 */
void xpl_json_number_rows(struct xpl_json_scan *scan, struct xpl_json_number_rows *ret);

/** Reads a string and gives its raw text between the quotes. */
enum xpl_status xpl_json_string(struct xpl_json_scan *scan, struct xpl_text *ret_raw);

/** Reads any value whole and gives its text; `ret_text` may be NULL. */
enum xpl_status xpl_json_skip(struct xpl_json_scan *scan, struct xpl_text *ret_text);

/** After the last value: nothing but blanks may follow. */
enum xpl_status xpl_json_end(struct xpl_json_scan *scan);

/** Checks a whole text: syntax, depth, limits, UTF-8. */
enum xpl_status xpl_json_check(const char *text, size_t length, const struct xpl_json_limits *limits,
                               struct xpl_error *err);

/** Decodes the raw text of a string into `out` (at least raw.length + 1 bytes). False for a broken escape or a NUL. */
bool xpl_json_unescape(struct xpl_text raw, char *out);

#endif
