/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pixels as text: arrays of short whole numbers, one after the other, as "[12,255,0],[7,0,1]". The ends of the numbers
 * are found for 64 bytes at once, so that no number waits for the one before it.
 */
#ifndef XPL_BASE_SMALL_ROWS_H
#define XPL_BASE_SMALL_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XPL_SMALL_ROWS_SLACK 16 /* bytes behind the end that xpl_small_rows_write may spoil */

struct xpl_small_rows {
    size_t n;                         /* arrays */
    size_t length;                    /* numbers in each, at least one */
    bool blank_in_row, blank_between; /* behind every comma in an array, behind every one between two; false where there
                                         is none */
};

/**
 * How many arrays from `at` on, where the first one begins, are of whole numbers of up to seven digits without sign and
 * needless zeros, equally long and written alike. Returns what is behind the last one; `at` when there is none.
 */
const char *xpl_small_rows_measure(const char *at, const char *end, struct xpl_small_rows *ret);

/**
 * The same of numbers up to 255. They go to `out`, which has room for half as many as the text has bytes: n * length of
 * them are valid.
 */
const char *xpl_small_rows_read(const char *at, const char *end, uint8_t *out, struct xpl_small_rows *ret);

/** Writes what was read, and returns what is behind it; NULL when that would be behind `end`. */
char *xpl_small_rows_write(const struct xpl_small_rows *rows, const uint8_t *values, char *out, const char *end);

#endif
