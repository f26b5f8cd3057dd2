/* SPDX-License-Identifier: Apache-2.0 */
#include "api/records/records_csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/configuration/resource.h"
#include "api/errors.h"
#include "api/json_spec.h"
#include "api/json_text.h"
#include "api/records/records_csv_options.h"
#include "lib/base/csv.h"

#define MAX_COLUMNS    64u
#define ESCAPED        6u /* bytes of JSON for one in a cell, at most */
#define ROOM_FOR_NAMES 1024u
#define MAX_PROBLEMS   100u /* that are told */

/* Without a header these are the columns, as many as there are. */
static const char *const default_columns[] = {"scoring_input",     "probability",   "prediction",     "scoring_id",
                                              "scoring_timestamp", "response_time", "asset_revision", "user_id"};

/* What is JSON in a cell when it looks like it; all others are text. */
static const char *const json_columns[] = {
    "request",       "response",   "scoring_input",      "image",        "input", "values", "probability",
    "probabilities", "prediction", "prediction_classes", "response_time"};

struct reading {
    struct xpl_call *call;
    struct xpl_record_batch *batch;
    struct xpl_csv_options options;
    struct xpl_csv csv;
    struct xpl_text names[MAX_COLUMNS], cells[MAX_COLUMNS];
    size_t n_columns;
    size_t *lines; /* where the rows of the batch begin */
    json_t *problems;
    size_t n_left_out;
};

bool xpl_records_are_csv(const struct xpl_call *call)
{
    const char *type = xpl_call_header(call, "Content-Type");

    return type && strncasecmp(type, "text/csv", 8) == 0 && strchr(" ;", type[8]);
}

/* ---- a row as a JSON object ---- */

static bool is_one_of(struct xpl_text name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (xpl_text_equal(name, list[i]))
            return true;
    return false;
}

/* A cell that begins as an array, an object or a string of JSON must be one; numbers may be. */
static bool is_json(struct xpl_text cell, struct xpl_error *err)
{
    struct xpl_error ignored = {0};
    bool may_be = cell.length > 0 && strchr("-0123456789", *cell.ptr);

    if (cell.length > 0 && strchr("[{\"", *cell.ptr))
        return !xpl_json_check(cell.ptr, cell.length, &xpl_records_limits, err);
    return may_be && !xpl_json_check(cell.ptr, cell.length, &xpl_records_limits, &ignored);
}

static enum xpl_status append_text(struct xpl_text cell, struct xpl_buf *out, struct xpl_error *err)
{
    XPL_AUTO_JSON string = json_stringn(cell.ptr, cell.length);
    char *text = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    bool fits = text && xpl_buf_string(out, text);

    free(text);
    if (!string)
        return xpl_fail(err, XPL_BAD_FIELD, "is not UTF-8");
    return fits ? XPL_OK : xpl_no_memory(err);
}

static struct xpl_text without_blanks(struct xpl_text cell)
{
    while (cell.length > 0 && strchr(" \t\r\n", *cell.ptr))
        cell = (struct xpl_text){cell.ptr + 1, cell.length - 1};
    while (cell.length > 0 && strchr(" \t\r\n", cell.ptr[cell.length - 1]))
        cell.length--;
    return cell;
}

/* An empty cell is none; what a record does not have is not looked at. */
static enum xpl_status append_member(struct reading *r, size_t column, struct xpl_buf *out, struct xpl_error *err)
{
    struct xpl_text cell = r->cells[column];
    bool as_json = is_one_of(r->names[column], json_columns, XPL_COUNT(json_columns));
    enum xpl_status st;

    if (as_json)
        cell = without_blanks(cell);
    else if (!is_one_of(r->names[column], default_columns, XPL_COUNT(default_columns)))
        return XPL_OK;
    if (cell.length == 0)
        return XPL_OK;
    xpl_buf_string(out, out->length > 1 ? "," : "");
    if ((st = append_text(r->names[column], out, err)))
        return st;
    xpl_buf_string(out, ":");
    as_json = as_json && is_json(cell, err);
    if (err->status)
        return err->status;
    if (!as_json)
        return append_text(cell, out, err);
    return xpl_buf_append(out, cell.ptr, cell.length) ? XPL_OK : xpl_no_memory(err);
}

/* Where a row is wrong; a column when it is one. */
static enum xpl_status fail_at(const struct reading *r, size_t line, size_t column, enum xpl_status st,
                               const char *message, struct xpl_error *err)
{
    char place[XPL_ERROR_FIELD_MAX];

    if (column < r->n_columns)
        snprintf(place, sizeof place, "line %zu, column %zu (%.*s)", line, column + 1,
                 (int)(r->names[column].length < 60 ? r->names[column].length : 60), r->names[column].ptr);
    else
        snprintf(place, sizeof place, "line %zu", line);
    return xpl_fail_field(err, st, place, "%s", message);
}

