/* SPDX-License-Identifier: Apache-2.0 */
#include "api/records/records_read.h"

#include <stdio.h>
#include <string.h>

#include "api/records/record_rest.h"
#include "lib/base/json_scan.h"

#define MAX_COLUMNS 64u

const struct xpl_json_limits xpl_records_limits = {.arrays = 2500000, .objects = 100000, .numbers = 40000000};

struct reading {
    struct xpl_call *call;
    struct xpl_transaction *transactions;
    size_t n, capacity;
    bool response_optional;
    struct xpl_error *err;
};

/* Room for one more, to be counted when it is complete; NULL without memory. */
static struct xpl_transaction *next_transaction(struct reading *r)
{
    size_t capacity = r->capacity ? 2 * r->capacity : 4;
    struct xpl_transaction *more;

    if (r->n < r->capacity)
        return &r->transactions[r->n];
    if (!(more = XPL_NEW_ARRAY(r->call->arena, struct xpl_transaction, capacity)))
        return NULL;
    if (r->n)
        memcpy(more, r->transactions, r->n * sizeof *more);
    r->transactions = more;
    r->capacity = capacity;
    return &r->transactions[r->n];
}

/* ---- rows of a table ---- */

static const struct xpl_record_cell *find_cell(const struct xpl_record_cell *cells, size_t n, const char *const *names)
{
    for (; *names; names++)
        for (size_t i = 0; i < n; i++)
            if (xpl_text_equal(cells[i].name, *names))
                return &cells[i];
    return NULL;
}

/* Puts {"values":[IMAGE]} and {"fields":[…],"values":[[PROBABILITY, PREDICTION]]} together. */
static enum xpl_status make_texts(struct reading *r, const struct xpl_record_cell *image,
                                  const struct xpl_record_cell *probability, const struct xpl_record_cell *prediction,
                                  struct xpl_transaction *t)
{
    struct xpl_arena *arena = r->call->arena;
    const char *request = xpl_arena_printf(arena, "{\"values\":[%.*s]}", (int)image->value.length, image->value.ptr);
    const char *response = "";

    if (probability)
        response = xpl_arena_printf(
            arena, "{\"fields\":[\"probability\"%s],\"values\":[[%.*s%s%.*s]]}", prediction ? ",\"prediction\"" : "",
            (int)probability->value.length, probability->value.ptr, prediction ? "," : "",
            prediction ? (int)prediction->value.length : 0, prediction ? prediction->value.ptr : "");
    if (!request || !response)
        return xpl_no_memory(r->err);
    t->request = xpl_text_of(request);
    t->response = xpl_text_of(response);
    t->from_row = true;
    return XPL_OK;
}

static enum xpl_status transaction_of_row(struct reading *r, const struct xpl_record_cell *cells, size_t n)
{
    static const char *const image_names[] = {"scoring_input", "image", "input", "values", NULL};
    static const char *const probability_names[] = {"probability", "probabilities", NULL};
    static const char *const prediction_names[] = {"prediction", "prediction_classes", NULL};
    struct xpl_transaction *t = next_transaction(r);
    const struct xpl_record_cell *image = find_cell(cells, n, image_names);
    const struct xpl_record_cell *probability = find_cell(cells, n, probability_names);
    const struct xpl_record_cell *prediction = find_cell(cells, n, prediction_names);
    enum xpl_status st;

    if (!t)
        return xpl_no_memory(r->err);
    if (!image)
        return xpl_fail_field(r->err, XPL_BAD_RECORD, "scoring_input",
                              "is missing: a record has \"request\" and \"response\", or the columns scoring_input and"
                              " probability");
    if (!probability && !r->response_optional)
        return xpl_fail_field(r->err, XPL_BAD_RECORD, "probability", "is missing");
    if ((st = xpl_record_rest_read(r->call->arena, cells, n, t, r->err)) ||
        (st = make_texts(r, image, probability, prediction, t)))
        return st;
    r->n++;
    return XPL_OK;
}

static enum xpl_status read_names(struct reading *r, struct xpl_text fields, struct xpl_record_cell *cells,
                                  size_t *ret_n)
{
    struct xpl_json_scan scan;
    enum xpl_status st;
    bool more;

    *ret_n = 0;
    xpl_json_scan_start(&scan, fields.ptr, fields.length, NULL, NULL);
    if ((st = xpl_json_enter_array(&scan)))
        return xpl_fail_field(r->err, XPL_BAD_FIELD, "fields", "must be an array of names");
    while ((st = xpl_json_next_element(&scan, &more)) == XPL_OK && more) {
        if (*ret_n == MAX_COLUMNS)
            return xpl_fail_field(r->err, XPL_BAD_FIELD, "fields", "has more than %u names", MAX_COLUMNS);
        if (xpl_json_string(&scan, &cells[(*ret_n)++].name))
            return xpl_fail_field(r->err, XPL_BAD_FIELD, "fields", "must be an array of names");
    }
    return st;
}

