/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sqlite_row.h"

#include <string.h>

static int column_of(struct xpl_row *row, const char *name)
{
    int n = sqlite3_column_count(row->handle);

    for (int i = 0; i < n; i++) {
        int column = (row->next + i) % n;

        if (strcmp(sqlite3_column_name(row->handle, column), name) == 0) {
            row->next = column + 1;
            return column;
        }
    }
    row->missing = name;
    return -1;
}

bool xpl_row_is_null(struct xpl_row *row, const char *column)
{
    int i = column_of(row, column);

    return i < 0 || sqlite3_column_type(row->handle, i) == SQLITE_NULL;
}

const char *xpl_row_text(struct xpl_row *row, const char *column)
{
    int i = column_of(row, column);
    const char *text = i < 0 ? NULL : (const char *)sqlite3_column_text(row->handle, i);
    const char *copy;

    if (!text)
        return NULL;
    copy = xpl_arena_string_n(row->arena, text, (size_t)sqlite3_column_bytes(row->handle, i));
    row->no_memory |= !copy;
    return copy;
}

int64_t xpl_row_int(struct xpl_row *row, const char *column)
{
    int i = column_of(row, column);

    return i < 0 ? 0 : sqlite3_column_int64(row->handle, i);
}

double xpl_row_double(struct xpl_row *row, const char *column)
{
    int i = column_of(row, column);

    return i < 0 ? 0 : sqlite3_column_double(row->handle, i);
}

struct xpl_blob xpl_row_blob(struct xpl_row *row, const char *column)
{
    int i = column_of(row, column);
    const void *data = i < 0 ? NULL : sqlite3_column_blob(row->handle, i);
    struct xpl_blob copy = {0};

    if (!data)
        return copy;
    copy.length = (size_t)sqlite3_column_bytes(row->handle, i);
    copy.data = xpl_arena_copy(row->arena, data, copy.length);
    row->no_memory |= !copy.data;
    return copy;
}

struct xpl_arena *xpl_row_arena(struct xpl_row *row)
{
    return row->arena;
}
