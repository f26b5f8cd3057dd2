/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answers/answer_labels.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/answers/answer_items.h"
#include "lib/scoring/answers/answer_names.h"

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *xpl_class_name_of(struct xpl_arena *arena, struct xpl_text scalar)
{
    char *text;

    if (*scalar.ptr != '"')
        return xpl_arena_string_n(arena, scalar.ptr, scalar.length);
    text = xpl_arena_alloc(arena, scalar.length + 1);
    return text && xpl_json_unescape((struct xpl_text){scalar.ptr + 1, scalar.length - 2}, text) ? text : NULL;
}

enum xpl_status xpl_class_names_read(struct xpl_arena *arena, struct xpl_text labels, uint32_t max,
                                     const char ***ret_list, uint32_t *ret_n, struct xpl_error *err)
{
    struct xpl_json_scan scan;
    struct xpl_text scalar;
    enum xpl_status st;
    bool more;

    *ret_n = 0;
    if (!(*ret_list = XPL_NEW_ARRAY(arena, const char *, max)))
        return xpl_no_memory(err);
    xpl_json_rescan_start(&scan, labels, err);
    if ((st = xpl_json_enter_array(&scan)))
        return st;
    while ((st = xpl_json_next_element(&scan, &more)) == XPL_OK && more) {
        if (*ret_n == max)
            return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "\"labels\" and the probabilities differ in number");
        if ((st = xpl_json_skip(&scan, &scalar)))
            return st;
        if (!((*ret_list)[(*ret_n)++] = xpl_class_name_of(arena, scalar)))
            return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "a label has a broken escape");
    }
    return st;
}

void xpl_class_names_sort(const char **list, uint32_t n)
{
    qsort(list, n, sizeof *list, compare);
}

/* The sorted names point at the names themselves, so that an index is found by its pointer. */
struct place {
    const char *name;
    uint32_t index;
};

static int compare_places(const void *a, const void *b)
{
    return strcmp(((const struct place *)a)->name, ((const struct place *)b)->name);
}

enum xpl_status xpl_class_names_of(struct xpl_arena *arena, const char *const *names, uint32_t n,
                                   struct xpl_class_names *ret, struct xpl_error *err)
{
    struct place *places = XPL_NEW_ARRAY(arena, struct place, n);

    *ret = (struct xpl_class_names){names, XPL_NEW_ARRAY(arena, const char *, n), XPL_NEW_ARRAY(arena, uint32_t, n), n,
                                    false};
    if (!places || !ret->sorted || !ret->index)
        return xpl_no_memory(err);
    for (uint32_t i = 0; i < n; i++)
        places[i] = (struct place){names[i], i};
    qsort(places, n, sizeof *places, compare_places);
    for (uint32_t i = 0; i < n; i++) {
        ret->sorted[i] = places[i].name;
        ret->index[i] = places[i].index;
        if (i > 0 && strcmp(ret->sorted[i - 1], ret->sorted[i]) == 0)
            return xpl_fail(err, XPL_MODEL_BAD_ANSWER,
                            "\"labels\" names the class \"%.100s\" twice; "
                            "asset_properties.explaind.probability_path can lead to the probabilities without names",
                            ret->sorted[i]);
    }
    return XPL_OK;
}

bool xpl_class_names_tell_apart(struct xpl_arena *arena, const char **list, uint32_t n, uint32_t *ret_n)
{
    struct place *places = XPL_NEW_ARRAY(arena, struct place, n);
    uint32_t same;

    *ret_n = 0;
    if (!places)
        return false;
    for (uint32_t i = 0; i < n; i++)
        places[i] = (struct place){list[i], i};
    qsort(places, n, sizeof *places, compare_places);
    for (uint32_t i = 0; i < n; i += same) {
        for (same = 1; i + same < n && strcmp(places[i].name, places[i + same].name) == 0; same++)
            ;
        for (uint32_t j = i; same > 1 && j < i + same; j++, ++*ret_n)
            if (!(list[places[j].index] = xpl_arena_printf(arena, "%s (%u)", places[j].name, places[j].index)))
                return false;
    }
    return true;
}

