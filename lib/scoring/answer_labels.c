/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answer_labels.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/json_scan.h"

static enum xpl_status wrong_number(struct xpl_error *err)
{
    return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "\"labels\" and the probabilities differ in number");
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A string's content, or the text of anything else. */
static const char *name_of(struct xpl_arena *arena, struct xpl_text raw)
{
    char *text;

    if (*raw.ptr != '"')
        return xpl_arena_string_n(arena, raw.ptr, raw.length);
    text = xpl_arena_alloc(arena, raw.length + 1);
    return text && xpl_json_unescape((struct xpl_text){raw.ptr + 1, raw.length - 2}, text) ? text : NULL;
}

static enum xpl_status read_list(struct xpl_arena *arena, struct xpl_text labels, uint32_t n, const char **list,
                                 struct xpl_error *err)
{
    struct xpl_json_scan scan;
    struct xpl_text raw;
    enum xpl_status st;
    uint32_t found = 0;
    bool more;

    xpl_json_scan_start(&scan, labels.ptr, labels.length, NULL, err);
    if ((st = xpl_json_enter_array(&scan)))
        return st;
    while ((st = xpl_json_next_element(&scan, &more)) == XPL_OK && more) {
        if (found == n)
            return wrong_number(err);
        if ((st = xpl_json_skip(&scan, &raw)))
            return st;
        if (!(list[found++] = name_of(arena, raw)))
            return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "a label has a broken escape");
    }
    if (st)
        return st;
    return found == n ? XPL_OK : wrong_number(err);
}

enum xpl_status xpl_answer_labels_read(struct xpl_arena *arena, struct xpl_text labels, uint32_t n,
                                       const char ***ret_sorted, uint32_t **ret_order, struct xpl_error *err)
{
    const char **list = XPL_NEW_ARRAY(arena, const char *, n), **sorted;
    uint32_t *order = XPL_NEW_ARRAY(arena, uint32_t, n);
    enum xpl_status st;

    if (!list || !order)
        return xpl_no_memory(err);
    if ((st = read_list(arena, labels, n, list, err)))
        return st;
    if (!(sorted = xpl_arena_copy(arena, list, n * sizeof *list)))
        return xpl_no_memory(err);
    qsort(sorted, n, sizeof *sorted, compare);
    for (uint32_t i = 0; i < n; i++) {
        const char *const *found = bsearch(&list[i], sorted, n, sizeof *sorted, compare);

        order[i] = (uint32_t)(found - (const char *const *)sorted);
        if (i + 1 < n && strcmp(sorted[i], sorted[i + 1]) == 0)
            return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "\"labels\" names a class twice");
    }
    *ret_sorted = sorted;
    *ret_order = order;
    return XPL_OK;
}
