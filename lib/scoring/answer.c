/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json_scan.h"
#include "lib/scoring/answer_labels.h"
#include "lib/scoring/answer_table.h"

#define MAX_FIELDS  64u
#define MAX_CLASSES 100000u
#define SLACK       1e-3 /* how far outside of [0, 1] a float32 softmax may be */
#define NO_COLUMN   UINT32_MAX

struct columns {
    uint32_t probability; /* NO_COLUMN: the row itself is the list of probabilities */
    uint32_t prediction;  /* NO_COLUMN: there is none */
};

struct reading {
    struct xpl_arena *arena;
    const struct xpl_answer_hints *hints;
    struct xpl_text names[MAX_FIELDS];
    uint32_t n_names;
    struct columns columns;
    uint32_t *order; /* where the i-th label of this answer stands in the sorted list; NULL without labels */
    struct xpl_answer *answer;
    struct xpl_error *err;
};

static enum xpl_status bad(struct xpl_error *err, const char *message)
{
    return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "%s", message);
}

/* ---- which columns ---- */

static enum xpl_status read_names(struct reading *r, struct xpl_text fields)
{
    struct xpl_json_scan scan;
    enum xpl_status st;
    bool more;

    if (!xpl_json_text_is_array(fields))
        return XPL_OK;
    xpl_json_scan_start(&scan, fields.ptr, fields.length, NULL, r->err);
    if ((st = xpl_json_enter_array(&scan)))
        return st;
    while ((st = xpl_json_next_element(&scan, &more)) == XPL_OK && more) {
        if (r->n_names == MAX_FIELDS)
            return bad(r->err, "\"fields\" has more than 64 names");
        if ((st = xpl_json_string(&scan, &r->names[r->n_names++])))
            return st;
    }
    return st;
}

static uint32_t column_named(const struct reading *r, const char *name)
{
    for (uint32_t i = 0; name && i < r->n_names; i++)
        if (xpl_text_equal(r->names[i], name))
            return i;
    return NO_COLUMN;
}

/* The cells of a row; at most MAX_FIELDS of them are noted, all are counted. */
static enum xpl_status read_cells(struct xpl_text row, struct xpl_text *cells, uint32_t *ret_n, struct xpl_error *err)
{
    struct xpl_json_scan scan;
    struct xpl_text cell;
    enum xpl_status st;
    bool more;

    *ret_n = 0;
    xpl_json_scan_start(&scan, row.ptr, row.length, NULL, err);
    if ((st = xpl_json_enter_array(&scan)))
        return st;
    while ((st = xpl_json_next_element(&scan, &more)) == XPL_OK && more) {
        if ((st = xpl_json_skip(&scan, &cell)))
            return st;
        if (*ret_n < MAX_FIELDS)
            cells[*ret_n] = cell;
        ++*ret_n;
    }
    return st;
}

static bool is_scalar(struct xpl_text text)
{
    return text.length > 0 && text.ptr[0] != '[' && text.ptr[0] != '{' && text.ptr[0] != 'n';
}

static bool is_number(struct xpl_text text)
{
    return text.length > 0 && (text.ptr[0] == '-' || (text.ptr[0] >= '0' && text.ptr[0] <= '9'));
}

static uint32_t by_hints(const struct reading *r)
{
    for (size_t i = 0; r->hints && i < r->hints->n_probability_fields; i++) {
        uint32_t column = column_named(r, r->hints->probability_fields[i]);

        if (column != NO_COLUMN)
            return column;
    }
    return NO_COLUMN;
}

static enum xpl_status choose_probability(struct reading *r, const struct xpl_text *cells, uint32_t n)
{
    static const char *const usual[] = {"probability", "probabilities"};
    uint32_t column = by_hints(r), n_arrays = 0, array = NO_COLUMN;

    for (size_t i = 0; column == NO_COLUMN && i < 2; i++)
        column = column_named(r, usual[i]);
    for (uint32_t i = 0; i < n && i < MAX_FIELDS; i++) {
        if (!xpl_json_text_is_array(cells[i]))
            continue;
        n_arrays++;
        array = i;
    }
    if (column == NO_COLUMN && n_arrays == 1)
        column = array;
    if (column == NO_COLUMN && !(r->n_names == 0 && n > 0 && is_number(cells[0])))
        return bad(r->err,
                   "no probabilities found: looked for the columns named by probability_fields, \"probability\", "
                   "\"probabilities\", or a single column with arrays of numbers");
    if (column != NO_COLUMN && column >= n)
        return bad(r->err, "a row has fewer cells than \"fields\" has names");
    r->columns.probability = column;
    return XPL_OK;
}

