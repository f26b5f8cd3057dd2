/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of lists: a column must equal one of several values, written with commas between them. */
#ifndef XPL_DB_VALUE_LIST_H
#define XPL_DB_VALUE_LIST_H

#include "db/db.h"
#include "lib/base/buf.h"

/** Appends " AND column IN (?, …)", a question mark a value. `column` is a constant, never a client's text. */
void xpl_append_values(struct xpl_buf *sql, const char *column, const char *values);

/** Binds the values to them. */
void xpl_bind_values(struct xpl_stmt *stmt, const char *values);

#endif
