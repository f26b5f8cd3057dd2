/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answers/answer_row.h"

#include <string.h>

#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/answers/answer_advice.h"
#include "lib/scoring/answers/answer_items.h"
#include "lib/scoring/answers/answer_labels.h"
#include "lib/scoring/answers/answer_names.h"

#define MAX_DEPTH 6   /* objects inside of each other */
#define MAX_INNER 64u /* lists and objects beside each other: more are no answer about one image */

static enum xpl_status bad(struct xpl_error *err, const char *message)
{
    return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "%s", message);
}

#define WHAT_IS_LOOKED_FOR                                                                                             \
    "no probabilities found: looked for the columns or members named by probability_fields, \"probability\", "         \
    "\"probabilities\", \"probs\", \"scores\", \"score\", or a single one with arrays of numbers; "                    \
    "asset_properties.explaind.probability_path can say where they are"

#define ONLY_A_NAME                                                                                                    \
    "the answer names a class and has no probabilities: asset_properties.explaind.class_labels must name all classes"

#define ONLY_A_NUMBER                                                                                                  \
    ONLY_A_NAME ", or asset_properties.explaind.probability_path say where the number is, if it is a probability"

static bool is_scalar(struct xpl_text text)
{
    return text.length > 0 && text.ptr[0] != '[' && text.ptr[0] != '{' && text.ptr[0] != 'n';
}

/* ---- cells ---- */

enum xpl_status xpl_answer_columns_read(struct xpl_text fields, struct xpl_answer_columns *ret, struct xpl_error *err)
{
    struct xpl_json_scan scan;
    enum xpl_status st;
    bool more;

    ret->n_names = 0;
    ret->chosen = false;
    ret->probability = ret->prediction = ret->labels = XPL_NO_COLUMN;
    if (!xpl_json_text_is_array(fields))
        return XPL_OK;
    xpl_json_rescan_start(&scan, fields, err);
    if ((st = xpl_json_enter_array(&scan)))
        return st;
    while ((st = xpl_json_next_element(&scan, &more)) == XPL_OK && more) {
        if (ret->n_names == XPL_MAX_FIELDS)
            return bad(err, "\"fields\" has more than 64 names");
        if ((st = xpl_json_string(&scan, &ret->names[ret->n_names++])))
            return st;
    }
    return st;
}

static uint32_t column_named(const struct xpl_answer_columns *columns, const char *name)
{
    for (uint32_t i = 0; name && i < columns->n_names; i++)
        if (xpl_text_equal(columns->names[i], name))
            return i;
    return XPL_NO_COLUMN;
}

/* The cells of a row; at most XPL_MAX_FIELDS of them are noted, all are counted. */
static uint32_t read_cells(struct xpl_text row, struct xpl_text *cells)
{
    struct xpl_json_scan scan;
    struct xpl_text cell;
    uint32_t n = 0;
    bool more;

    xpl_json_rescan_start(&scan, row, NULL);
    if (xpl_json_enter_array(&scan))
        return 0;
    for (; xpl_json_next_element(&scan, &more) == XPL_OK && more && xpl_json_skip(&scan, &cell) == XPL_OK; n++)
        if (n < XPL_MAX_FIELDS)
            cells[n] = cell;
    return n;
}

static enum xpl_status choose_probability(struct xpl_answer_columns *columns, const struct xpl_answer_hints *hints,
                                          const struct xpl_text *cells, uint32_t n, struct xpl_error *err)
{
    uint32_t column = XPL_NO_COLUMN, n_arrays = 0, array = XPL_NO_COLUMN;

    for (size_t i = 0; hints && i < hints->n_probability_fields && column == XPL_NO_COLUMN; i++)
        column = column_named(columns, hints->probability_fields[i]);
    for (size_t i = 0; column == XPL_NO_COLUMN && i < 2; i++)
        column = column_named(columns, xpl_probability_names[i]);
    for (uint32_t i = 0; i < n && i < XPL_MAX_FIELDS; i++) {
        if (!xpl_json_text_is_array(cells[i]) || (i < columns->n_names && xpl_answer_is_strings(cells[i])))
            continue;
        n_arrays++;
        array = i;
    }
    if (column == XPL_NO_COLUMN && n_arrays == 1)
        column = array;
    if (column == XPL_NO_COLUMN &&
        !(columns->n_names == 0 && n > 0 && (xpl_json_text_is_number(cells[0]) || xpl_json_text_is_object(cells[0]))))
        return bad(err, WHAT_IS_LOOKED_FOR);
    if (column != XPL_NO_COLUMN && column >= n)
        return bad(err, "a row has fewer cells than \"fields\" has names");
    columns->probability = column;
    return XPL_OK;
}

