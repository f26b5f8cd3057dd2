/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/designs/cosets.h"

#include <string.h>

#define MAX_BITS 63u

/* Independent words; each has a bit that none of the others has. */
struct basis {
    xpl_mask words[MAX_BITS];
    unsigned pivots[MAX_BITS];
    unsigned n;
};

/* What is left of a word, and which of the basis it is made of. */
static xpl_mask reduce(const struct basis *b, xpl_mask word, size_t *ret_index)
{
    size_t index = 0;

    for (unsigned k = 0; k < b->n; k++)
        index |= (size_t)(word >> b->pivots[k] & 1u) << k;
    for (unsigned k = 0; k < b->n; k++)
        if (index >> k & 1u)
            word ^= b->words[k];
    *ret_index = index;
    return word;
}

static void extend(struct basis *b, xpl_mask rest)
{
    unsigned pivot = (unsigned)__builtin_ctzll(rest);

    for (unsigned k = 0; k < b->n; k++)
        if (b->words[k] >> pivot & 1u)
            b->words[k] ^= rest;
    b->words[b->n] = rest;
    b->pivots[b->n++] = pivot;
}

/* Whether the first 2^bits masks are a shifted linear code. */
static bool find_basis(const xpl_mask *masks, unsigned bits, struct basis *ret)
{
    ret->n = 0;
    for (size_t i = 1; i < (size_t)1 << bits; i++) {
        size_t index;
        xpl_mask rest = reduce(ret, masks[i] ^ masks[0], &index);

        if (rest == 0)
            continue;
        if (ret->n == bits)
            return false;
        extend(ret, rest);
    }
    return ret->n == bits;
}

static bool are_blocks(const xpl_mask *masks, size_t n, const struct basis *b)
{
    size_t index, size = (size_t)1 << b->n;

    for (size_t i = 0; i < n; i++)
        if (reduce(b, masks[i] ^ masks[i / size * size], &index) != 0)
            return false;
    return true;
}

static enum xpl_status lay_out(struct xpl_arena *arena, const xpl_mask *masks, size_t n, const struct basis *b,
                               struct xpl_cosets **ret, struct xpl_error *err)
{
    struct xpl_cosets *c = XPL_NEW(arena, struct xpl_cosets);
    size_t index;

    if (!c)
        return xpl_no_memory(err);
    c->size = (size_t)1 << b->n;
    c->count = n / c->size;
    c->span = XPL_NEW_ARRAY(arena, xpl_mask, c->size);
    c->first = XPL_NEW_ARRAY(arena, xpl_mask, c->count);
    c->row = XPL_NEW_ARRAY(arena, size_t, n);
    if (!c->span || !c->first || !c->row)
        return xpl_no_memory(err);
    for (size_t x = 1; x < c->size; x++)
        c->span[x] = c->span[x & (x - 1)] ^ b->words[__builtin_ctzll(x)];
    for (size_t i = 0; i < n; i++) {
        size_t block = i / c->size;

        c->first[block] = masks[block * c->size];
        reduce(b, masks[i] ^ c->first[block], &index);
        c->row[block * c->size + index] = i;
    }
    *ret = c;
    return XPL_OK;
}

enum xpl_status xpl_cosets_find(struct xpl_arena *arena, const xpl_mask *masks, size_t n, struct xpl_cosets **ret,
                                struct xpl_error *err)
{
    struct basis basis;
    unsigned bits = (unsigned)__builtin_ctzll(n);

    while (!find_basis(masks, bits, &basis) || !are_blocks(masks, n, &basis))
        bits--; /* ends: a mask alone is a block */
    return lay_out(arena, masks, n, &basis, ret, err);
}

void xpl_walsh(double *values, size_t n)
{
    for (size_t half = 1; half < n; half *= 2) {
        for (size_t block = 0; block < n; block += 2 * half) {
            double *restrict low = values + block, *restrict high = low + half;

            for (size_t i = 0; i < half; i++) {
                double value = high[i];

                high[i] = low[i] - value;
                low[i] += value;
            }
        }
    }
}
