/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answers/answer.h"

#include <string.h>

#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/answers/answer_check.h"
#include "lib/scoring/answers/answer_items.h"
#include "lib/scoring/answers/answer_labels.h"
#include "lib/scoring/answers/answer_numbers.h"
#include "lib/scoring/answers/answer_reading.h"
#include "lib/scoring/answers/answer_row.h"
#include "lib/scoring/answers/answer_unquote.h"

#define MAX_CLASSES 100000u
#define MAX_PATH    160

static enum xpl_status bad(struct xpl_error *err, const char *message)
{
    return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "%s", message);
}

/* ---- the first row decides how many classes there are and what they are called ---- */

static enum xpl_status look_at_first_row(struct reading *r, const struct xpl_answer_row *row, uint32_t n_classes)
{
    uint32_t said = r->hints ? r->hints->n_class_labels : 0, found = said;
    enum xpl_status st;

    if (said && (st = xpl_class_names_of(r->arena, r->hints->class_labels, said, &r->classes, r->err)))
        return st;
    if (row->probabilities.ptr) {
        found = xpl_answer_items_count(row->probabilities);
        r->one_number = found == 1 && !xpl_answer_items_are_named(row->probabilities);
    }
    if (r->one_number)
        found = 2;
    if (found == 1 && !said)
        return bad(r->err, "an answer names a single class; asset_properties.explaind.class_labels must name all");
    if (found == 0 || found > MAX_CLASSES)
        return xpl_fail(r->err, XPL_MODEL_BAD_ANSWER, "the list of probabilities has %u numbers; 1 to %u are accepted",
                        found, MAX_CLASSES);
    r->answer->n_classes = said ? said : found;
    r->classes.numbered = said > 0;
    if (n_classes && n_classes != r->answer->n_classes)
        return xpl_fail(r->err, XPL_MODEL_BAD_ANSWER, "a row has %u probabilities, %u were expected",
                        r->answer->n_classes, n_classes);
    if ((st = xpl_reading_use_names(r, row, found)))
        return st;
    if (said && found != said && !r->named_rows)
        return xpl_fail(r->err, XPL_MODEL_BAD_ANSWER,
                        "a row has %u probabilities; asset_properties.explaind.class_labels names %u classes", found,
                        said);
    r->answer->labels = r->classes.names;
    return XPL_OK;
}

/* ---- rows ---- */

/* Only a name: the class it names is certain. */
static enum xpl_status read_name(struct reading *r, struct xpl_text prediction, double *out)
{
    const char *name = xpl_class_name_of(r->arena, prediction);
    uint32_t index = 0;
    enum xpl_status st =
        name ? xpl_reading_find_order(r, &name, 1, &index) : bad(r->err, "a label has a broken escape");

    if (!st)
        out[index] = 1;
    return st;
}

/* Classes that an answer does not name have what is left, in equal parts. */
static void share_rest(const struct reading *r, uint32_t n, double *out)
{
    uint32_t n_classes = r->answer->n_classes;
    double rest = 1;

    for (uint32_t i = 0; i < n; i++)
        rest -= r->scratch[i];
    for (uint32_t i = 0; n < n_classes && i < n_classes; i++)
        out[i] = rest > 0 ? rest / (n_classes - n) : 0;
}

static enum xpl_status place(struct reading *r, const struct xpl_answer_row *row, uint32_t n, double *out)
{
    uint32_t *order;
    const char **list;
    enum xpl_status st;

    if (!r->named_rows) {
        for (uint32_t i = 0; i < n; i++)
            out[r->order ? r->order[i] : i] = r->scratch[i];
        return XPL_OK;
    }
    if (!(order = XPL_NEW_ARRAY(r->arena, uint32_t, n)))
        return xpl_no_memory(r->err);
    if ((st = xpl_reading_row_labels(r, row, n, &list)) || (st = xpl_reading_find_order(r, list, n, order)))
        return st;
    share_rest(r, n, out);
    r->answer->n_partial += n < r->answer->n_classes;
    for (uint32_t i = 0; i < n; i++)
        out[order[i]] = r->scratch[i];
    return XPL_OK;
}

static enum xpl_status read_probabilities(struct reading *r, const struct xpl_answer_row *row, double *out)
{
    enum xpl_activation activation = r->hints ? r->hints->activation : XPL_ACTIVATION_NONE;
    uint32_t n_classes = r->answer->n_classes, n;
    enum xpl_status st;