static void choose_prediction(struct xpl_answer_columns *columns, const struct xpl_answer_hints *hints,
                              const struct xpl_text *cells, uint32_t n)
{
    const char *const names[] = {hints ? hints->prediction_field : NULL, "prediction", "predictedLabel",
                                 "prediction_classes"};

    for (size_t i = 0; i < sizeof names / sizeof *names && columns->prediction == XPL_NO_COLUMN; i++) {
        uint32_t column = column_named(columns, names[i]);

        if (column < n && column < XPL_MAX_FIELDS && is_scalar(cells[column]))
            columns->prediction = column;
    }
}

/* A column with the names of the probabilities beside it, which may be sorted anew in each row. */
static void choose_labels(struct xpl_answer_columns *columns, const struct xpl_answer_hints *hints,
                          const struct xpl_text *cells, uint32_t n)
{
    if (columns->probability >= n || columns->probability >= XPL_MAX_FIELDS ||
        !xpl_json_text_is_array(cells[columns->probability]))
        return;
    for (uint32_t i = 0; i < columns->n_names && i < n && columns->labels == XPL_NO_COLUMN; i++)
        if (xpl_class_names_are_called(columns->names[i]) && xpl_answer_is_strings(cells[i]) &&
            xpl_class_names_fit(cells[i], hints) &&
            xpl_json_count_elements(cells[i]) == xpl_answer_items_count(cells[columns->probability]))
            columns->labels = i;
}

static enum xpl_status read_array(const struct xpl_answer_table *table, const struct xpl_answer_hints *hints,
                                  struct xpl_text row, struct xpl_answer_columns *columns, struct xpl_answer_row *ret,
                                  struct xpl_error *err)
{
    struct xpl_text cells[XPL_MAX_FIELDS];
    enum xpl_status st;
    uint32_t n;

    if ((columns->chosen && columns->probability == XPL_NO_COLUMN) ||
        (table->loose && columns->n_names == 0 && xpl_answer_is_loose_list(row))) {
        ret->probabilities = row;
        return XPL_OK;
    }
    n = read_cells(row, cells);
    if (!columns->chosen) {
        if ((st = choose_probability(columns, hints, cells, n, err)))
            return st;
        choose_prediction(columns, hints, cells, n);
        choose_labels(columns, hints, cells, n);
        columns->chosen = true;
    }
    if (columns->probability != XPL_NO_COLUMN && columns->probability >= n)
        return bad(err, "a row has fewer cells than the first one");
    if (columns->labels < n && xpl_json_text_is_array(cells[columns->labels]))
        ret->labels = cells[columns->labels];
    ret->probabilities = columns->probability == XPL_NO_COLUMN ? row : cells[columns->probability];
    if (columns->prediction < n && is_scalar(cells[columns->prediction]))
        ret->prediction = cells[columns->prediction];
    return XPL_OK;
}

/* ---- members ---- */

static bool only_array(struct xpl_text object, struct xpl_text *ret)
{
    struct xpl_json_scan scan;
    struct xpl_text name, value;
    unsigned n = 0;
    bool more;

    xpl_json_rescan_start(&scan, object, NULL);
    if (xpl_json_enter_object(&scan))
        return false;
    while (xpl_json_next_member(&scan, &name, &more) == XPL_OK && more && xpl_json_skip(&scan, &value) == XPL_OK)
        if (xpl_json_text_is_array(value) && !xpl_text_equal(name, "labels") && !xpl_text_equal(name, "shape") &&
            !xpl_answer_is_strings(value) && n++ == 0)
            *ret = value;
    return n == 1 &&
           (xpl_answer_is_named_list(*ret) || !xpl_json_element(*ret, 0, &value) || !xpl_json_text_is_object(value));
}

static bool knows_scores(const struct xpl_answer_hints *hints)
{
    return hints && (hints->probability_path || hints->n_class_labels);
}