/* Of a record of its own, as a row is read. */
static const char *member_of(const char *path)
{
    path += xpl_starts_with(path, "[0]") ? 3 : 0;
    return path + (*path == '.');
}

/* The column that a path such as "probability" or "[0].probability.values" is about. */
static size_t column_of(const struct reading *r, const char *path)
{
    static const char *const aliases[][4] = {{"scoring_input", "image", "input", "values"},
                                             {"request", "scoring_input", "image", "input"},
                                             {"probability", "probabilities", "probability", "probability"}};
    const char *member = member_of(path);
    const struct xpl_text name = {member, strcspn(member, ".[")};

    for (size_t i = 0; i < r->n_columns; i++)
        if (r->names[i].length == name.length && memcmp(r->names[i].ptr, name.ptr, name.length) == 0)
            return i;
    for (size_t k = 0; k < XPL_COUNT(aliases); k++)
        for (size_t i = 0; xpl_text_equal(name, aliases[k][0]) && i < r->n_columns; i++)
            if (is_one_of(r->names[i], aliases[k], XPL_COUNT(aliases[k])))
                return i;
    return r->n_columns;
}

/* What is wrong with the record of a row; when no column is to blame, the message says which member is. */
static enum xpl_status fail_record(const struct reading *r, size_t line, const struct xpl_error *inner,
                                   struct xpl_error *err)
{
    size_t column = column_of(r, inner->field);
    char message[XPL_ERROR_FIELD_MAX + XPL_ERROR_MESSAGE_MAX];

    snprintf(message, sizeof message, "%s%s%s", member_of(inner->field), *inner->field ? ": " : "", inner->message);
    return fail_at(r, line, column, inner->status, column < r->n_columns ? inner->message : message, err);
}

static enum xpl_status make_object(struct reading *r, const struct xpl_csv_row *row, struct xpl_buf *out,
                                   struct xpl_error *err)
{
    char message[80];

    if (row->n_cells != r->n_columns) {
        snprintf(message, sizeof message, "has %zu cells, the header has %zu", row->n_cells, r->n_columns);
        return fail_at(r, row->line, r->n_columns, XPL_BAD_FIELD, message, err);
    }
    xpl_buf_string(out, "{");
    for (size_t i = 0; i < r->n_columns; i++) {
        struct xpl_error inner = {0};
        enum xpl_status st = append_member(r, i, out, &inner);

        if (st)
            return fail_at(r, row->line, i, st, inner.message, err);
    }
    return xpl_buf_string(out, "}") ? XPL_OK : xpl_no_memory(err);
}

/* ---- rows ---- */

static enum xpl_status take_row(struct reading *r, const struct xpl_csv_row *row, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) object = xpl_buf_new(ESCAPED * r->options.max_row_bytes + ROOM_FOR_NAMES);
    struct xpl_record_batch *batch = r->batch, one = *batch;
    struct xpl_transaction *transactions;
    struct xpl_error inner = {0};
    struct xpl_text text;
    enum xpl_status st;
    size_t n;

    if (!object)
        return xpl_no_memory(err);
    if ((st = make_object(r, row, object, err)))
        return st;
    text.length = object->length;
    if (!(text.ptr = xpl_arena_copy(r->call->arena, object->data, object->length)))
        return xpl_no_memory(err);
    one.n_records = 0;
    if (xpl_records_read(r->call, text, &transactions, &n, &inner) ||
        xpl_record_batch_prepare(r->call, &one, transactions, 1, &inner))
        return fail_record(r, row->line, &inner, err);
    r->lines[batch->n] = row->line;
    batch->prepared[batch->n++] = one.prepared[0];
    batch->n_records += one.n_records;
    return XPL_OK;
}

/* What is wrong with a row ends the reading, or is noted and the row left out; our own troubles always end it. */
static enum xpl_status give_up_or_note(struct reading *r, size_t line, const struct xpl_error *why,
                                       struct xpl_error *err)
{
    bool of_the_row = why->status == XPL_BAD_FIELD || why->status == XPL_BAD_RECORD || why->status == XPL_BAD_JSON ||
                      why->status == XPL_TOO_LARGE;
    json_t *problem;

    if (!r->options.go_on || !of_the_row)
        return xpl_fail_field(err, why->status, why->field, "%s", why->message);
    if (r->n_left_out++ >= MAX_PROBLEMS)
        return XPL_OK;
    problem = json_pack("{s:I, s:s, s:s, s:s}", "line", (json_int_t)line, "place", why->field, "code",
                        xpl_error_meaning(why->status)->code, "message", why->message);
    return json_array_append_new(r->problems, problem) ? xpl_no_memory(err) : XPL_OK;
}

static enum xpl_status next_row(struct reading *r, struct xpl_csv_row *row, bool *ret_more, struct xpl_error *err)
{
    struct xpl_error inner = {0};
    enum xpl_status st = xpl_csv_next(&r->csv, row, ret_more, &inner);

