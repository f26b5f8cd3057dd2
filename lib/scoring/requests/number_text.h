/* SPDX-License-Identifier: Apache-2.0 */
/* Walking over the numbers in a JSON text of nested arrays that was checked before. */
#ifndef XPL_SCORING_NUMBER_TEXT_H
#define XPL_SCORING_NUMBER_TEXT_H

static inline int xpl_is_number_start(char c)
{
    return c == '-' || (c >= '0' && c <= '9');
}

/** The next number at or behind `at`; `end` when there is none. */
static inline const char *xpl_find_number(const char *at, const char *end)
{
    while (at < end && !xpl_is_number_start(*at))
        at++;
    return at;
}

/** Behind the number at `at`. */
static inline const char *xpl_number_end(const char *at, const char *end)
{
    while (at < end && (xpl_is_number_start(*at) || *at == '.' || *at == '+' || *at == 'e' || *at == 'E'))
        at++;
    return at;
}

#endif
