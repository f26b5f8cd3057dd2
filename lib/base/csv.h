/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comma-separated values (RFC 4180), row by row: quoted cells with doubled quotes and line breaks in them, CRLF or LF,
 * any one-byte delimiter. Cells are slices of the text wherever nothing in them is escaped. Blank lines are no rows.
 */
#ifndef XPL_BASE_CSV_H
#define XPL_BASE_CSV_H

#include <stdbool.h>

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/base/text.h"

struct xpl_csv {
    struct xpl_arena *arena; /* for cells with escapes */
    char delimiter;
    size_t max_row_bytes;
    const char *at, *end; /* what is left */
    size_t line;          /* where `at` is, from 1 */
};

struct xpl_csv_row {
    struct xpl_text *cells; /* room for max_cells */
    size_t max_cells;
    size_t n_cells;
    size_t line; /* where the row begins */
};

/** The byte order mark of UTF-8 that some programs write is left out. */
void xpl_csv_start(struct xpl_csv *csv, struct xpl_arena *arena, struct xpl_text text, char delimiter,
                   size_t max_row_bytes);

/**
 * The next row; `ret_more` false when there is none. XPL_BAD_FIELD, with the place in the message, when it is no row:
 * the one after it can be read then. XPL_NO_MEMORY.
 */
enum xpl_status xpl_csv_next(struct xpl_csv *csv, struct xpl_csv_row *row, bool *ret_more, struct xpl_error *err);

#endif
