/* SPDX-License-Identifier: Apache-2.0 */
/* The row a reader sees, on SQLite. Private to the backend. */
#ifndef XPL_DB_SQLITE_ROW_H
#define XPL_DB_SQLITE_ROW_H

#include <sqlite3.h>

#include "db/db.h"

struct xpl_row {
    sqlite3_stmt *handle;
    struct xpl_arena *arena;
    const char *missing; /* a column that was asked for and is not there */
    int next;            /* readers mostly ask in the order of the query: look here first */
    bool no_memory;
};

#endif
