/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A logged image as bytes: JSON texts with their arrays of numbers taken out, in a form that gives back the same text
 * to the last blank. What is left compresses better and faster. Whole numbers from 0 to 255 take a byte each; where
 * others have few different texts, a number is which of them it is, in one byte or two.
 *
 * A packed text is: how many numbers (32 bits, the lowest byte first); the numbers; and what stands between them, as
 * parts until the end. A part begins with a number of 7 bits a byte, the lowest first, all but the last with their
 * highest bit set: 2 n = n bytes of text follow; 2 n + 1 = here are n arrays, and it follows how many numbers are in
 * each, in the same form, then a byte with bit 0 for blanks in the arrays and bit 1 for blanks between them.
 *
 * With texts it is: how many numbers; how many texts (16 bits); the lower bytes of all numbers; their higher bytes
 * when there are more than 256 texts; the texts, each with a comma behind it; the parts.
 */
#ifndef XPL_DB_PACKING_H
#define XPL_DB_PACKING_H

#include "db/db.h"
#include "lib/base/text.h"

#define XPL_PACKING_SLACK 32 /* bytes behind the end that xpl_unpack may spoil */

enum xpl_packing {
    XPL_NOT_PACKED,
    XPL_PACKED_BYTES,
    XPL_PACKED_TEXTS
};

/** Not packed when the text has too few such numbers to be worth it, or without memory. `ret` lives in `arena`. */
enum xpl_packing xpl_pack(struct xpl_arena *arena, struct xpl_text text, struct xpl_blob *ret);

/**
 * Writes the text, which must be `size` bytes long; `out` has room for XPL_PACKING_SLACK more. XPL_STORAGE_FAILED: it
 * is not; XPL_NO_MEMORY: `arena` has no room for the texts of the numbers.
 */
enum xpl_status xpl_unpack(struct xpl_arena *arena, enum xpl_packing packing, struct xpl_blob packed, char *out,
                           size_t size);

#endif