/* A number, a list or a map under the names that are said or usual. */
static bool find_under_name(struct xpl_text object, const struct xpl_answer_hints *hints, struct xpl_text *ret)
{
    for (size_t i = 0; hints && i < hints->n_probability_fields; i++)
        if (xpl_json_member(object, hints->probability_fields[i], ret) &&
            (xpl_json_text_is_array(*ret) || xpl_json_text_is_number(*ret) || xpl_answer_is_map(*ret, true)))
            return true;
    for (const char *const *name = xpl_probability_names; *name; name++)
        if (xpl_json_member(object, *name, ret) &&
            ((xpl_json_text_is_array(*ret) && !xpl_answer_is_strings(*ret)) || xpl_answer_is_map(*ret, false)))
            return true;
    return false;
}

/* What is searched for: scores of several classes with their names. */
typedef bool is_sought(struct xpl_text value, bool any_sum);

static bool is_strict(struct xpl_text value, bool any_sum)
{
    return xpl_answer_is_named_list(value) || xpl_answer_is_map(value, any_sum);
}

static bool is_loose(struct xpl_text value, bool any_sum)
{
    (void)any_sum;
    return xpl_answer_is_loose_list(value) || xpl_answer_is_loose_map(value);
}

static bool search(struct xpl_text value, is_sought *is, bool any_sum, unsigned depth, struct xpl_text *ret);

/* The only member that has several classes in it. */
static bool search_members(struct xpl_text object, is_sought *is, unsigned depth, struct xpl_text *ret)
{
    struct xpl_json_scan scan;
    struct xpl_text name, value, found;
    unsigned n = 0, n_inner = 0;
    bool more;

    xpl_json_rescan_start(&scan, object, NULL);
    if (xpl_json_enter_object(&scan))
        return false;
    while (xpl_json_next_member(&scan, &name, &more) == XPL_OK && more && xpl_json_skip(&scan, &value) == XPL_OK) {
        if ((xpl_json_text_is_array(value) || xpl_json_text_is_object(value)) && ++n_inner > MAX_INNER)
            return false;
        if (search(value, is, false, depth + 1, &found) && n++ == 0)
            *ret = found;
    }
    return n == 1;
}

/* In an object inside of objects and lists of one. */
static bool search(struct xpl_text value, is_sought *is, bool any_sum, unsigned depth, struct xpl_text *ret)
{
    struct xpl_text first;

    if (depth > MAX_DEPTH)
        return false;
    if (is(value, any_sum)) {
        *ret = value;
        return true;
    }
    if (xpl_json_text_is_object(value)) /* the numbers beside one of several scores are no classes */
        return !xpl_answer_is_map_of_objects(value) && search_members(value, is, depth, ret);
    return xpl_json_count_elements(value) == 1 && xpl_json_element(value, 0, &first) &&
           xpl_json_text_is_object(first) && search(first, is, false, depth + 1, ret);
}

/* Whether scores name a class, or one of them is that number. */
static bool has_class(struct xpl_text scores, struct xpl_text label, struct xpl_text number)
{
    struct xpl_answer_items items;
    struct xpl_answer_item item;

    xpl_answer_items_start(&items, scores);
    while (xpl_answer_items_next(&items, &item))
        if (label.ptr ? item.label.length == label.length && memcmp(item.label.ptr, label.ptr, label.length) == 0
                      : item.number.length == number.length && memcmp(item.number.ptr, number.ptr, number.length) == 0)
            return true;
    return false;
}

static bool find_probabilities(struct xpl_text object, const struct xpl_answer_hints *hints, bool loose,
                               struct xpl_text *ret)
{
    struct xpl_text score, label = {0};
    bool pair;

    if (find_under_name(object, hints, ret) || only_array(object, ret))
        return true;
    if ((pair = xpl_answer_pair(object, &score, &label)) || xpl_answer_score(object, &score)) {
        if (search_members(object, loose ? is_loose : is_strict, 0, ret) &&
            has_class(*ret, xpl_json_text_is_string(label) ? label : (struct xpl_text){0}, score))
            return true;              /* the scores of all classes beside that of one */
        *ret = pair ? object : score; /* of a pair: that of the class it names */
        return true;
    }
    if (search(object, is_strict, knows_scores(hints), 0, ret))
        return true;
    *ret = object;
    return xpl_class_names_are_members(object, hints);
}

