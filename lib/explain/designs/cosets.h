/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows that are blocks of the same linear code, each block shifted by a mask of its own. A matrix whose entries depend
 * on the exclusive or of two rows alone is then circulant in every block, and Walsh transforms take it apart into small
 * ones (MacWilliams & Sloane, "The Theory of Error-Correcting Codes", 1977, chapter 5).
 */
#ifndef XPL_EXPLAIN_COSETS_H
#define XPL_EXPLAIN_COSETS_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/explain/designs/mask.h"

struct xpl_cosets {
    size_t size;     /* of a block: a power of two, 1 at least */
    size_t count;    /* of the blocks */
    xpl_mask *span;  /* size: the code, so that span[x] ^ span[y] = span[x ^ y] */
    xpl_mask *first; /* count: what each block is shifted by */
    size_t *row;     /* size x count: row of the mask first[a] ^ span[x] at a * size + x */
};

/** The largest blocks that n distinct masks are made of, in the order in which they stand. It lives in `arena`. */
enum xpl_status xpl_cosets_find(struct xpl_arena *arena, const xpl_mask *masks, size_t n, struct xpl_cosets **ret,
                                struct xpl_error *err);

/** Walsh-Hadamard transform in place; `n` is a power of two. Its own inverse, but for the factor n. */
void xpl_walsh(double *values, size_t n);

#endif
