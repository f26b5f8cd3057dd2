/* SPDX-License-Identifier: Apache-2.0 */
#include "db/value_list.h"

#include <string.h>

void xpl_append_values(struct xpl_buf *sql, const char *column, const char *values)
{
    xpl_buf_printf(sql, " AND %s IN (?", column);
    for (; *values; values++)
        if (*values == ',')
            xpl_buf_string(sql, ", ?");
    xpl_buf_string(sql, ")");
}

void xpl_bind_values(struct xpl_stmt *st, const char *values)
{
    for (;;) {
        size_t length = strcspn(values, ",");

        xpl_bind_text_n(st, values, length);
        if (!values[length])
            return;
        values += length + 1;
    }
}
