/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/requests/image_text.h"
#include "lib/scoring/requests/request_place.h"
#include "lib/scoring/requests/request_shape.h"

#define FEW_NUMBERS 64u

#define MAX_DEPTH 8 /* objects inside of each other that are looked into */

static void search(struct xpl_text value, unsigned depth, struct xpl_found_image *found);

/* What is narrow counts only where nothing else is. */
static void merge(const struct xpl_found_image *more, struct xpl_found_image *found)
{
    unsigned n = found->n;

    if (more->n == 0 || (n && more->narrow && !found->narrow))
        return;
    if (n == 0 || (found->narrow && !more->narrow))
        *found = *more;
    else
        found->n = n + more->n;
}

static void add(struct xpl_text value, bool rows, struct xpl_found_image *found)
{
    merge(&(struct xpl_found_image){.value = value, .rows = rows, .n = 1}, found);
}

static void search_members(struct xpl_text object, unsigned depth, struct xpl_found_image *found)
{
    struct xpl_json_scan scan;
    struct xpl_text name, value;
    bool more;

    xpl_json_rescan_start(&scan, object, NULL);
    if (xpl_json_enter_object(&scan))
        return;
    while (xpl_json_next_member(&scan, &name, &more) == XPL_OK && more && xpl_json_skip(&scan, &value) == XPL_OK)
        search(value, depth + 1, found);
}

/* A row or a column of a few numbers; of many, it may be a flat image. */
static bool is_narrow(size_t rows, size_t columns)
{
    return (rows == 1 || columns == 1) && rows * columns < FEW_NUMBERS;
}

/* Three nested arrays are one image when an outer or inner axis can be channels, else grey images in a list. */
static void add_nest(struct xpl_text value, unsigned depth, struct xpl_found_image *found)
{
    size_t outer = xpl_shape_length(value, 1), inner = xpl_shape_length(value, 3);

    if (depth == 2)
        merge(&(struct xpl_found_image){.value = value, .n = 1, .narrow = is_narrow(outer, xpl_shape_length(value, 2))},
              found);
    else if (depth == 3)
        add(value, !xpl_shape_channels_usable(inner) && !xpl_shape_channels_usable(outer), found);
    else if (depth >= 4)
        add(value, true, found);
}

/* Whether a row of a table has a picture among its cells. */
static bool has_picture_cell(struct xpl_text row)
{
    struct xpl_json_scan scan;
    struct xpl_text cell, raw;
    bool more;

    xpl_json_rescan_start(&scan, row, NULL);
    if (xpl_json_enter_array(&scan))
        return false;
    while (xpl_json_next_element(&scan, &more) == XPL_OK && more && xpl_json_skip(&scan, &cell) == XPL_OK)
        if (xpl_is_image_string(cell, &raw))
            return true;
    return false;
}

/* Objects that each have one image in them are rows; one image in one of several objects, such as the parts of a
 * message, is that image. */
static void search_objects(struct xpl_text array, unsigned depth, struct xpl_found_image *found)
{
    struct xpl_found_image all = {0};
    struct xpl_json_scan scan;
    struct xpl_text value;
    size_t n = 0, n_rows = 0;
    bool more;

    xpl_json_rescan_start(&scan, array, NULL);
    if (xpl_json_enter_array(&scan))
        return;
    for (; xpl_json_next_element(&scan, &more) == XPL_OK && more && xpl_json_skip(&scan, &value) == XPL_OK; n++) {
        struct xpl_found_image inside = {0};

        if (*value.ptr == '{')
            search(value, depth + 1, &inside);
        n_rows += inside.n == 1 && !inside.rows && !inside.is_part;
        merge(&inside, &all);
    }
    all.is_part = true;
    if (n_rows == n)
        all = (struct xpl_found_image){.value = array, .rows = true, .n = 1, .narrow = all.narrow};
    merge(&all, found);
}

static void search_array(struct xpl_text array, unsigned depth, struct xpl_found_image *found)
{
    struct xpl_text first, raw;

    if (!xpl_json_element(array, 0, &first))
        return;
    if (*first.ptr == '[' && has_picture_cell(first))
        add(array, true, found);
    else if (*first.ptr == '[')
        add_nest(array, xpl_shape_depth(array), found);
    else if (xpl_is_image_string(first, &raw))
        add(array, true, found);
    else if (*first.ptr == '{')
        search_objects(array, depth, found);
}

static void search(struct xpl_text value, unsigned depth, struct xpl_found_image *found)
{
    struct xpl_text raw;

    if (depth > MAX_DEPTH || value.length == 0)
        return;
    if (*value.ptr == '{')
        search_members(value, depth, found);
    else if (*value.ptr == '[')
        search_array(value, depth, found);
    else if (xpl_is_image_string(value, &raw))
        add(value, false, found);
}

void xpl_image_search(struct xpl_text value, struct xpl_found_image *found)
{
    search(value, 0, found);
}
