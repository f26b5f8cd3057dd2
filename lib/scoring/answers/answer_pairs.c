/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answers/answer_pairs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/answers/answer_items.h"
#include "lib/scoring/answers/answer_labels.h"

#define MAX_PAIRS_BYTES ((size_t)64 << 20)

/* The scalars of nested lists. */
struct scalars {
    struct xpl_text *list;
    size_t n, max;
};

static bool gather(struct xpl_json_scan *scan, struct scalars *out)
{
    enum xpl_json_kind kind;
    bool more;

    if (xpl_json_peek(scan, &kind))
        return false;
    if (kind != XPL_JSON_ARRAY)
        return out->n < out->max && xpl_json_skip(scan, &out->list[out->n++]) == XPL_OK;
    if (xpl_json_enter_array(scan))
        return false;
    while (xpl_json_next_element(scan, &more) == XPL_OK)
        if (!more || !gather(scan, out))
            return !more;
    return false;
}

static bool read_scalars(struct xpl_arena *arena, struct xpl_text value, struct scalars *ret)
{
    struct xpl_json_scan scan;

    *ret = (struct scalars){.max = value.length / 2 + 1};
    if (!xpl_json_text_is_array(value) || !(ret->list = XPL_NEW_ARRAY(arena, struct xpl_text, ret->max)))
        return false;
    xpl_json_rescan_start(&scan, value, NULL);
    return gather(&scan, ret);
}

static bool are_numbers(const struct scalars *scalars)
{
    for (size_t i = 0; i < scalars->n; i++)
        if (!xpl_json_text_is_number(scalars->list[i]))
            return false;
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct xpl_text *x = a, *y = b;
    int order = memcmp(x->ptr, y->ptr, x->length < y->length ? x->length : y->length);

    return order ? order : (x->length > y->length) - (x->length < y->length);
}

/* Names or indexes, none of them twice in a row. */
static bool are_classes(struct xpl_arena *arena, const struct scalars *classes, size_t each, bool indexes)
{
    struct xpl_text *row = XPL_NEW_ARRAY(arena, struct xpl_text, each);

    for (size_t i = 0; row && i < classes->n; i += each) {
        memcpy(row, classes->list + i, each * sizeof *row);
        qsort(row, each, sizeof *row, compare);
        for (size_t k = 0; k < each; k++)
            if ((k > 0 && compare(&row[k - 1], &row[k]) == 0) ||
                !(indexes ? xpl_text_is_index(row[k]) : xpl_json_text_is_string(row[k])))
                return false;
    }
    return row;
}

static bool put_rows(struct xpl_buf *out, const struct scalars *classes, const struct scalars *scores, size_t each)
{
    for (size_t i = 0; i < scores->n; i++) {
        struct xpl_text label = classes->list[i % classes->n], score = scores->list[i];
        const char *quote = xpl_json_text_is_string(label) ? "" : "\"";

        if (!xpl_buf_printf(out, "%s{\"label\":%s%.*s%s,\"score\":%.*s}",
                            i == 0     ? "[["
                            : i % each ? ","
                                       : "],[",
                            quote, (int)label.length, label.ptr, quote, (int)score.length, score.ptr))
            return false;
    }
    return xpl_buf_string(out, "]]");
}

static bool is_said(const struct xpl_answer_hints *hints)
{
    return hints && hints->n_class_labels > 0;
}

/* Whether classes stand in the order in which the subscription names them. */
static bool are_as_said(const struct scalars *classes, const struct xpl_answer_hints *hints)
{
    if (!is_said(hints))
        return false;
    for (size_t i = 0; i < classes->n; i++) {
        struct xpl_text name = classes->list[i];

        if (xpl_json_text_is_string(name))
            name = (struct xpl_text){name.ptr + 1, name.length - 2};
        if (i >= hints->n_class_labels ||
            (!xpl_text_equal(name, hints->class_labels[i]) &&
             !(xpl_text_is_index(name) && xpl_parse_double(name.ptr, name.length) == (double)i)))
            return false;
    }
    return true;
}

enum xpl_answer_pairing xpl_answer_pairs_make(struct xpl_arena *arena, struct xpl_text classes, struct xpl_text scores,
                                              uint32_t n_rows, const struct xpl_answer_hints *hints,
                                              struct xpl_text *ret)
{
    XPL_AUTO(xpl_buf) out = xpl_buf_new(MAX_PAIRS_BYTES);
    struct scalars names, numbers;
    const char *text;
    size_t each;

    if (!out || !read_scalars(arena, scores, &numbers) || !read_scalars(arena, classes, &names) || names.n == 0)
        return XPL_PAIRS_NONE;
    each = numbers.n / n_rows;
    if (each < 2 || numbers.n % n_rows || !are_numbers(&numbers) || (names.n != numbers.n && names.n != each) ||
        !are_classes(arena, &names, each, !xpl_json_text_is_string(names.list[0])))
        return XPL_PAIRS_NONE;
    if (n_rows > 1 && names.n == each && are_as_said(&names, hints))
        return XPL_PAIRS_NONE;
    if (names.n == n_rows) /* a name for each class, or for each image */
        return is_said(hints) ? XPL_PAIRS_UNSURE : XPL_PAIRS_NONE;
    if (!put_rows(out, &names, &numbers, each) || !(text = xpl_arena_string_n(arena, out->data, out->length)))
        return XPL_PAIRS_NONE;
    *ret = (struct xpl_text){text, out->length};
    return XPL_PAIRS_MADE;
}

/* Whether a member of an object is the classes of scores, in a list for each image or one for all. */
static bool may_be_classes(struct xpl_text name, struct xpl_text value, const struct xpl_answer_hints *hints)
{
    struct xpl_text row = value, first;

    if (!xpl_json_element(value, 0, &first))
        return false;
    if (xpl_json_text_is_array(first)) {
        row = first;
        if (!xpl_json_element(row, 0, &first))
            return false;
    } else if (!is_said(hints)) /* scores are told by their places then, those of all images alike */
        return false;
    return xpl_json_text_is_string(first) ? xpl_class_names_are_called(name)
                                          : xpl_class_indexes_are_called(name, (uint32_t)xpl_json_count_elements(row));
}

enum xpl_answer_pairing xpl_answer_pairs_beside(struct xpl_arena *arena, struct xpl_text object, struct xpl_text scores,
                                                uint32_t n_rows, const struct xpl_answer_hints *hints,
                                                struct xpl_text *ret)
{
    enum xpl_answer_pairing made = XPL_PAIRS_NONE;
    struct xpl_json_scan scan;
    struct xpl_text name, value, row, first;
    bool more;

    if (!xpl_json_element(scores, 0, &row) || !xpl_json_element(row, 0, &first) || !xpl_json_text_is_number(first))
        return XPL_PAIRS_NONE;
    xpl_json_rescan_start(&scan, object, NULL);
    if (xpl_json_enter_object(&scan))
        return XPL_PAIRS_NONE;
    while (!made && xpl_json_next_member(&scan, &name, &more) == XPL_OK && more &&
           xpl_json_skip(&scan, &value) == XPL_OK)
        if (may_be_classes(name, value, hints))
            made = xpl_answer_pairs_make(arena, value, scores, n_rows, hints, ret);
    return made;
}
