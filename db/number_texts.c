/* SPDX-License-Identifier: Apache-2.0 */
#include "db/number_texts.h"

#include <string.h>

#include "lib/base/words.h"

#define INLINE     static inline __attribute__((always_inline))
#define WORDS      (XPL_NUMBER_TEXT_BYTES / XPL_WORD_BYTES)
#define SLOTS      8192u /* a power of two, some times as many as texts */
#define SLOT_BITS  13
#define MAX_PROBES 32u                          /* texts that were made to collide are not worth it */
#define FIRST_ONES 384u                         /* may all be different; later ones are known by half */
#define MULTIPLIER UINT64_C(0x9E3779B97F4A7C15) /* 2^64 / golden ratio: spreads a product's high bits */

/* The bytes of a text, the first one lowest, then zeros, and in the highest byte of the last word how many they are. */
struct words {
    uint64_t word[WORDS];
};

struct xpl_number_texts {
    uint32_t n;
    bool too_many;
    size_t n_read, bytes;
    uint16_t slots[SLOTS]; /* of the hash of a text: its place + 1 */
    struct words texts[XPL_NUMBER_TEXTS_MOST];
};

struct xpl_number_texts *xpl_number_texts_new(struct xpl_arena *arena)
{
    return XPL_NEW(arena, struct xpl_number_texts);
}

uint32_t xpl_number_texts_count(const struct xpl_number_texts *texts)
{
    return texts->n;
}

size_t xpl_number_texts_bytes(const struct xpl_number_texts *texts)
{
    return texts->bytes;
}

bool xpl_number_texts_too_many(const struct xpl_number_texts *texts)
{
    return texts->too_many;
}

INLINE size_t length_of(const struct words *text)
{
    return text->word[WORDS - 1] >> 56;
}

uint8_t *xpl_number_texts_write(const struct xpl_number_texts *texts, uint8_t *out)
{
    for (uint32_t k = 0; k < texts->n; k++) {
        const struct words *text = &texts->texts[k];

        for (size_t i = 0; i < length_of(text); i++)
            *out++ = (uint8_t)(text->word[i / XPL_WORD_BYTES] >> 8 * (i % XPL_WORD_BYTES));
        *out++ = ',';
    }
    return out;
}

/* ---- reading rows ---- */

/* Where a number's text could end: at a comma, a bracket, and two letters that no number has. */
INLINE uint64_t ends_of(uint64_t word)
{
    return xpl_word_equal(word, ',') | xpl_word_equal(word | XPL_WORD_OF('[' ^ ']'), '[' | ']');
}

/* The text of a number that begins at `at`, where XPL_NUMBER_TEXT_BYTES can be read. False when it is none of ours. */
INLINE bool take_words(const char *at, struct words *ret)
{
    *ret = (struct words){0};
    if (*at != '-' && (*at < '0' || *at > '9'))
        return false;
    for (size_t i = 0; i < WORDS; i++) {
        uint64_t word = xpl_word_at(at + i * XPL_WORD_BYTES), ends = ends_of(word);

        if (ends) {
            size_t n = xpl_word_first(ends);

            ret->word[i] = word & ((UINT64_C(1) << 8 * n) - 1);
            ret->word[WORDS - 1] |= (uint64_t)(i * XPL_WORD_BYTES + n) << 56;
            return true;
        }
        ret->word[i] = word;
    }
    return false;
}

INLINE bool take_text(const char *at, const char *end, struct words *ret)
{
    char copy[XPL_NUMBER_TEXT_BYTES] = {0};

    if (end - at >= XPL_NUMBER_TEXT_BYTES)
        return take_words(at, ret);
    memcpy(copy, at, (size_t)(end - at));
    return take_words(copy, ret);
}

INLINE bool are_equal(const struct words *a, const struct words *b)
{
    return !((a->word[0] ^ b->word[0]) | (a->word[1] ^ b->word[1]) | (a->word[2] ^ b->word[2]));
}

static bool add_text(struct xpl_number_texts *texts, const struct words *text, uint16_t *slot)
{
    texts->too_many = texts->n == XPL_NUMBER_TEXTS_MOST || texts->n > FIRST_ONES + texts->n_read / 2;
    if (texts->too_many)
        return false;
    texts->bytes += length_of(text) + 1;
    texts->texts[texts->n++] = *text;
    *slot = (uint16_t)texts->n;
    return true;
}