    if (!row->probabilities.ptr)
        return read_name(r, row->prediction, out);
    if ((st = xpl_answer_numbers(row->probabilities, r->scratch, n_classes, &n, &r->at, r->err)) ||
        (st = xpl_answer_activate(activation, r->scratch, n, r->err)))
        return st;
    if (n == 1 && r->one_number && n_classes == 2) {
        r->scratch[1] = r->scratch[0];
        r->scratch[0] = 1 - r->scratch[1];
        n = 2;
    } else if (n != n_classes && !(r->named_rows && r->hints && r->hints->n_class_labels))
        return xpl_fail(r->err, XPL_MODEL_BAD_ANSWER, "a row has %u probabilities, %u were expected", n, n_classes);
    return place(r, row, n, out);
}

static enum xpl_status make_room(struct reading *r, uint32_t n_rows)
{
    struct xpl_answer *answer = r->answer;

    answer->probabilities = xpl_arena_array(r->arena, (size_t)n_rows * answer->n_classes, sizeof(double));
    r->scratch = XPL_NEW_ARRAY(r->arena, double, answer->n_classes);
    return answer->probabilities && r->scratch ? XPL_OK : xpl_no_memory(r->err);
}

/* A map may have more in it than the classes that the subscription names. */
static enum xpl_status leave_out_others(struct reading *r, struct xpl_answer_row *row)
{
    if (!xpl_json_text_is_object(row->probabilities) || !r->hints ||
        xpl_answer_items_count(row->probabilities) <= r->hints->n_class_labels ||
        !xpl_class_names_are_members(row->probabilities, r->hints))
        return XPL_OK;
    row->probabilities = xpl_class_members(r->arena, row->probabilities, r->hints);
    return row->probabilities.ptr ? XPL_OK : xpl_no_memory(r->err);
}

static enum xpl_status read_row(struct reading *r, struct xpl_text text, uint32_t index, uint32_t n_rows,
                                uint32_t n_classes)
{
    struct xpl_answer *answer = r->answer;
    struct xpl_answer_row row;
    enum xpl_status st;

    r->at = text;
    if ((st = xpl_answer_row_read(&r->table, r->hints, text, &r->columns, &row, r->err)) ||
        (st = leave_out_others(r, &row)))
        return st;
    if (row.probabilities.ptr)
        r->at = row.probabilities;
    if (index == 0 && ((st = look_at_first_row(r, &row, n_classes)) || (st = make_room(r, n_rows))))
        return st;
    if (row.prediction.ptr &&
        !(answer->predictions[index] = xpl_arena_string_n(r->arena, row.prediction.ptr, row.prediction.length)))
        return xpl_no_memory(r->err);
    return read_probabilities(r, &row, answer->probabilities + (size_t)index * answer->n_classes);
}

static enum xpl_status read_rows(struct reading *r, uint32_t n_rows, uint32_t n_classes)
{
    struct xpl_json_scan scan;
    struct xpl_text row;
    enum xpl_status st;
    uint32_t n = 0;
    bool more = false;

    if (!xpl_json_text_is_array(r->table.values))
        return bad(r->err, "the rows are not an array");
    xpl_json_rescan_start(&scan, r->table.values, r->err);
    xpl_json_enter_array(&scan);
    for (; (st = xpl_json_next_element(&scan, &more)) == XPL_OK && more && n < n_rows; n++)
        if ((st = xpl_json_skip(&scan, &row)) || (st = read_row(r, row, n, n_rows, n_classes)))
            return st;
    if (st)
        return st;
    if (n < n_rows || more)
        return xpl_fail(r->err, XPL_MODEL_BAD_ANSWER, "the answer has %s than the %u rows of the request",
                        more ? "more" : "fewer", n_rows);
    return XPL_OK;
}

/* The next `n` numbers of a list as a list of their own; `*at` is at a bracket or comma, before and after. */
static struct xpl_text part_of_list(struct xpl_arena *arena, const char **at, const char *end, size_t n)
{
    const char *start = *at;
    char *list;

    for (; n > 0; n--)
        for (++*at; *at < end && **at != ',' && **at != ']'; ++*at)
            ;
    if (!(list = xpl_arena_alloc(arena, (size_t)(*at - start) + 2)))
        return (struct xpl_text){0};
    memcpy(list, start, (size_t)(*at - start));
    list[0] = '[';
    list[*at - start] = ']';
    return (struct xpl_text){list, (size_t)(*at - start) + 1};
}