bool xpl_class_names_are_several(const struct xpl_class_names *classes, const char *name)
{
    size_t length = strlen(name);

    for (uint32_t i = 0; i < classes->n; i++)
        if (strncmp(classes->names[i], name, length) == 0 && strncmp(classes->names[i] + length, " (", 2) == 0)
            return true;
    return false;
}

uint32_t xpl_class_index(const struct xpl_class_names *classes, const char *name)
{
    const char **found = bsearch(&name, classes->sorted, classes->n, sizeof *classes->sorted, compare);

    if (!found && classes->numbered && xpl_text_is_index(xpl_text_of(name)) && strtoul(name, NULL, 10) < classes->n)
        return (uint32_t)strtoul(name, NULL, 10);
    return found ? classes->index[found - classes->sorted] : UINT32_MAX;
}

/* ---- the classes that the subscription names ---- */

/* Sorted; to be freed, NULL without memory. */
static const char **sort_said(const struct xpl_answer_hints *hints)
{
    const char **names = calloc(hints->n_class_labels, sizeof *names);

    if (!names)
        return NULL;
    memcpy(names, hints->class_labels, hints->n_class_labels * sizeof *names);
    xpl_class_names_sort(names, hints->n_class_labels);
    return names;
}

static int compare_text(const void *key, const void *name)
{
    const struct xpl_text *text = key;
    const char *other = *(const char *const *)name;
    int order = strncmp(text->ptr, other, text->length);

    return order ? order : -(other[text->length] != '\0');
}

static bool is_among_said(const char *const *sorted, const struct xpl_answer_hints *hints, struct xpl_text name)
{
    return bsearch(&name, sorted, hints->n_class_labels, sizeof *sorted, compare_text);
}

bool xpl_class_names_are_known(struct xpl_text number, const struct xpl_answer_hints *hints)
{
    for (uint32_t i = 0; hints && hints->n_class_labels > 2 && i < hints->n_class_labels; i++)
        if (xpl_text_equal(number, hints->class_labels[i]))
            return true;
    return false;
}

bool xpl_class_names_fit(struct xpl_text list, const struct xpl_answer_hints *hints)
{
    struct xpl_json_scan scan;
    struct xpl_text string;
    const char **sorted;
    bool more, fit;

    if (!hints || !hints->n_class_labels)
        return true;
    xpl_json_rescan_start(&scan, list, NULL);
    if (xpl_json_enter_array(&scan) || !(sorted = sort_said(hints)))
        return false;
    for (fit = true; fit && xpl_json_next_element(&scan, &more) == XPL_OK && more && !xpl_json_skip(&scan, &string);)
        fit = string.length >= 2 && is_among_said(sorted, hints, (struct xpl_text){string.ptr + 1, string.length - 2});
    free(sorted);
    return fit;
}

const char *const xpl_label_list_names[] = {"labels", "class_names", "names", NULL};
static const char *const list_names[] = {"classes",    "displayNames", "class_labels", "classNames",
                                         "categories", "label",        "class",        NULL};
static const char *const index_names[] = {
    "class_ids", "classIds", "class_id",  "class_indices", "class_indexes", "classIndices", "indices",      "indexes",
    "index",     "ids",      "label_ids", "top_k_indices", "topk_indices",  "top_indices",  "topk_classes", NULL};

static bool is_among(struct xpl_text name, const char *const *names)
{
    while (*names && !xpl_text_equal(name, *names))
        names++;
    return *names;
}

bool xpl_class_names_are_called(struct xpl_text name)
{
    return is_among(name, xpl_label_list_names) || is_among(name, list_names);
}

bool xpl_class_indexes_are_called(struct xpl_text name, uint32_t n)
{
    return is_among(name, index_names) || (n > 2 && xpl_class_names_are_called(name));
}

bool xpl_text_is_index(struct xpl_text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.length > 0 && text.length < 10;
}

/* ---- indexes beside scores ---- */