/* Which text this is, a new one or one of those before. */
INLINE bool find_text(struct xpl_number_texts *texts, const struct words *text, uint16_t *ret)
{
    uint64_t hash = ((text->word[0] * MULTIPLIER ^ text->word[1]) * MULTIPLIER ^ text->word[2]) * MULTIPLIER;
    size_t at = hash >> (64 - SLOT_BITS);

    texts->n_read++;
    for (unsigned probe = 0; probe < MAX_PROBES; probe++, at = (at + 1) % SLOTS) {
        if (!texts->slots[at] && !add_text(texts, text, &texts->slots[at]))
            return false;
        *ret = (uint16_t)(texts->slots[at] - 1);
        if (are_equal(&texts->texts[*ret], text))
            return true;
    }
    texts->too_many = true;
    return false;
}

/* What is behind a comma, and a blank if there is one; NULL when not as `blank` says. */
INLINE const char *behind_comma(const char *comma, const char *end, bool blank)
{
    bool has_blank = end - comma > 1 && comma[1] == ' ';

    return has_blank == blank ? comma + 1 + blank : NULL;
}

/* Reads one array from its bracket on. Returns what is behind it; NULL when it is none of ours. */
INLINE const char *read_row(struct xpl_number_texts *texts, const char *bracket, const char *end, uint16_t *out,
                            struct xpl_small_rows *rows, size_t *ret_length)
{
    const char *at = bracket + 1;
    struct words text;

    for (*ret_length = 1; at && at < end; ++*ret_length) {
        if (!take_text(at, end, &text) || !find_text(texts, &text, &out[*ret_length - 1]))
            return NULL;
        at += length_of(&text);
        if (*at != ',')
            return *at == ']' ? at + 1 : NULL;
        if (rows->n == 0 && *ret_length == 1)
            rows->blank_in_row = end - at > 1 && at[1] == ' ';
        at = behind_comma(at, end, rows->blank_in_row);
    }
    return NULL;
}

const char *xpl_number_rows_read(struct xpl_number_texts *texts, const char *at, const char *end, uint16_t *out,
                                 struct xpl_small_rows *ret)
{
    const char *behind = at;
    size_t length;

    *ret = (struct xpl_small_rows){0};
    while (at && at < end && *at == '[') {
        if (!(at = read_row(texts, at, end, out, ret, &length)) || (ret->n > 0 && length != ret->length))
            break;
        behind = at;
        ret->length = length;
        ret->n++;
        out += length;
        if (at == end || *at != ',')
            break;
        if (ret->n == 1)
            ret->blank_between = end - at > 1 && at[1] == ' ';
        at = behind_comma(at, end, ret->blank_between);
    }
    ret->blank_between = ret->n > 1 && ret->blank_between;
    return behind;
}

/* ---- and back ---- */

const uint8_t *xpl_number_texts_read(const uint8_t *at, const uint8_t *end, uint32_t n, struct xpl_number_text *out)
{
    for (; n > 0; n--, out++) {
        const uint8_t *comma = memchr(at, ',', (size_t)(end - at));

        if (!comma || comma == at || comma - at >= XPL_NUMBER_TEXT_BYTES)
            return NULL;
        memcpy(out->text, at, (size_t)(comma - at));
        out->text[XPL_NUMBER_TEXT_BYTES - 1] = (char)(comma - at);
        at = comma + 1;
    }
    return at;
}

INLINE char *put_comma(char *at, bool blank)
{
    at[0] = ',';
    at[1] = ' ';
    return at + 1 + blank;
}

char *xpl_number_rows_write(const struct xpl_small_rows *rows, const struct xpl_number_codes *codes, char *out,
                            const char *end)
{
    size_t at = 0;

    for (size_t row = 0; row < rows->n; row++) {
        if (row > 0)
            out = put_comma(out, rows->blank_between);
        *out++ = '[';
        for (size_t i = 0; i < rows->length; i++, at++) {
            size_t code = codes->low[at] + (codes->high ? codes->high[at] * (size_t)256 : 0);

            if (out > end || code >= codes->n_texts)
                return NULL;
            if (i > 0)
                out = put_comma(out, rows->blank_in_row);
            memcpy(out, codes->texts[code].text, XPL_NUMBER_TEXT_BYTES);
            out += (uint8_t)codes->texts[code].text[XPL_NUMBER_TEXT_BYTES - 1];
        }
        *out++ = ']';
    }
    return out <= end ? out : NULL;
}