static void choose_prediction(struct reading *r, const struct xpl_text *cells, uint32_t n)
{
    const char *const names[] = {r->hints ? r->hints->prediction_field : NULL, "prediction", "predictedLabel",
                                 "prediction_classes"};

    r->columns.prediction = NO_COLUMN;
    for (size_t i = 0; i < sizeof names / sizeof *names && r->columns.prediction == NO_COLUMN; i++) {
        uint32_t column = column_named(r, names[i]);

        if (column < n && column < MAX_FIELDS && is_scalar(cells[column]))
            r->columns.prediction = column;
    }
}

static enum xpl_status read_labels(struct reading *r, struct xpl_text labels)
{
    if (!xpl_json_text_is_array(labels))
        return XPL_OK;
    return xpl_answer_labels_read(r->arena, labels, r->answer->n_classes, &r->answer->labels, &r->order, r->err);
}

/* ---- probabilities ---- */

static enum xpl_status check_probability(double p, struct xpl_error *err)
{
    if (isfinite(p) && p >= -SLACK && p <= 1 + SLACK)
        return XPL_OK;
    return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "%.6g is no probability: numbers from 0 to 1 are expected", p);
}

/* Numbers of a cell into `out` (at most `max`); a bare number is a list of one. */
static enum xpl_status read_numbers(struct xpl_text cell, double *out, uint32_t max, uint32_t *ret_n,
                                    struct xpl_error *err)
{
    struct xpl_json_scan scan;
    struct xpl_text number;
    enum xpl_status st;
    bool more = true, list = xpl_json_text_is_array(cell);

    *ret_n = 0;
    xpl_json_scan_start(&scan, cell.ptr, cell.length, NULL, NULL);
    if (list && (st = xpl_json_enter_array(&scan)))
        return st;
    for (;;) {
        if (list && (st = xpl_json_next_element(&scan, &more)))
            return st;
        if (!more)
            return XPL_OK;
        if (*ret_n == max)
            return bad(err, "a row has more probabilities than the others");
        if (xpl_json_number(&scan, &number))
            return bad(err, "a probability is not a number");
        out[*ret_n] = xpl_parse_double(number.ptr, number.length);
        if ((st = check_probability(out[(*ret_n)++], err)) || !list)
            return st;
    }
}

static enum xpl_status count_numbers(struct xpl_text cell, uint32_t *ret_n, struct xpl_error *err)
{
    struct xpl_json_scan scan;
    enum xpl_status st;
    bool more;

    *ret_n = 0;
    if (!xpl_json_text_is_array(cell)) {
        *ret_n = 1;
        return XPL_OK;
    }
    xpl_json_scan_start(&scan, cell.ptr, cell.length, NULL, err);
    if ((st = xpl_json_enter_array(&scan)))
        return st;
    while ((st = xpl_json_next_element(&scan, &more)) == XPL_OK && more) {
        if ((st = xpl_json_skip(&scan, NULL)))
            return st;
        ++*ret_n;
    }
    return st;
}

static enum xpl_status read_probabilities(struct reading *r, struct xpl_text cell, double *out, double *scratch)
{
    uint32_t n_classes = r->answer->n_classes, n;
    enum xpl_status st = read_numbers(cell, scratch, n_classes, &n, r->err);

    if (st)
        return st;
    if (n == 1 && n_classes == 2) { /* one sigmoid: the probability of the second class */
        scratch[1] = scratch[0];
        scratch[0] = 1 - scratch[1];
    } else if (n != n_classes)
        return xpl_fail(r->err, XPL_MODEL_BAD_ANSWER, "a row has %u probabilities, %u were expected", n, n_classes);
    for (uint32_t i = 0; i < n_classes; i++)
        out[r->order ? r->order[i] : i] = scratch[i];
    return XPL_OK;
}

/* ---- rows ---- */

static struct xpl_text probability_cell(const struct reading *r, struct xpl_text row, const struct xpl_text *cells)
{
    return r->columns.probability == NO_COLUMN ? row : cells[r->columns.probability];
}

