/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A logged image as bytes: JSON texts with their arrays of whole numbers from 0 to 255 taken out, a byte for each, in a
 * form that gives back the same text to the last blank. What is left compresses better and faster.
 *
 * A packed text is: how many numbers (32 bits, the lowest byte first); the numbers; and what stands between them, as
 * parts until the end. A part begins with a number of 7 bits a byte, the lowest first, all but the last with their
 * highest bit set: 2 n = n bytes of text follow; 2 n + 1 = here are n arrays, and it follows how many numbers are in
 * each, in the same form, then a byte with bit 0 for blanks in the arrays and bit 1 for blanks between them.
 */
#ifndef XPL_DB_PACKING_H
#define XPL_DB_PACKING_H

#include "db/db.h"
#include "lib/base/text.h"

/** False when the text has too few such numbers to be worth it, or without memory. `ret` lives in `arena`. */
bool xpl_pack(struct xpl_arena *arena, struct xpl_text text, struct xpl_blob *ret);

/** Writes the text, which must be `size` bytes long; `out` has room for XPL_SMALL_ROWS_SLACK more. False: it is not. */
bool xpl_unpack(struct xpl_blob packed, char *out, size_t size);

#endif
