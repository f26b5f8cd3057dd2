/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/json_look.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/json_scan.h"

static bool next_member(struct xpl_json_scan *scan, struct xpl_text *name, struct xpl_text *value)
{
    bool more;

    return xpl_json_next_member(scan, name, &more) == XPL_OK && more && xpl_json_skip(scan, value) == XPL_OK;
}

bool xpl_json_member(struct xpl_text object, const char *name, struct xpl_text *ret)
{
    struct xpl_json_scan scan;
    struct xpl_text found, value;

    xpl_json_rescan_start(&scan, object, NULL);
    if (!xpl_json_text_is_object(object) || xpl_json_enter_object(&scan))
        return false;
    while (next_member(&scan, &found, &value)) {
        if (!xpl_text_equal(found, name))
            continue;
        if (ret)
            *ret = value;
        return true;
    }
    return false;
}

size_t xpl_json_count_members(struct xpl_text object)
{
    struct xpl_json_scan scan;
    struct xpl_text name, value;
    size_t n = 0;

    xpl_json_rescan_start(&scan, object, NULL);
    if (!xpl_json_text_is_object(object) || xpl_json_enter_object(&scan))
        return 0;
    while (next_member(&scan, &name, &value))
        n++;
    return n;
}

static bool next_element(struct xpl_json_scan *scan, struct xpl_text *value)
{
    bool more;

    return xpl_json_next_element(scan, &more) == XPL_OK && more && xpl_json_skip(scan, value) == XPL_OK;
}

bool xpl_json_element(struct xpl_text array, size_t index, struct xpl_text *ret)
{
    struct xpl_json_scan scan;

    xpl_json_rescan_start(&scan, array, NULL);
    if (!xpl_json_text_is_array(array) || xpl_json_enter_array(&scan))
        return false;
    for (size_t i = 0; next_element(&scan, ret); i++)
        if (i == index)
            return true;
    return false;
}

size_t xpl_json_count_elements(struct xpl_text array)
{
    struct xpl_json_scan scan;
    struct xpl_text value;
    size_t n = 0;

    xpl_json_rescan_start(&scan, array, NULL);
    if (!xpl_json_text_is_array(array) || xpl_json_enter_array(&scan))
        return 0;
    while (next_element(&scan, &value))
        n++;
    return n;
}

/* ---- paths ---- */

static bool is_inside(struct xpl_text whole, struct xpl_text part)
{
    uintptr_t at = (uintptr_t)part.ptr, start = (uintptr_t)whole.ptr;

    return at >= start && at < start + whole.length;
}

/* The member or element of `whole` that `part` is in, and its name or number behind `out`. */
static bool step_into(struct xpl_text whole, struct xpl_text part, struct xpl_text *ret, char *out, size_t size,
                      bool at_start)
{
    bool object = xpl_json_text_is_object(whole);
    struct xpl_json_scan scan;
    struct xpl_text name;
    size_t i = 0;

    xpl_json_rescan_start(&scan, whole, NULL);
    if (!(object || xpl_json_text_is_array(whole)) ||
        (object ? xpl_json_enter_object(&scan) : xpl_json_enter_array(&scan)))
        return false;
    for (; object ? next_member(&scan, &name, ret) : next_element(&scan, ret); i++) {
        if (!is_inside(*ret, part))
            continue;
        if (object)
            snprintf(out, size, "%s%.*s", at_start ? "" : ".", (int)(name.length < size ? name.length : size),
                     name.ptr);
        else
            snprintf(out, size, "[%zu]", i);
        return true;
    }
    return false;
}

void xpl_json_path(struct xpl_text whole, struct xpl_text part, char *out, size_t size)
{
    struct xpl_text inner;
    size_t n = 0;

    *out = '\0';
    while (n + 1 < size && part.ptr != whole.ptr && step_into(whole, part, &inner, out + n, size - n, n == 0)) {
        n += strlen(out + n);
        whole = inner;
    }
}