/* The first row decides which columns are read and how many classes there are. */
static enum xpl_status look_at_first_row(struct reading *r, struct xpl_text row, struct xpl_text labels,
                                         uint32_t n_classes)
{
    struct xpl_text cells[MAX_FIELDS];
    enum xpl_status st;
    uint32_t n, found;

    if (!xpl_json_text_is_array(row))
        return bad(r->err, "a row of \"values\" is not an array");
    if ((st = read_cells(row, cells, &n, r->err)) || (st = choose_probability(r, cells, n)))
        return st;
    choose_prediction(r, cells, n);
    if ((st = count_numbers(probability_cell(r, row, cells), &found, r->err)))
        return st;
    if (found == 1)
        found = 2;
    if (found == 0 || found > MAX_CLASSES)
        return xpl_fail(r->err, XPL_MODEL_BAD_ANSWER, "the list of probabilities has %u numbers; 1 to %u are accepted",
                        found, MAX_CLASSES);
    if (n_classes && n_classes != found)
        return xpl_fail(r->err, XPL_MODEL_BAD_ANSWER, "a row has %u probabilities, %u were expected", found, n_classes);
    r->answer->n_classes = found;
    return read_labels(r, labels);
}

static enum xpl_status read_row(struct reading *r, struct xpl_text row, uint32_t index, double *scratch)
{
    struct xpl_text cells[MAX_FIELDS];
    struct xpl_answer *answer = r->answer;
    enum xpl_status st;
    uint32_t n;

    if (!xpl_json_text_is_array(row))
        return bad(r->err, "a row of \"values\" is not an array");
    if ((st = read_cells(row, cells, &n, r->err)))
        return st;
    if (r->columns.probability != NO_COLUMN && r->columns.probability >= n)
        return bad(r->err, "a row has fewer cells than the first one");
    if (r->columns.prediction != NO_COLUMN && r->columns.prediction < n && is_scalar(cells[r->columns.prediction])) {
        struct xpl_text text = cells[r->columns.prediction];

        answer->predictions[index] = xpl_arena_string_n(r->arena, text.ptr, text.length);
    }
    return read_probabilities(r, probability_cell(r, row, cells),
                              answer->probabilities + (size_t)index * answer->n_classes, scratch);
}

static enum xpl_status read_rows(struct reading *r, const struct xpl_answer_table *table, uint32_t n_rows,
                                 uint32_t n_classes)
{
    struct xpl_answer *answer = r->answer;
    struct xpl_json_scan scan;
    struct xpl_text row;
    double *scratch = NULL;
    enum xpl_status st;
    uint32_t n = 0;
    bool more;

    xpl_json_scan_start(&scan, table->values.ptr, table->values.length, NULL, r->err);
    if ((st = xpl_json_enter_array(&scan)))
        return st;
    for (; (st = xpl_json_next_element(&scan, &more)) == XPL_OK && more && n < n_rows; n++) {
        if ((st = xpl_json_skip(&scan, &row)))
            return st;
        if (n == 0) {
            if ((st = look_at_first_row(r, row, table->labels, n_classes)))
                return st;
            answer->probabilities = xpl_arena_array(r->arena, (size_t)n_rows * answer->n_classes, sizeof(double));
            scratch = XPL_NEW_ARRAY(r->arena, double, answer->n_classes);
            if (!answer->probabilities || !scratch)
                return xpl_no_memory(r->err);
        }
        if ((st = read_row(r, row, n, scratch)))
            return st;
    }
    if (st)
        return st;
    if (n < n_rows || more)
        return xpl_fail(r->err, XPL_MODEL_BAD_ANSWER, "the answer has %s than the %u rows of the request",
                        more ? "more" : "fewer", n_rows);
    return XPL_OK;
}

enum xpl_status xpl_answer_read(struct xpl_arena *arena, struct xpl_text text, const struct xpl_answer_hints *hints,
                                uint32_t n_rows, uint32_t n_classes, struct xpl_answer **ret, struct xpl_error *err)
{
    struct xpl_error inner = {0};
    struct xpl_answer *answer = XPL_NEW(arena, struct xpl_answer);
    struct reading *reading = XPL_NEW(arena, struct reading);
    struct xpl_answer_table table;
    enum xpl_status st;

    if (!answer || !reading || !(answer->predictions = XPL_NEW_ARRAY(arena, const char *, n_rows)))
        return xpl_no_memory(err);
    *reading = (struct reading){.arena = arena, .hints = hints, .answer = answer, .err = &inner};
    answer->n_rows = n_rows;
    if ((st = xpl_answer_table_find(text, &table, &inner)) || (st = read_names(reading, table.fields)) ||
        (st = read_rows(reading, &table, n_rows, n_classes)))
        return xpl_fail(err, st == XPL_NO_MEMORY ? st : XPL_MODEL_BAD_ANSWER, "%s", inner.message);
    *ret = answer;
    return XPL_OK;
}
