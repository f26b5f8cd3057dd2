/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/csv.h"

#include <string.h>

void xpl_csv_start(struct xpl_csv *csv, struct xpl_arena *arena, struct xpl_text text, char delimiter,
                   size_t max_row_bytes)
{
    text = xpl_text_without_mark(text);
    *csv = (struct xpl_csv){.arena = arena,
                            .delimiter = delimiter,
                            .max_row_bytes = max_row_bytes,
                            .at = text.ptr,
                            .end = text.ptr + text.length,
                            .line = 1};
}

static bool at_line_end(const struct xpl_csv *csv)
{
    return csv->at == csv->end || *csv->at == '\n' ||
           (*csv->at == '\r' && (csv->at + 1 == csv->end || csv->at[1] == '\n'));
}

static void skip_line_end(struct xpl_csv *csv)
{
    if (csv->at < csv->end && *csv->at == '\r')
        csv->at++;
    if (csv->at < csv->end && *csv->at == '\n')
        csv->at++;
    csv->line++;
}

/* A copy in which doubled quotes are single ones. */
static enum xpl_status unescape(struct xpl_csv *csv, struct xpl_text *cell, struct xpl_error *err)
{
    char *copy = xpl_arena_alloc(csv->arena, cell->length + 1);
    size_t n = 0;

    if (!copy)
        return xpl_no_memory(err);
    for (size_t i = 0; i < cell->length; i++) {
        copy[n++] = cell->ptr[i];
        i += cell->ptr[i] == '"';
    }
    *cell = (struct xpl_text){copy, n};
    return XPL_OK;
}

/* Behind the opening quote. */
static enum xpl_status read_quoted(struct xpl_csv *csv, struct xpl_text *ret, struct xpl_error *err)
{
    const char *start = csv->at;
    size_t line = csv->line;
    bool escaped = false;

    for (;; csv->at++) {
        if (csv->at == csv->end)
            return xpl_fail(err, XPL_BAD_FIELD, "the quote that opens on line %zu is not closed", line);
        csv->line += *csv->at == '\n';
        if (*csv->at != '"')
            continue;
        if (csv->at + 1 == csv->end || csv->at[1] != '"')
            break;
        escaped = true;
        csv->at++;
    }
    *ret = (struct xpl_text){start, (size_t)(csv->at - start)};
    csv->at++;
    return escaped ? unescape(csv, ret, err) : XPL_OK;
}

static struct xpl_text read_plain(struct xpl_csv *csv)
{
    const char *start = csv->at;

    while (!at_line_end(csv) && *csv->at != csv->delimiter)
        csv->at++;
    return (struct xpl_text){start, (size_t)(csv->at - start)};
}

static enum xpl_status read_cell(struct xpl_csv *csv, struct xpl_csv_row *row, struct xpl_error *err)
{
    struct xpl_text cell;
    enum xpl_status st;

    if (csv->at < csv->end && *csv->at == '"') {
        csv->at++;
        if ((st = read_quoted(csv, &cell, err)))
            return st;
        if (!at_line_end(csv) && *csv->at != csv->delimiter)
            return xpl_fail(err, XPL_BAD_FIELD, "column %zu goes on behind its closing quote", row->n_cells + 1);
    } else {
        cell = read_plain(csv);
    }
    if (row->n_cells == row->max_cells)
        return xpl_fail(err, XPL_BAD_FIELD, "has more than %zu columns", row->max_cells);
    row->cells[row->n_cells++] = cell;
    return XPL_OK;
}

static void skip_rest_of_line(struct xpl_csv *csv)
{
    while (!at_line_end(csv))
        csv->at++;
    skip_line_end(csv);
}

enum xpl_status xpl_csv_next(struct xpl_csv *csv, struct xpl_csv_row *row, bool *ret_more, struct xpl_error *err)
{
    const char *start;
    enum xpl_status st;

    while (csv->at < csv->end && at_line_end(csv))
        skip_line_end(csv);
    *ret_more = csv->at < csv->end;
    row->n_cells = 0;
    row->line = csv->line;
    start = csv->at;
    if (!*ret_more)
        return XPL_OK;
    while (!(st = read_cell(csv, row, err)) && !at_line_end(csv))
        csv->at++;
    if (!st && (size_t)(csv->at - start) > csv->max_row_bytes)
        st = xpl_fail(err, XPL_BAD_FIELD, "has %zu bytes; the limit is %zu (csv_max_line_length)",
                      (size_t)(csv->at - start), csv->max_row_bytes);
    if (st)
        skip_rest_of_line(csv);
    else
        skip_line_end(csv);
    return st;
}
