/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/designs/octacode.h"

#include <stdbool.h>
#include <stddef.h>

/* The word of the Z4 combination whose coefficients are the base-4 digits of `index`, Gray-mapped to 16 bits. */
static uint32_t word_at(unsigned index)
{
    static const unsigned rows[4][8] = {
        {3, 3, 2, 3, 1, 0, 0, 0}, {3, 0, 3, 2, 3, 1, 0, 0}, {3, 0, 0, 3, 2, 3, 1, 0}, {3, 0, 0, 0, 3, 2, 3, 1}};
    static const uint32_t gray[] = {0x0, 0x2, 0x3, 0x1}; /* 0 -> 00, 1 -> 01, 2 -> 11, 3 -> 10, first bit lowest */
    uint32_t word = 0;

    for (unsigned column = 0; column < 8; column++) {
        unsigned sum = 0;

        for (unsigned row = 0; row < 4; row++)
            sum += (index >> (2 * row) & 3u) * rows[row][column];
        word |= gray[sum % 4] << (2 * column);
    }
    return word;
}

struct word_set {
    uint32_t bits[65536 / 32];
};

static bool holds(const struct word_set *set, uint32_t word)
{
    return set->bits[word / 32] >> (word % 32) & 1u;
}

static void put(struct word_set *set, uint32_t word)
{
    set->bits[word / 32] |= (uint32_t)1 << (word % 32);
}

/* The kernel: the words that map the code onto itself when added. */
static bool in_kernel(const struct word_set *code, const uint32_t *words, uint32_t word)
{
    for (size_t i = 0; i < XPL_OCTACODE_WORDS; i++)
        if (!holds(code, words[i] ^ word))
            return false;
    return true;
}

void xpl_octacode_build(struct xpl_octacode *code)
{
    uint32_t words[XPL_OCTACODE_WORDS], kernel[XPL_OCTACODE_KERNEL];
    struct word_set set = {0}, listed = {0};
    size_t n_kernel = 0, n = 0;

    for (unsigned i = 0; i < XPL_OCTACODE_WORDS; i++) {
        words[i] = word_at(i);
        put(&set, words[i]);
    }
    for (size_t i = 0; i < XPL_OCTACODE_WORDS && n_kernel < XPL_OCTACODE_KERNEL; i++)
        if (in_kernel(&set, words, words[i]))
            kernel[n_kernel++] = words[i];
    for (size_t i = 0; i < XPL_OCTACODE_WORDS; i++) {
        if (holds(&listed, words[i]))
            continue;
        for (size_t k = 0; k < n_kernel; k++) {
            put(&listed, words[i] ^ kernel[k]);
            code->words[n++] = words[i] ^ kernel[k];
        }
    }
}

uint32_t xpl_octacode_columns(uint32_t word)
{
    uint32_t swapped = (word >> 11 ^ word >> 12) & 1u; /* columns 0-10, 12, 11, 13, 14, 15 */

    return word ^ swapped << 11 ^ swapped << 12;
}