static enum xpl_status read_row(struct reading *r, struct xpl_text row, size_t number, struct xpl_record_cell *cells,
                                size_t n_names)
{
    struct xpl_json_scan scan;
    enum xpl_status st;
    char field[32];
    size_t n = 0;
    bool more;

    xpl_json_rescan_start(&scan, row, r->err);
    if ((st = xpl_json_enter_array(&scan)))
        return st;
    for (; (st = xpl_json_next_element(&scan, &more)) == XPL_OK && more; n++) {
        struct xpl_text value;

        if ((st = xpl_json_skip(&scan, &value)))
            return st;
        if (n < n_names)
            cells[n].value = value;
    }
    if (st)
        return st;
    if (n == n_names)
        return transaction_of_row(r, cells, n);
    snprintf(field, sizeof field, "values[%zu]", number);
    return xpl_fail_field(r->err, XPL_BAD_FIELD, field, "the row has %zu cells, \"fields\" has %zu names", n, n_names);
}

static enum xpl_status too_many(struct reading *r)
{
    return xpl_fail(r->err, XPL_TOO_LARGE, "a request logs at most %u transactions", XPL_MAX_TRANSACTIONS);
}

static enum xpl_status read_table(struct reading *r, struct xpl_text fields, struct xpl_text values)
{
    struct xpl_record_cell cells[MAX_COLUMNS] = {0};
    struct xpl_json_scan scan;
    struct xpl_text row;
    enum xpl_status st;
    size_t n_names;
    bool more;

    if ((st = read_names(r, fields, cells, &n_names)))
        return st;
    xpl_json_rescan_start(&scan, values, r->err);
    if ((st = xpl_json_enter_array(&scan)))
        return xpl_fail_field(r->err, XPL_BAD_FIELD, "values", "must be an array of rows");
    for (size_t i = 0; (st = xpl_json_next_element(&scan, &more)) == XPL_OK && more; i++) {
        if (r->n == XPL_MAX_TRANSACTIONS)
            return too_many(r);
        if ((st = xpl_json_skip(&scan, &row)) || (st = read_row(r, row, i, cells, n_names)))
            return st;
    }
    return st;
}

/* ---- one record ---- */

static const struct xpl_record_cell *find_one(const struct xpl_record_cell *cells, size_t n, const char *name)
{
    const char *const names[] = {name, NULL};

    return find_cell(cells, n, names);
}

static enum xpl_status read_payload(struct reading *r, const struct xpl_record_cell *cells, size_t n)
{
    const struct xpl_record_cell *request = find_one(cells, n, "request"), *response = find_one(cells, n, "response");
    struct xpl_transaction *t = next_transaction(r);
    enum xpl_status st;

    if (!t)
        return xpl_no_memory(r->err);
    if (!request)
        return xpl_fail_field(r->err, XPL_BAD_FIELD, "request", "is missing");
    if (!response && !r->response_optional)
        return xpl_fail_field(r->err, XPL_BAD_FIELD, "response", "is missing");
    if (!strchr("{[", *request->value.ptr))
        return xpl_fail_field(r->err, XPL_BAD_FIELD, "request", "must be an object, or an array of images");
    if (response && !strchr("{[\"", *response->value.ptr))
        return xpl_fail_field(r->err, XPL_BAD_FIELD, "response", "must be an object, an array, or one in a string");
    if ((st = xpl_record_rest_read(r->call->arena, cells, n, t, r->err)))
        return st;
    t->request = request->value;
    t->request_checked = true;
    t->response = response ? response->value : xpl_text_of("");
    r->n++;
    return XPL_OK;
}

