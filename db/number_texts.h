/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pixels as text that are no small whole numbers: k / 255, or those with a mean taken off, are many numbers of few
 * different texts. Each text is kept once, in the order in which they come, and a number is which of them it is.
 */
#ifndef XPL_DB_NUMBER_TEXTS_H
#define XPL_DB_NUMBER_TEXTS_H

#include "lib/base/arena.h"
#include "lib/base/small_rows.h"
#include "lib/base/text.h"

#define XPL_NUMBER_TEXT_BYTES 24 /* of the longest, and one more */
#define XPL_NUMBER_TEXTS_MOST 2048u

struct xpl_number_texts;

/** NULL without memory. Lives in `arena`. */
struct xpl_number_texts *xpl_number_texts_new(struct xpl_arena *arena);

/** How many texts there are, and the bytes that xpl_number_texts_write writes. */
uint32_t xpl_number_texts_count(const struct xpl_number_texts *texts);
size_t xpl_number_texts_bytes(const struct xpl_number_texts *texts);

/** Writes all texts, each with a comma behind it. Returns what is behind them. */
uint8_t *xpl_number_texts_write(const struct xpl_number_texts *texts, uint8_t *out);

/** More are different than could be worth it: reading on finds nothing. */
bool xpl_number_texts_too_many(const struct xpl_number_texts *texts);

/**
 * How many arrays of numbers from `at` on, where the first one begins, are equally long and written alike. Which texts
 * their numbers are goes to `out`, which has room for half as many as the text has bytes: n * length of them are valid.
 * Returns what is behind the last array; `at` when there is none.
 */
const char *xpl_number_rows_read(struct xpl_number_texts *texts, const char *at, const char *end, uint16_t *out,
                                 struct xpl_small_rows *ret);

/* ---- and back ---- */

/** A text and, in its last byte, its length. */
struct xpl_number_text {
    char text[XPL_NUMBER_TEXT_BYTES];
};

/** Reads `n` texts as they were written. Returns what is behind them; NULL when they are not there. */
const uint8_t *xpl_number_texts_read(const uint8_t *at, const uint8_t *end, uint32_t n, struct xpl_number_text *out);

/** Numbers as the lower and the higher bytes of which text they are; `high` is NULL when there are 256 texts at most.
 */
struct xpl_number_codes {
    const uint8_t *low, *high;
    const struct xpl_number_text *texts;
    uint32_t n_texts;
};

/** Writes what was read, and returns what is behind it; NULL when that would be behind `end`, or a number has no text.
 * Up to XPL_PACKING_SLACK bytes behind the end may be spoilt. */
char *xpl_number_rows_write(const struct xpl_small_rows *rows, const struct xpl_number_codes *codes, char *out,
                            const char *end);

#endif
