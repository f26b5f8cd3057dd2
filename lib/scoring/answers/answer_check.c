/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answers/answer_check.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/json_scan.h"

#define NAME 100 /* bytes of a member's name that are quoted */

static int compare(const void *a, const void *b)
{
    const struct xpl_text *x = a, *y = b;
    int order = memcmp(x->ptr, y->ptr, x->length < y->length ? x->length : y->length);

    return order ? order : (x->length > y->length) - (x->length < y->length);
}

/* One pass over a text; the names of all objects that are open, one behind the other. */
struct pass {
    struct xpl_arena *arena;
    struct xpl_json_scan scan;
    struct xpl_text *names;
    size_t n, capacity;
    struct xpl_error *err;
};

static enum xpl_status check_value(struct pass *pass);

static enum xpl_status add(struct pass *pass, struct xpl_text name)
{
    struct xpl_text *more;

    if (pass->n == pass->capacity) {
        pass->capacity = pass->capacity ? 2 * pass->capacity : 32;
        if (!(more = XPL_NEW_ARRAY(pass->arena, struct xpl_text, pass->capacity)))
            return xpl_no_memory(pass->err);
        if (pass->n)
            memcpy(more, pass->names, pass->n * sizeof *more);
        pass->names = more;
    }
    pass->names[pass->n++] = name;
    return XPL_OK;
}

static enum xpl_status check_names(struct xpl_text *names, size_t n, struct xpl_error *err)
{
    if (n > 1)
        qsort(names, n, sizeof *names, compare);
    for (size_t i = 1; i < n; i++)
        if (compare(&names[i - 1], &names[i]) == 0)
            return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "an object has the member \"%.*s\" twice",
                            (int)(names[i].length < NAME ? names[i].length : NAME), names[i].ptr);
    return XPL_OK;
}

static enum xpl_status check_object(struct pass *pass)
{
    enum xpl_status st = xpl_json_enter_object(&pass->scan);
    size_t first = pass->n;
    struct xpl_text name;
    bool more;

    while (!st && (st = xpl_json_next_member(&pass->scan, &name, &more)) == XPL_OK && more)
        if ((st = add(pass, name)) == XPL_OK)
            st = check_value(pass);
    if (!st && pass->n > first)
        st = check_names(pass->names + first, pass->n - first, pass->err);
    pass->n = first;
    return st;
}

/* Lists that begin with a number, a text or the like, the usual ones, are not looked into. */
static bool begins_with_container(const struct xpl_json_scan *scan)
{
    struct xpl_text rest = xpl_text_trim((struct xpl_text){scan->text + scan->at + 1, scan->length - scan->at - 1});

    return rest.length > 0 && (*rest.ptr == '{' || *rest.ptr == '[');
}

static enum xpl_status check_array(struct pass *pass)
{
    enum xpl_status st;
    bool more;

    if (!begins_with_container(&pass->scan))
        return xpl_json_skip(&pass->scan, NULL);
    st = xpl_json_enter_array(&pass->scan);
    while (!st && (st = xpl_json_next_element(&pass->scan, &more)) == XPL_OK && more)
        st = check_value(pass);
    return st;
}

static enum xpl_status check_value(struct pass *pass)
{
    enum xpl_json_kind kind;
    enum xpl_status st = xpl_json_peek(&pass->scan, &kind);

    if (st)
        return st;
    if (kind == XPL_JSON_OBJECT)
        return check_object(pass);
    return kind == XPL_JSON_ARRAY ? check_array(pass) : xpl_json_skip(&pass->scan, NULL);
}

enum xpl_status xpl_answer_check(struct xpl_arena *arena, struct xpl_text text, struct xpl_error *err)
{
    struct pass pass = {.arena = arena, .err = err};
    struct xpl_error why = {0};
    enum xpl_status st = xpl_json_check(text.ptr, text.length, NULL, &why);

    if (st)
        return xpl_fail(err, st, "the model's answer is %s", why.message);
    xpl_json_rescan_start(&pass.scan, text, err);
    return check_value(&pass);
}
