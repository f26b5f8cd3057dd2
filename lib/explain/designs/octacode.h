/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Nordstrom-Robinson code as the Gray image of the octacode over Z4.
 */
#ifndef XPL_EXPLAIN_OCTACODE_H
#define XPL_EXPLAIN_OCTACODE_H

#include <stdint.h>

#define XPL_OCTACODE_WORDS  256u
#define XPL_OCTACODE_KERNEL 32u

/** Bit j of a word = column j. Whole cosets of the kernel one after the other, the kernel itself first. */
struct xpl_octacode {
    uint32_t words[XPL_OCTACODE_WORDS];
};

void xpl_octacode_build(struct xpl_octacode *code);

/**
 * The word with its columns in the order in which superpixels take them: chosen so that the first 12 and more columns
 * of all stages of the ladder are distinct.
 */
uint32_t xpl_octacode_columns(uint32_t word);

#endif
