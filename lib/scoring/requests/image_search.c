/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/requests/image_text.h"
#include "lib/scoring/requests/request_place.h"
#include "lib/scoring/requests/request_shape.h"

#define MAX_DEPTH 8 /* objects inside of each other that are looked into */

static void search(struct xpl_text value, unsigned depth, struct xpl_found_image *found);

static void add(struct xpl_text value, bool rows, struct xpl_found_image *found)
{
    if (found->n++ == 0) {
        found->value = value;
        found->rows = rows;
    }
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

/* Three nested arrays are one image when an outer or inner axis can be channels, else grey images in a list. */
static void add_nest(struct xpl_text value, unsigned depth, struct xpl_found_image *found)
{
    size_t outer = xpl_shape_length(value, 1), inner = xpl_shape_length(value, 3);

    if (depth == 2)
        add(value, false, found);
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

static void search_array(struct xpl_text array, unsigned depth, struct xpl_found_image *found)
{
    struct xpl_found_image inside = {0};
    struct xpl_text first, raw;

    if (!xpl_json_element(array, 0, &first))
        return;
    if (*first.ptr == '[' && has_picture_cell(first))
        add(array, true, found);
    else if (*first.ptr == '[')
        add_nest(array, xpl_shape_depth(array), found);
    else if (xpl_is_image_string(first, &raw))
        add(array, true, found);
    else if (*first.ptr == '{') {
        search(first, depth + 1, &inside);
        if (inside.n == 1 && !inside.rows)
            add(array, true, found);
        else if (inside.n > 0) /* images in one of several objects, or several images in it */
            found->n += inside.n + 1;
    }
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
