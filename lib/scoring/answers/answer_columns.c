/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answers/answer_columns.h"

#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/answers/answer_items.h"
#include "lib/scoring/answers/answer_names.h"

#define MAX_COLUMNS    1024u
#define MAX_ROWS_BYTES ((size_t)64 << 20)

struct columns {
    struct xpl_text class_of[MAX_COLUMNS]; /* without quotes; ptr NULL = it is of no class */
    uint32_t n, n_classes, prediction;
};

/* "P(cat)", "probability_cat", …: the class in the name of a column; ptr NULL when it is called otherwise. */
static struct xpl_text class_in(struct xpl_text name)
{
    static const char *const starts[] = {
        "P(",           "p(",    "probability(", "Probability(", "prob(",
        "probability_", "prob_", "proba_",       "$NP-",         "Scored Probabilities_"};

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        size_t length = strlen(starts[i]);
        bool closed = starts[i][length - 1] == '(';

        if (name.length > length + closed && memcmp(name.ptr, starts[i], length) == 0 &&
            (!closed || name.ptr[name.length - 1] == ')'))
            return (struct xpl_text){name.ptr + length, name.length - length - closed};
    }
    return (struct xpl_text){0};
}

static bool read_fields(struct xpl_text fields, struct columns *ret)
{
    struct xpl_json_scan scan;
    struct xpl_text name;
    bool more;

    *ret = (struct columns){.prediction = MAX_COLUMNS};
    xpl_json_rescan_start(&scan, fields, NULL);
    if (xpl_json_enter_array(&scan))
        return false;
    for (; xpl_json_next_element(&scan, &more) == XPL_OK && more; ret->n++) {
        if (ret->n == MAX_COLUMNS || xpl_json_string(&scan, &name))
            return false;
        ret->class_of[ret->n] = class_in(name);
        ret->n_classes += ret->class_of[ret->n].ptr != NULL;
        if (xpl_text_equal(name, "prediction") || xpl_text_equal(name, "predictedLabel"))
            ret->prediction = ret->n;
    }
    return ret->n > 0;
}

/* "prediction", "score", …: what a column is called that is no class. */
static bool is_usual(struct xpl_text name)
{
    const char *const *const lists[] = {xpl_prediction_names, xpl_probability_names, xpl_score_names};

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const char *const *usual = lists[i]; *usual; usual++)
            if (xpl_text_equal(name, *usual))
                return true;
    return false;
}

/* Columns that have the names of the classes and nothing else: numbers with 1 as their sum. */
static bool all_are_classes(struct xpl_text fields, struct xpl_text row, struct columns *columns)
{
    struct xpl_text name, cell;
    double sum = 0;

    for (uint32_t i = 0; i < columns->n; i++) {
        if (!xpl_json_element(fields, i, &name) || !xpl_json_element(row, i, &cell) || !xpl_json_text_is_number(cell))
            return false;
        columns->class_of[i] = (struct xpl_text){name.ptr + 1, name.length - 2};
        if (is_usual(columns->class_of[i]))
            return false;
        sum += xpl_parse_double(cell.ptr, cell.length);
    }
    columns->n_classes = columns->n;
    return xpl_answer_is_whole(sum);
}

/* A row as {"probabilities":[{"label","score"},…],"prediction":…}. */
static bool put_row(struct xpl_buf *out, const struct columns *columns, struct xpl_text row)
{
    struct xpl_text cell, prediction = {0};
    struct xpl_json_scan scan;
    const char *before = "{\"probabilities\":[";
    uint32_t i = 0;
    bool more;

    xpl_json_rescan_start(&scan, row, NULL);
    if (xpl_json_enter_array(&scan))
        return false;
    for (; xpl_json_next_element(&scan, &more) == XPL_OK && more && i < columns->n; i++) {
        struct xpl_text label = columns->class_of[i];

        if (xpl_json_skip(&scan, &cell))
            return false;
        if (i == columns->prediction)
            prediction = cell;
        if (!label.ptr)
            continue;
        if (!xpl_json_text_is_number(cell) || !xpl_buf_printf(out, "%s{\"label\":\"%.*s\",\"score\":%.*s}", before,
                                                              (int)label.length, label.ptr, (int)cell.length, cell.ptr))
            return false;
        before = ",";
    }
    if (i < columns->n || more)
        return false;
    return prediction.ptr ? xpl_buf_printf(out, "],\"prediction\":%.*s}", (int)prediction.length, prediction.ptr)
                          : xpl_buf_string(out, "]}");
}

static bool put_rows(struct xpl_buf *out, const struct columns *columns, struct xpl_text values)
{
    struct xpl_json_scan scan;
    struct xpl_text row;
    bool more, first = true;

    xpl_json_rescan_start(&scan, values, NULL);
    if (xpl_json_enter_array(&scan) || !xpl_buf_string(out, "["))
        return false;
    for (; xpl_json_next_element(&scan, &more) == XPL_OK && more; first = false)
        if (xpl_json_skip(&scan, &row) || (!first && !xpl_buf_string(out, ",")) || !put_row(out, columns, row))
            return false;
    return xpl_buf_string(out, "]");
}

bool xpl_answer_columns_gather(struct xpl_arena *arena, struct xpl_text fields, struct xpl_text values,
                               struct xpl_text *ret)
{
    XPL_AUTO(xpl_buf) out = xpl_buf_new(MAX_ROWS_BYTES);
    struct columns *columns = XPL_NEW(arena, struct columns);
    struct xpl_text row;

    if (!out || !columns || !xpl_json_element(values, 0, &row) || !read_fields(fields, columns))
        return false;
    if (columns->n_classes < 2 && !all_are_classes(fields, row, columns))
        return false;
    if (columns->n_classes < 2 || !put_rows(out, columns, values))
        return false;
    ret->ptr = xpl_arena_string_n(arena, out->data, out->length);
    ret->length = out->length;
    return ret->ptr;
}
