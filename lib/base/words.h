/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking at eight bytes of a text at once, in a 64-bit word. The masks have bit 7 of each byte set that is what was
 * asked for, and are exact. (The identities are in Warren, Hacker's Delight, 2nd ed., 6-1.)
 */
#ifndef XPL_BASE_WORDS_H
#define XPL_BASE_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define XPL_WORD_BYTES 8
#define XPL_WORD_OF(c) (UINT64_C(0x0101010101010101) * (uint8_t)(c))
#define XPL_WORD_HIGH  XPL_WORD_OF(0x80)
#define XPL_WORD_LOW   XPL_WORD_OF(0x7F)

/** The first byte of the text is the lowest one. */
static inline uint64_t xpl_word_at(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline uint64_t xpl_word_equal(uint64_t word, char c)
{
    uint64_t other = word ^ XPL_WORD_OF(c);

    return ~(((other & XPL_WORD_LOW) + XPL_WORD_LOW) | other) & XPL_WORD_HIGH;
}

static inline uint64_t xpl_word_not_digit(uint64_t word)
{
    uint64_t digit = word ^ XPL_WORD_OF('0');

    return (((digit & XPL_WORD_LOW) + XPL_WORD_OF(0x80 - 10)) | digit) & XPL_WORD_HIGH;
}

/** Bytes below a blank: control characters. */
static inline uint64_t xpl_word_control(uint64_t word)
{
    return ~(((word & XPL_WORD_LOW) + XPL_WORD_OF(0x80 - ' ')) | word) & XPL_WORD_HIGH;
}

/** Bytes in front of the first one of a mask that is not 0. */
static inline size_t xpl_word_first(uint64_t mask)
{
    return (size_t)__builtin_ctzll(mask) / 8;
}

/** Bytes of a mask. */
static inline int xpl_word_count(uint64_t mask)
{
    return (int)((mask >> 7) * XPL_WORD_OF(1) >> 56);
}

/** Behind the decimal digits at `at`. */
static inline const char *xpl_skip_digits(const char *at, const char *end)
{
    for (; end - at >= XPL_WORD_BYTES; at += XPL_WORD_BYTES) {
        uint64_t other = xpl_word_not_digit(xpl_word_at(at));

        if (other)
            return at + xpl_word_first(other);
    }
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

#endif
