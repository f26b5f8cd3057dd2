/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/small_rows.h"

#include <string.h>

#include "lib/base/words.h"

#define INLINE      static inline __attribute__((always_inline))
#define BLOCK       64
#define MAX_DIGITS  7u
#define BYTE_DIGITS 3u

/* The bytes of a text that are no digits, one after the other. */
struct marks {
    const char *block, *end;
    uint64_t left; /* in the block: bit i = byte i */
};

/* Bit i = byte i of the word has its highest bit set. */
INLINE uint64_t bits_of(uint64_t mask)
{
    return (mask >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

INLINE uint64_t marks_of(const char *block, const char *end)
{
    uint64_t marks = 0;

    if (end - block >= BLOCK) {
        for (unsigned i = 0; i < BLOCK; i += XPL_WORD_BYTES)
            marks |= bits_of(xpl_word_not_digit(xpl_word_at(block + i))) << i;
        return marks;
    }
    for (unsigned i = 0; i < end - block; i++)
        if (block[i] < '0' || block[i] > '9')
            marks |= UINT64_C(1) << i;
    return marks;
}

/* NULL at the end. */
INLINE const char *next_mark(struct marks *m)
{
    const char *mark;

    while (!m->left) {
        if (m->end - m->block <= BLOCK)
            return NULL;
        m->block += BLOCK;
        m->left = marks_of(m->block, m->end);
    }
    mark = m->block + __builtin_ctzll(m->left);
    m->left &= m->left - 1;
    return mark;
}

/* What is behind a comma, and a blank if there is one; NULL when not as `blank` says. */
INLINE const char *behind_comma(struct marks *m, const char *comma, bool blank)
{
    const char *at = comma + 1;

    if ((at < m->end && *at == ' ') != blank)
        return NULL;
    return blank ? next_mark(m) + 1 : at;
}

static bool has_blank(const struct marks *m, const char *comma)
{
    return m->end - comma > 1 && comma[1] == ' ';
}

/* Of up to three digits: those in front are shifted out of nothing. */
INLINE unsigned value_of(const char *digits, size_t n, const char *end)
{
    uint64_t word = 0;

    if (end - digits >= XPL_WORD_BYTES)
        word = xpl_word_at(digits);
    else
        memcpy(&word, digits, n);
    word = (word & XPL_WORD_OF(0x0F)) << (8 * (BYTE_DIGITS - n));
    return (unsigned)(word >> 16 & 0xFF) + 10 * (unsigned)(word >> 8 & 0xFF) + 100 * (unsigned)(word & 0xFF);
}

/* Reads one array, of which the bracket was a mark. Returns what is behind it; NULL when it is none of ours. */
INLINE const char *read_row(struct marks *m, const char *bracket, unsigned max_digits, uint8_t *out,
                            struct xpl_small_rows *rows, size_t *ret_length)
{
    const char *number = bracket + 1, *mark;
    unsigned value;

    for (*ret_length = 1; number && (mark = next_mark(m)); ++*ret_length) {
        size_t digits = (size_t)(mark - number);

        if (digits - 1 >= max_digits || (digits > 1 && *number == '0'))
            return NULL;
        if (out && (value = value_of(number, digits, m->end)) > UINT8_MAX)
            return NULL;
        if (out)
            out[*ret_length - 1] = (uint8_t)value;
        if (*mark != ',')
            return *mark == ']' ? mark + 1 : NULL;
        if (rows->n == 0 && *ret_length == 1)
            rows->blank_in_row = has_blank(m, mark);
        number = behind_comma(m, mark, rows->blank_in_row);
    }
    return NULL;
}

/* Whether the first number ends as one of ours does: most that are none are told by eight bytes. */
INLINE bool may_begin(const char *at, const char *end)
{
    uint64_t others;
    char mark;

    if (end - at <= XPL_WORD_BYTES)
        return at < end && *at == '[';
    others = xpl_word_not_digit(xpl_word_at(at + 1));
    mark = others ? at[1 + xpl_word_first(others)] : '\0';
    return *at == '[' && (mark == ',' || mark == ']');
}

INLINE const char *read_rows(const char *at, const char *end, unsigned max_digits, uint8_t *out,
                             struct xpl_small_rows *ret)
{
    const char *behind = at, *bracket, *comma;
    struct marks m;
    size_t length;

    *ret = (struct xpl_small_rows){0};
    if (!may_begin(at, end))
        return at;
    m = (struct marks){at, end, marks_of(at, end)};
    bracket = next_mark(&m);
    while (bracket && *bracket == '[') {
        if (!(at = read_row(&m, bracket, max_digits, out, ret, &length)) || (ret->n > 0 && length != ret->length))
            break;
        behind = at;
        ret->length = length;
        ret->n++;
        if (out)
            out += length;
        if (!(comma = next_mark(&m)) || comma != at || *comma != ',')
            break;
        if (ret->n == 1)
            ret->blank_between = has_blank(&m, comma);
        if (!(at = behind_comma(&m, comma, ret->blank_between)) || (bracket = next_mark(&m)) != at)
            break;
    }
    ret->blank_between = ret->n > 1 && ret->blank_between;
    return behind;
}

const char *xpl_small_rows_measure(const char *at, const char *end, struct xpl_small_rows *ret)
{
    return read_rows(at, end, MAX_DIGITS, NULL, ret);
}

const char *xpl_small_rows_read(const char *at, const char *end, uint8_t *out, struct xpl_small_rows *ret)
{
    return read_rows(at, end, BYTE_DIGITS, out, ret);
}

/* ---- writing ---- */

INLINE char *put_number(char *at, unsigned value)
{
    char text[4] = {(char)('0' + value / 100), (char)('0' + value / 10 % 10), (char)('0' + value % 10)};
    unsigned skipped = value < 10 ? 2 : value < 100;

    memcpy(at, text + skipped, BYTE_DIGITS - skipped);
    return at + BYTE_DIGITS - skipped;
}

INLINE char *put_comma(char *at, bool blank)
{
    at[0] = ',';
    at[1] = ' ';
    return at + 1 + blank;
}

char *xpl_small_rows_write(const struct xpl_small_rows *rows, const uint8_t *values, char *out, const char *end)
{
    for (size_t row = 0; row < rows->n; row++) {
        if (row > 0)
            out = put_comma(out, rows->blank_between);
        *out++ = '[';
        for (size_t i = 0; i < rows->length; i++, values++) {
            if (out > end)
                return NULL;
            if (i > 0)
                out = put_comma(out, rows->blank_in_row);
            out = put_number(out, *values);
        }
        *out++ = ']';
    }
    return out <= end ? out : NULL;
}
