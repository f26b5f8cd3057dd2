/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orthogonal arrays for 17 to 63 superpixels: row x, column g is the parity of x & g. With columns whose pair sums all
 * differ the array has strength 4 (any four superpixels appear in all 16 combinations equally often); with the
 * complement of each row, strength 5. Columns from the powers of x and x^3 in a field of 2^m elements: the dual of a
 * double-error-correcting BCH code (MacWilliams & Sloane, "The Theory of Error-Correcting Codes", 1977, chapters 5, 7).
 */
#ifndef XPL_EXPLAIN_ARRAY_H
#define XPL_EXPLAIN_ARRAY_H

#include "lib/explain/designs/mask.h"

struct xpl_array {
    uint32_t n_segments;
    uint32_t columns[XPL_MAX_SEGMENTS];
    uint32_t least_bits, most_bits; /* of x; the complete arrays in between are nested */
};

/** The array for XPL_FIELD_SEGMENTS < n_segments <= XPL_MAX_SEGMENTS. */
void xpl_array_build(uint32_t n_segments, struct xpl_array *ret);

/** Rows of the folded array of that many bits. */
static inline size_t xpl_array_rows(uint32_t bits)
{
    return (size_t)2 << bits;
}

/** The mask of row x; row 0 shows everything. Its complement is the folded row. */
xpl_mask xpl_array_row(const struct xpl_array *array, uint32_t x);

#endif