    return st ? fail_at(r, row->line, MAX_COLUMNS, st, inner.message, err) : XPL_OK;
}

static enum xpl_status read_rows(struct reading *r, struct xpl_error *err)
{
    struct xpl_csv_row row = {.cells = r->cells, .max_cells = MAX_COLUMNS};
    bool more;

    for (int64_t i = 0; i - r->options.skip < r->options.limit; i++) {
        struct xpl_error why = {0};
        enum xpl_status st = next_row(r, &row, &more, &why);

        if (!more)
            break;
        if (i < r->options.skip)
            continue;
        if (r->batch->n == XPL_MAX_TRANSACTIONS)
            return xpl_fail(err, XPL_TOO_LARGE, "a request logs at most %u transactions", XPL_MAX_TRANSACTIONS);
        if ((st || take_row(r, &row, &why)) && (st = give_up_or_note(r, row.line, &why, err)))
            return st;
    }
    return XPL_OK;
}

/* No row can do without an image or a request. */
static bool names_columns(const struct xpl_csv_row *row)
{
    for (size_t i = 0; i < row->n_cells; i++)
        if (is_one_of(without_blanks(row->cells[i]), json_columns, XPL_COUNT(json_columns)))
            return true;
    return false;
}

/* The names of the columns: of the first row, or of the columns there are without a header. */
static enum xpl_status read_header(struct reading *r, struct xpl_error *err)
{
    struct xpl_csv_row row = {.cells = r->names, .max_cells = MAX_COLUMNS};
    struct xpl_csv start = r->csv;
    enum xpl_status st;
    bool more;

    if ((st = next_row(r, &row, &more, err)))
        return st;
    r->n_columns = row.n_cells;
    if (r->options.has_header || (r->options.detects_header && names_columns(&row))) {
        for (size_t i = 0; i < r->n_columns; i++) {
            r->names[i] = without_blanks(r->names[i]);
            for (size_t k = 0; k < i; k++)
                if (r->names[i].length == r->names[k].length &&
                    memcmp(r->names[i].ptr, r->names[k].ptr, r->names[i].length) == 0)
                    return fail_at(r, row.line, i, XPL_BAD_FIELD, "is there twice", err);
        }
        return XPL_OK;
    }
    r->csv = start;
    if (r->n_columns > XPL_COUNT(default_columns))
        return fail_at(r, row.line, MAX_COLUMNS, XPL_BAD_FIELD, "has more columns than there are without a header",
                       err);
    for (size_t i = 0; i < r->n_columns; i++)
        r->names[i] = xpl_text_of(default_columns[i]);
    return XPL_OK;
}

static enum xpl_status start(struct reading *r, struct xpl_error *err)
{
    struct xpl_text text;
    enum xpl_status st;

    if ((st = xpl_csv_options_read(r->call, &r->options, err)) || (st = xpl_csv_text(r->call, &text, err)))
        return st;
    xpl_csv_start(&r->csv, r->call->arena, text, r->options.delimiter, r->options.max_row_bytes);
    r->batch->prepared = XPL_NEW_ARRAY(r->call->arena, struct xpl_prepared, XPL_MAX_TRANSACTIONS);
    r->lines = XPL_NEW_ARRAY(r->call->arena, size_t, XPL_MAX_TRANSACTIONS);
    return r->batch->prepared && r->lines && r->problems ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status check_some(const struct reading *r, struct xpl_error *err)
{
    const json_t *first = json_array_get(r->problems, 0);

    if (r->batch->n > 0)
        return XPL_OK;
    if (first)
        return xpl_fail_field(err, XPL_BAD_RECORD, json_string_value(json_object_get(first, "place")),
                              "%s; no other row can be used either",
                              json_string_value(json_object_get(first, "message")));
    return xpl_fail(err, XPL_BAD_FIELD, "the body holds no record");
}

enum xpl_status xpl_records_csv_prepare(struct xpl_call *call, struct xpl_record_batch *batch, struct xpl_csv_rows *ret,
                                        struct xpl_error *err)
{
    XPL_AUTO_JSON problems = json_array();
    struct reading *r = XPL_NEW(call->arena, struct reading);
    enum xpl_status st;

    if (!r)
        return xpl_no_memory(err);
    *r = (struct reading){.call = call, .batch = batch, .problems = problems};
    if ((st = start(r, err)) || (st = read_header(r, err)) || (st = read_rows(r, err)) || (st = check_some(r, err)))
        return st;
    *ret = (struct xpl_csv_rows){.go_on = r->options.go_on, .lines = r->lines, .n_left_out = r->n_left_out};
    ret->problems = xpl_json_text(call->arena, problems);
    return ret->problems ? XPL_OK : xpl_no_memory(err);
}