/* The names beside a list of probabilities. */
static void find_labels(struct xpl_text object, const struct xpl_answer_hints *hints, struct xpl_answer_row *row)
{
    static const char *const names[] = {"displayNames", "class_names", "classes", "names"};
    uint32_t n = xpl_answer_items_count(row->probabilities);
    struct xpl_text labels;

    if (xpl_json_member(object, "labels", &labels) && xpl_json_text_is_array(labels))
        row->labels = labels;
    for (size_t i = 0; i < sizeof names / sizeof *names && !row->labels.ptr; i++)
        if (xpl_json_member(object, names[i], &labels) && xpl_answer_is_strings(labels) &&
            xpl_json_count_elements(labels) == n)
            row->labels = labels;
    if (!row->labels.ptr && xpl_json_text_is_array(row->probabilities))
        xpl_class_names_beside(object, hints, n, &row->labels);
}

static void find_prediction(struct xpl_text object, const struct xpl_answer_hints *hints, struct xpl_answer_row *row)
{
    struct xpl_text value;

    if (hints && hints->prediction_field && xpl_json_member(object, hints->prediction_field, &value) &&
        is_scalar(value))
        row->prediction = value;
    for (const char *const *name = xpl_prediction_names; *name && !row->prediction.ptr; name++)
        if (xpl_json_member(object, *name, &value) && is_scalar(value) && value.ptr != row->probabilities.ptr)
            row->prediction = value;
}

/* What an object says of one image: probabilities or, without them, the name of a class. */
static void look(const struct xpl_answer_table *table, const struct xpl_answer_hints *hints, struct xpl_text object,
                 struct xpl_answer_row *ret)
{
    bool found = find_probabilities(object, hints, table->loose, &ret->probabilities) ||
                 (table->loose && search(object, is_loose, false, 0, &ret->probabilities));

    if (!found)
        ret->probabilities = (struct xpl_text){0};
    find_prediction(object, hints, ret);
    if (found)
        find_labels(object, hints, ret);
}

static enum xpl_status read_object(const struct xpl_answer_table *table, const struct xpl_answer_hints *hints,
                                   struct xpl_text object, struct xpl_answer_row *ret, struct xpl_error *err)
{
    look(table, hints, object, ret);
    if (ret->probabilities.ptr || (ret->prediction.ptr && hints && hints->n_class_labels))
        return XPL_OK;
    if (xpl_answer_advise(object, err))
        return XPL_MODEL_BAD_ANSWER;
    return bad(err, !ret->prediction.ptr                       ? WHAT_IS_LOOKED_FOR
                    : xpl_json_text_is_number(ret->prediction) ? ONLY_A_NUMBER
                                                               : ONLY_A_NAME);
}

bool xpl_answer_row_is_one(const struct xpl_answer_table *table, const struct xpl_answer_hints *hints,
                           struct xpl_text object)
{
    struct xpl_answer_row row = {0};

    look(table, hints, object, &row);
    return row.probabilities.ptr || row.prediction.ptr;
}

enum xpl_status xpl_answer_row_read(const struct xpl_answer_table *table, const struct xpl_answer_hints *hints,
                                    struct xpl_text row, struct xpl_answer_columns *columns, struct xpl_answer_row *ret,
                                    struct xpl_error *err)
{
    struct xpl_text only, inner;
    const char *rest;

    *ret = (struct xpl_answer_row){0};
    if (table->row_path && !xpl_answer_follow(row, table->row_path, &row, &rest))
        return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "a row has nothing at \"%.200s\"", table->row_path);
    if (xpl_json_text_is_array(row) && xpl_json_count_elements(row) == 1 && xpl_json_element(row, 0, &only) &&
        xpl_json_text_is_number(only) && xpl_class_names_are_known(only, hints))
        row = only; /* an index */
    while (xpl_json_text_is_array(row) && xpl_json_count_elements(row) == 1 && xpl_json_element(row, 0, &only) &&
           xpl_json_text_is_array(only) && xpl_json_count_elements(only) == 1 && xpl_json_element(only, 0, &inner) &&
           xpl_json_text_is_array(inner))
        row = only; /* lists of one around a list */
    if (xpl_json_text_is_array(row))
        return read_array(table, hints, row, columns, ret, err);
    if (xpl_json_text_is_object(row))
        return read_object(table, hints, row, ret, err);
    if (xpl_json_text_is_number(row) && xpl_class_names_are_known(row, hints)) {
        ret->prediction = row;
        return XPL_OK;
    }
    if (xpl_json_text_is_number(row)) {
        ret->probabilities = row;
        return XPL_OK;
    }
    if (xpl_json_text_is_string(row) && hints && hints->n_class_labels) {
        ret->prediction = row;
        return XPL_OK;
    }
    return bad(err, xpl_json_text_is_string(row) ? ONLY_A_NAME : "a row is no array, object or number");
}
