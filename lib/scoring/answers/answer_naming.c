/* SPDX-License-Identifier: Apache-2.0 */
/* What the classes of an answer are called, and which of them its numbers are of. */
#include <string.h>

#include "lib/base/json_look.h"
#include "lib/scoring/answers/answer_items.h"
#include "lib/scoring/answers/answer_numbers.h"
#include "lib/scoring/answers/answer_reading.h"

static enum xpl_status bad(struct reading *r, const char *message)
{
    return xpl_fail(r->err, XPL_MODEL_BAD_ANSWER, "%s", message);
}

static enum xpl_status read_item_labels(struct reading *r, struct xpl_text probabilities, uint32_t n, const char **out)
{
    struct xpl_answer_items items;
    struct xpl_answer_item item;

    xpl_answer_items_start(&items, probabilities);
    for (uint32_t i = 0; i < n && xpl_answer_items_next(&items, &item); i++) {
        if (!item.label.ptr)
            return bad(r, "a score has no label");
        if (!(out[i] = xpl_class_name_of(r->arena, item.label)))
            return bad(r, "a label has a broken escape");
    }
    return XPL_OK;
}

static bool is_by_score(const double *scores, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        if (scores[i] > scores[i - 1])
            return false;
    return true;
}

/*
 * Labels beside the probabilities of all classes: of those that are the same, each is told by its place. Not when the
 * classes come sorted by score, where a place says nothing.
 */
static enum xpl_status tell_apart(struct reading *r, const struct xpl_answer_row *row, const char **list, uint32_t n)
{
    const char **names = xpl_arena_copy(r->arena, list, n * sizeof *list);
    double *scores;
    uint32_t n_same, n_scores;
    enum xpl_status st;

    if (!names || !xpl_class_names_tell_apart(r->arena, names, n, &n_same))
        return xpl_no_memory(r->err);
    if (n_same == 0 || n < r->answer->n_classes || !row->probabilities.ptr)
        return XPL_OK;
    if (!(scores = XPL_NEW_ARRAY(r->arena, double, n)))
        return xpl_no_memory(r->err);
    if ((st = xpl_answer_numbers(row->probabilities, scores, n, &n_scores, &r->at, r->err)))
        return st;
    if (!is_by_score(scores, n_scores))
        memcpy(list, names, n * sizeof *list);
    return XPL_OK;
}

static enum xpl_status read_labels(struct reading *r, struct xpl_text labels, const struct xpl_answer_row *row,
                                   uint32_t n, const char ***ret_list)
{
    uint32_t found;
    enum xpl_status st = xpl_class_names_read(r->arena, labels, n, ret_list, &found, r->err);

    if (st)
        return st;
    return found == n ? tell_apart(r, row, *ret_list, n) : bad(r, "\"labels\" and the probabilities differ in number");
}

/* The names that a row brings along, in its own order. */
enum xpl_status xpl_reading_row_labels(struct reading *r, const struct xpl_answer_row *row, uint32_t n,
                                       const char ***ret_list)
{
    if (!xpl_answer_items_are_named(row->probabilities))
        return read_labels(r, row->labels, row, n, ret_list);
    if (!(*ret_list = XPL_NEW_ARRAY(r->arena, const char *, n)))
        return xpl_no_memory(r->err);
    return read_item_labels(r, row->probabilities, n, *ret_list);
}

/* The classes that answers name, sorted, unless the subscription says which there are. */
static enum xpl_status take_names(struct reading *r, const char **list, uint32_t n)
{
    const char **names;

    if (r->hints && r->hints->n_class_labels)
        return XPL_OK;
    if (!(names = xpl_arena_copy(r->arena, list, n * sizeof *list)))
        return xpl_no_memory(r->err);
    xpl_class_names_sort(names, n);
    return xpl_class_names_of(r->arena, names, n, &r->classes, r->err);
}

static enum xpl_status not_found(struct reading *r, const char *name)
{
    if (xpl_class_names_are_several(&r->classes, name))
        return xpl_fail(r->err, XPL_MODEL_BAD_ANSWER,
                        "an answer names the class \"%.100s\", but several classes have this name; "
                        "asset_properties.explaind.probability_path can lead to probabilities without names",
                        name);
    return xpl_fail(r->err, XPL_MODEL_BAD_ANSWER,
                    "an answer names the class \"%.100s\", which is not among the others: "
                    "asset_properties.explaind.class_labels can name all of them",
                    name);
}

enum xpl_status xpl_reading_find_order(struct reading *r, const char *const *list, uint32_t n, uint32_t *order)
{
    bool *named = XPL_NEW_ARRAY(r->arena, bool, r->classes.n);

    if (!named)
        return xpl_no_memory(r->err);
    for (uint32_t i = 0; i < n; i++) {
        order[i] = xpl_class_index(&r->classes, list[i]);
        if (order[i] == UINT32_MAX)
            return not_found(r, list[i]);
        if (named[order[i]])
            return xpl_fail(r->err, XPL_MODEL_BAD_ANSWER,
                            "an answer has two scores of the class \"%.100s\"; each class must have one",
                            r->classes.names[order[i]]);
        named[order[i]] = true;
    }
    return XPL_OK;
}

/* Labels beside all rows. */
static enum xpl_status use_table_labels(struct reading *r, const struct xpl_answer_row *row, uint32_t n)
{
    uint32_t *order = XPL_NEW_ARRAY(r->arena, uint32_t, n);
    const char **list;
    enum xpl_status st;

    if (!order)
        return xpl_no_memory(r->err);
    if ((st = read_labels(r, r->table.labels, row, n, &list)) || (st = take_names(r, list, n)) ||
        (st = xpl_reading_find_order(r, list, n, order)))
        return st;
    r->order = order;
    return XPL_OK;
}

enum xpl_status xpl_reading_use_names(struct reading *r, const struct xpl_answer_row *row, uint32_t n)
{
    const char **list;
    enum xpl_status st;

    r->named_rows = row->labels.ptr || (row->probabilities.ptr && xpl_answer_items_are_named(row->probabilities));
    if (r->named_rows)
        return (st = xpl_reading_row_labels(r, row, n, &list)) ? st : take_names(r, list, n);
    return xpl_json_text_is_array(r->table.labels) ? use_table_labels(r, row, r->answer->n_classes) : XPL_OK;
}