static int compare_indexes(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Whether a list has `n` whole numbers, as numbers or as texts, none of them twice. */
static bool are_indexes(struct xpl_text list, uint32_t n)
{
    uint32_t *indexes = xpl_json_count_elements(list) == n ? calloc(n, sizeof *indexes) : NULL, i = 0;
    struct xpl_json_scan scan;
    struct xpl_text value;
    bool more, are = indexes;

    xpl_json_rescan_start(&scan, list, NULL);
    if (!are || xpl_json_enter_array(&scan))
        n = 0;
    for (; are && i < n && xpl_json_next_element(&scan, &more) == XPL_OK && !xpl_json_skip(&scan, &value); i++) {
        if (xpl_json_text_is_string(value))
            value = (struct xpl_text){value.ptr + 1, value.length - 2};
        are = xpl_text_is_index(value);
        indexes[i] = are ? (uint32_t)xpl_parse_double(value.ptr, value.length) : 0;
    }
    if (are)
        qsort(indexes, i, sizeof *indexes, compare_indexes);
    for (i = 1; are && i < n; i++)
        are = indexes[i - 1] != indexes[i];
    free(indexes);
    return are;
}

static void indexes_beside(struct xpl_text object, uint32_t n, struct xpl_text *ret)
{
    struct xpl_json_scan scan;
    struct xpl_text name, value;
    bool more;

    xpl_json_rescan_start(&scan, object, NULL);
    if (n < 2 || xpl_json_enter_object(&scan))
        return;
    while (xpl_json_next_member(&scan, &name, &more) == XPL_OK && more && xpl_json_skip(&scan, &value) == XPL_OK)
        if (xpl_json_text_is_array(value) && xpl_class_indexes_are_called(name, n) && are_indexes(value, n)) {
            *ret = value;
            return;
        }
}

void xpl_class_names_beside(struct xpl_text object, const struct xpl_answer_hints *hints, uint32_t n,
                            struct xpl_text *ret)
{
    struct xpl_text list;

    for (const char *const *name = list_names; n >= 2 && *name; name++)
        if (xpl_json_member(object, *name, &list) && xpl_answer_is_strings(list) &&
            xpl_json_count_elements(list) == n && xpl_class_names_fit(list, hints)) {
            *ret = list;
            return;
        }
    indexes_beside(object, n, ret);
}

/* How many members of an object are numbers and, with `sorted`, classes; those are written to `out` if there is one. */
static uint32_t take_members(struct xpl_text object, const char *const *sorted, const struct xpl_answer_hints *hints,
                             struct xpl_buf *out)
{
    struct xpl_json_scan scan;
    struct xpl_text name, value;
    uint32_t n = 0;
    bool more;

    xpl_json_rescan_start(&scan, object, NULL);
    if (!xpl_json_text_is_object(object) || xpl_json_enter_object(&scan))
        return 0;
    while (xpl_json_next_member(&scan, &name, &more) == XPL_OK && more && xpl_json_skip(&scan, &value) == XPL_OK) {
        if (!xpl_json_text_is_number(value) || (sorted && !is_among_said(sorted, hints, name)))
            continue;
        if (out)
            xpl_buf_printf(out, "%s\"%.*s\":%.*s", n ? "," : "{", (int)name.length, name.ptr, (int)value.length,
                           value.ptr);
        n++;
    }
    return n;
}

bool xpl_class_names_are_members(struct xpl_text object, const struct xpl_answer_hints *hints)
{
    const char **sorted;
    bool are;

    if (!hints || !hints->n_class_labels || take_members(object, NULL, hints, NULL) < hints->n_class_labels ||
        !(sorted = sort_said(hints)))
        return false;
    are = take_members(object, sorted, hints, NULL) == hints->n_class_labels;
    free(sorted);
    return are;
}

struct xpl_text xpl_class_members(struct xpl_arena *arena, struct xpl_text object, const struct xpl_answer_hints *hints)
{
    XPL_AUTO(xpl_buf) out = xpl_buf_new(object.length + 2);
    const char **sorted = sort_said(hints), *text;

    if (!out || !sorted) {
        free(sorted);
        return (struct xpl_text){0};
    }
    take_members(object, sorted, hints, out);
    free(sorted);
    if (!xpl_buf_string(out, "}") || !(text = xpl_arena_string_n(arena, out->data, out->length)))
        return (struct xpl_text){0};
    return (struct xpl_text){text, out->length};
}