/* A tensor's flat data: a share of it for each image. */
static enum xpl_status read_flat(struct reading *r, uint32_t n_rows, uint32_t n_classes)
{
    size_t total = xpl_json_count_elements(r->table.values), each = total / n_rows;
    const char *at = r->table.values.ptr, *end = at + r->table.values.length;
    enum xpl_status st = XPL_OK;

    if (each == 0 || total % n_rows)
        return xpl_fail(r->err, XPL_MODEL_BAD_ANSWER, "the answer has %zu numbers for %u images", total, n_rows);
    for (uint32_t i = 0; !st && i < n_rows; i++) {
        struct xpl_text row = part_of_list(r->arena, &at, end, each);

        st = row.ptr ? read_row(r, row, i, n_rows, n_classes) : xpl_no_memory(r->err);
    }
    return st;
}

static enum xpl_status read_table(struct reading *r, uint32_t n_rows, uint32_t n_classes)
{
    switch (r->table.kind) {
    case XPL_ANSWER_FLAT:
        return read_flat(r, n_rows, n_classes);
    case XPL_ANSWER_ONE:
        if (n_rows != 1)
            return xpl_fail(r->err, XPL_MODEL_BAD_ANSWER, "the answer has fewer than the %u rows of the request",
                            n_rows);
        return read_row(r, r->table.values, 0, n_rows, n_classes);
    case XPL_ANSWER_ROWS:
        break;
    }
    return read_rows(r, n_rows, n_classes);
}

/* What is wrong, and where. */
static enum xpl_status failed(const struct reading *r, const struct xpl_error *inner, struct xpl_error *err)
{
    char path[MAX_PATH] = "";

    if (r->at.ptr)
        xpl_json_path(r->table.whole, r->at, path, sizeof path);
    return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "%s%s%s", path, *path ? ": " : "", inner->message);
}

static enum xpl_status read_answer(struct xpl_arena *arena, struct xpl_text text, const struct xpl_answer_hints *hints,
                                   bool loose, uint32_t n_rows, uint32_t n_classes, struct xpl_answer **ret,
                                   struct xpl_error *err)
{
    struct xpl_error inner = {0};
    struct xpl_answer *answer = XPL_NEW(arena, struct xpl_answer);
    struct reading *r = XPL_NEW(arena, struct reading);
    enum xpl_status st;

    if (!answer || !r || !(answer->predictions = XPL_NEW_ARRAY(arena, const char *, n_rows)))
        return xpl_no_memory(err);
    r->arena = arena;
    r->hints = hints;
    r->answer = answer;
    r->err = &inner;
    answer->n_rows = n_rows;
    if ((st = xpl_answer_table_find(arena, text, hints, n_rows, loose, &r->table, &inner)) ||
        (st = xpl_answer_columns_read(r->table.fields, &r->columns, &inner)) || (st = read_table(r, n_rows, n_classes)))
        return st == XPL_NO_MEMORY ? xpl_no_memory(err) : failed(r, &inner, err);
    *ret = answer;
    return XPL_OK;
}

/* With probabilities as they should be or, where there are none, as they may be. */
static enum xpl_status read_either(struct xpl_arena *arena, struct xpl_text text, const struct xpl_answer_hints *hints,
                                   uint32_t n_rows, uint32_t n_classes, struct xpl_answer **ret, struct xpl_error *err)
{
    enum xpl_status st = read_answer(arena, text, hints, false, n_rows, n_classes, ret, NULL);

    return st == XPL_MODEL_BAD_ANSWER ? read_answer(arena, text, hints, true, n_rows, n_classes, ret, err) : st;
}

enum xpl_status xpl_answer_read(struct xpl_arena *arena, struct xpl_text text, const struct xpl_answer_hints *hints,
                                uint32_t n_rows, uint32_t n_classes, struct xpl_answer **ret, struct xpl_error *err)
{
    struct xpl_error inner = {0};
    enum xpl_status st;

    text = xpl_text_without_mark(text);
    if ((st = xpl_answer_check(arena, text, &inner)))
        return st == XPL_NO_MEMORY ? xpl_no_memory(err) : xpl_fail(err, XPL_MODEL_BAD_ANSWER, "%s", inner.message);
    st = read_either(arena, text, hints, n_rows, n_classes, ret, &inner);
    if (st == XPL_MODEL_BAD_ANSWER &&
        (text = xpl_answer_unquote(arena, text, hints && hints->activation == XPL_ACTIVATION_PERCENT)).ptr)
        st = read_answer(arena, text, hints, false, n_rows, n_classes, ret, NULL);
    return st ? xpl_fail(err, st, "%s", inner.message) : XPL_OK;
}
