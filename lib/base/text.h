/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text: slices, numbers, percent-encoding, UTF-8.
 */
#ifndef XPL_BASE_TEXT_H
#define XPL_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Borrowed bytes, not terminated. */
struct xpl_text {
    const char *ptr;
    size_t length;
};

/** A slice of a string; "" for NULL. */
struct xpl_text xpl_text_of(const char *string);
bool xpl_text_equal(struct xpl_text text, const char *string);
bool xpl_starts_with(const char *string, const char *prefix);
bool xpl_ends_with(const char *string, const char *suffix);

/** Without the white space of JSON around it. */
struct xpl_text xpl_text_trim(struct xpl_text text);

/** Without the byte order mark of UTF-8 that some programs write in front. */
struct xpl_text xpl_text_without_mark(struct xpl_text text);

/** A decimal integer that fills the whole string and lies within [min, max]; no blanks, no plus sign. */
bool xpl_parse_int(const char *string, int64_t min, int64_t max, int64_t *ret_value);

/** "true" or "false", nothing else. */
bool xpl_parse_bool(const char *string, bool *ret_value);

/** A JSON number's value, correctly rounded; the caller has checked the syntax. */
double xpl_parse_double(const char *text, size_t length);

/** Decodes %XX (and '+' as blank when `plus_is_blank`) in place. False for a broken escape or an encoded NUL. */
bool xpl_percent_decode(char *string, bool plus_is_blank);

/** Puts ASCII letters into lower case, in place; returns `string`, which may be NULL. */
char *xpl_lower(char *string);

/** True for well-formed UTF-8 (no surrogates, no overlong forms). */
bool xpl_is_utf8(const char *text, size_t length);

/** Puts a '?' in the place of every byte that is not part of a well-formed sequence, such as one that was cut. */
void xpl_repair_utf8(char *string);

#endif