/* Members of one object as cells; a name that comes twice is refused. */
static enum xpl_status read_members(struct reading *r, struct xpl_json_scan *scan, struct xpl_record_cell *cells,
                                    size_t *ret_n)
{
    struct xpl_record_cell cell;
    enum xpl_status st;
    bool more;

    *ret_n = 0;
    if ((st = xpl_json_enter_object(scan)))
        return st;
    while ((st = xpl_json_next_member(scan, &cell.name, &more)) == XPL_OK && more) {
        if ((st = xpl_json_skip(scan, &cell.value)))
            return st;
        for (size_t i = 0; i < *ret_n; i++)
            if (cells[i].name.length == cell.name.length &&
                memcmp(cells[i].name.ptr, cell.name.ptr, cell.name.length) == 0)
                return xpl_fail(r->err, XPL_BAD_JSON, "the member \"%.*s\" comes twice", (int)cell.name.length,
                                cell.name.ptr);
        if (*ret_n == MAX_COLUMNS)
            return xpl_fail(r->err, XPL_BAD_FIELD, "a record has more than %u members", MAX_COLUMNS);
        cells[(*ret_n)++] = cell;
    }
    return st;
}

static enum xpl_status read_object(struct reading *r, struct xpl_json_scan *scan)
{
    struct xpl_record_cell cells[MAX_COLUMNS];
    const struct xpl_record_cell *fields, *values;
    enum xpl_status st;
    size_t n;

    if ((st = read_members(r, scan, cells, &n)))
        return st;
    if (find_one(cells, n, "request") || find_one(cells, n, "response"))
        return read_payload(r, cells, n);
    fields = find_one(cells, n, "fields");
    values = find_one(cells, n, "values");
    return fields && values ? read_table(r, fields->value, values->value) : transaction_of_row(r, cells, n);
}

static enum xpl_status read_element(struct reading *r, struct xpl_json_scan *scan, size_t index)
{
    enum xpl_json_kind kind;
    struct xpl_error inner = {0};
    struct xpl_error *outer = r->err;
    enum xpl_status st;
    char prefix[32];

    if ((st = xpl_json_peek(scan, &kind)))
        return st;
    snprintf(prefix, sizeof prefix, "[%zu]", index);
    if (kind != XPL_JSON_OBJECT)
        return xpl_fail_field(outer, XPL_BAD_FIELD, prefix, "must be an object with \"request\" and \"response\"");
    if (r->n == XPL_MAX_TRANSACTIONS)
        return too_many(r);
    r->err = scan->err = &inner;
    st = read_object(r, scan);
    r->err = scan->err = outer;
    if (!st)
        return XPL_OK;
    xpl_error_prefix(&inner, prefix);
    return xpl_fail_field(outer, st, inner.field, "%s", inner.message);
}

static enum xpl_status read_array(struct reading *r, struct xpl_json_scan *scan)
{
    enum xpl_status st;
    size_t index = 0;
    bool more;

    if ((st = xpl_json_enter_array(scan)))
        return st;
    while ((st = xpl_json_next_element(scan, &more)) == XPL_OK && more)
        if ((st = read_element(r, scan, index++)))
            return st;
    return st;
}

enum xpl_status xpl_records_read(struct xpl_call *call, struct xpl_text body, struct xpl_transaction **ret,
                                 size_t *ret_count, struct xpl_error *err)
{
    struct reading r = {.call = call, .err = err};
    struct xpl_json_scan scan;
    enum xpl_json_kind kind;
    enum xpl_status st;

    body = xpl_text_without_mark(body);
    if (body.length == 0)
        return xpl_fail(err, XPL_BAD_JSON, "a JSON body is needed: an array of records");
    xpl_json_scan_start(&scan, body.ptr, body.length, &xpl_records_limits, err);
    if ((st = xpl_json_peek(&scan, &kind)))
        return st;
    if (kind != XPL_JSON_ARRAY && kind != XPL_JSON_OBJECT)
        return xpl_fail(err, XPL_BAD_FIELD, "the body must be an array of records or {\"fields\", \"values\"}");
    st = kind == XPL_JSON_ARRAY ? read_array(&r, &scan) : read_object(&r, &scan);
    if (st || (st = xpl_json_end(&scan)))
        return st;
    if (r.n == 0)
        return xpl_fail(err, XPL_BAD_FIELD, "the body holds no record");
    *ret = r.transactions;
    *ret_count = r.n;
    return XPL_OK;
}

enum xpl_status xpl_records_read_rows(struct xpl_call *call, struct xpl_text rows, struct xpl_transaction **ret,
                                      size_t *ret_count, struct xpl_error *err)
{
    struct reading r = {.call = call, .response_optional = true, .err = err};
    struct xpl_json_scan scan;
    enum xpl_status st;

    xpl_json_rescan_start(&scan, rows, err);
    if ((st = read_array(&r, &scan)))
        return st;
    *ret = r.transactions;
    *ret_count = r.n;
    return XPL_OK;
}
