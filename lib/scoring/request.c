/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/request.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/json_scan.h"
#include "lib/scoring/request_shape.h"

#define MAX_IMAGES       10000u
#define MIN_ARRAY_TEXT   2
#define MAX_EXACT_DIGITS 15 /* so many fit a double without rounding */

/* What the members of a request say, as text: those of input_data's element when there is one. The whole text is
 * checked when they are read; later passes rescan parts of it. */
struct members {
    struct xpl_text fields, values;
    bool nested;   /* in the element of input_data, or it was read */
    bool complete; /* it was read: nothing outside of it counts */
};

static bool is_array(struct xpl_text text)
{
    return text.length >= MIN_ARRAY_TEXT && text.ptr[0] == '[';
}

static enum xpl_status read_members(struct xpl_json_scan *scan, struct members *ret);

/* The members of the one element of [{…}]. */
static enum xpl_status read_input_data(struct xpl_json_scan *scan, struct members *ret)
{
    static const char field[] = "input_data";
    enum xpl_json_kind kind;
    enum xpl_status st;
    bool more;

    if ((st = xpl_json_peek(scan, &kind)))
        return st;
    if (kind != XPL_JSON_ARRAY)
        return xpl_fail_field(scan->err, XPL_BAD_RECORD, field, "must be an array with one element {\"values\": …}");
    if ((st = xpl_json_enter_array(scan)) || (st = xpl_json_next_element(scan, &more)))
        return st;
    if (!more)
        return xpl_fail_field(scan->err, XPL_BAD_RECORD, field, "is empty; one element {\"values\": …} is needed");
    if ((st = read_members(scan, ret)) || (st = xpl_json_next_element(scan, &more)))
        return st;
    return more ? xpl_fail_field(scan->err, XPL_BAD_RECORD, field,
                                 "has several elements; one is supported: log a record for each")
                : XPL_OK;
}

static enum xpl_status read_members(struct xpl_json_scan *scan, struct members *ret)
{
    struct xpl_text name, value;
    enum xpl_status st;
    bool more;

    if ((st = xpl_json_enter_object(scan)))
        return st;
    while ((st = xpl_json_next_member(scan, &name, &more)) == XPL_OK && more) {
        if (!ret->nested && xpl_text_equal(name, "input_data")) {
            *ret = (struct members){.nested = true};
            if ((st = read_input_data(scan, ret)))
                return st;
            ret->complete = true;
            continue;
        }
        if ((st = xpl_json_skip(scan, &value)))
            return st;
        if (ret->complete)
            continue;
        if (xpl_text_equal(name, "fields"))
            ret->fields = value;
        else if (xpl_text_equal(name, "values"))
            ret->values = value;
    }
    return st;
}

/* ---- rows ---- */

struct row_shape {
    struct xpl_text text;
    size_t n_cells, n_arrays;
    struct xpl_text array; /* the first cell that is an array */
};

/* Reads a row: its text, and what its cells are. */
static enum xpl_status look_at_row(struct xpl_json_scan *scan, struct row_shape *ret)
{
    enum xpl_json_kind kind;
    struct xpl_text cell;
    enum xpl_status st = xpl_json_peek(scan, &kind);
    size_t start = scan->at;
    bool more;

    *ret = (struct row_shape){0};
    if (!st && kind != XPL_JSON_ARRAY)
        return xpl_json_skip(scan, &ret->text);
    if (st || (st = xpl_json_enter_array(scan)))
        return st;
    while ((st = xpl_json_next_element(scan, &more)) == XPL_OK && more) {
        if ((st = xpl_json_skip(scan, &cell)))
            return st;
        ret->n_cells++;
        if (is_array(cell) && ret->n_arrays++ == 0)
            ret->array = cell;
    }
    ret->text = (struct xpl_text){scan->text + start, scan->at - start};
    return st;
}

/* Length of the array a text starts with, at the given nesting. */
static size_t innermost_length(struct xpl_text image, unsigned depth)
{
    struct xpl_json_scan scan;
    size_t n = 0;
    bool more = true;

    xpl_json_rescan_start(&scan, image, NULL);
    for (unsigned i = 0; i < depth; i++)
        if (xpl_json_enter_array(&scan) || (i + 1 < depth && (xpl_json_next_element(&scan, &more) || !more)))
            return 0;
    while (xpl_json_next_element(&scan, &more) == XPL_OK && more && xpl_json_skip(&scan, NULL) == XPL_OK)
        n++;
    return n;
}

/* Whether a row of one cell is that cell (and not an image of one pixel row). */
static bool single_cell_is_image(struct xpl_text row, bool has_fields)
{
    unsigned depth = xpl_shape_depth(row);

    if (depth >= 4)
        return true;
    return depth == 3 && (has_fields || !xpl_shape_channels_usable(innermost_length(row, 3)));
}

/* Which part of a row is the image: the row itself or the one cell that is an array. */
static enum xpl_status find_image(const struct row_shape *row, bool has_fields, struct xpl_text *ret,
                                  struct xpl_error *err)
{
    if (!is_array(row->text))
        return xpl_fail(err, XPL_BAD_RECORD, "is not an image: looked for nested arrays of numbers H x W x C or H x W");
    if (row->n_arrays == 0)
        return xpl_fail(err, XPL_BAD_RECORD, "holds no image: looked for nested arrays of numbers H x W x C or H x W");
    if (row->n_arrays == 1 && (row->n_cells > 1 || single_cell_is_image(row->text, has_fields)))
        *ret = row->array;
    else if (row->n_arrays == row->n_cells)
        *ret = row->text;
    else
        return xpl_fail(err, XPL_BAD_RECORD, "has several cells that are arrays; one image was looked for");
    return XPL_OK;
}

/* ---- the whole ---- */

static enum xpl_status read_row(struct xpl_request *request, const struct row_shape *row, bool has_fields,
                                struct xpl_error *err)
{
    struct xpl_request_image *image = &request->images[request->n_images];
    struct xpl_error inner = {0};
    struct xpl_text found = {0};
    enum xpl_status st;
    char field[64];

    st = find_image(row, has_fields, &found, &inner);
    if (!st)
        st = xpl_shape_measure(found, image, &inner);
    if (st) {
        snprintf(field, sizeof field, "%svalues[%u]", request->shape == XPL_REQUEST_WML_V4 ? "input_data[0]." : "",
                 request->n_images);
        return xpl_fail_field(err, XPL_BAD_RECORD, field, "%s", inner.message);
    }
    image->offset = (size_t)(found.ptr - request->text.ptr);
    image->length = found.length;
    image->row_offset = (size_t)(row->text.ptr - request->text.ptr);
    image->row_length = row->text.length;
    request->n_images++;
    return XPL_OK;
}

/* Room for one image more. */
static enum xpl_status grow(struct xpl_arena *arena, struct xpl_request *request, uint32_t *capacity,
                            struct xpl_error *err)
{
    struct xpl_request_image *more;

    if (request->n_images < *capacity)
        return XPL_OK;
    *capacity = *capacity ? 2 * *capacity : 4;
    if (!(more = XPL_NEW_ARRAY(arena, struct xpl_request_image, *capacity)))
        return xpl_no_memory(err);
    if (request->n_images)
        memcpy(more, request->images, request->n_images * sizeof *more);
    request->images = more;
    return XPL_OK;
}

static enum xpl_status read_rows(struct xpl_arena *arena, struct xpl_request *request, struct xpl_text values,
                                 bool has_fields, struct xpl_error *err)
{
    const char *field = request->shape == XPL_REQUEST_WML_V4 ? "input_data[0].values" : "values";
    struct xpl_json_scan scan;
    struct row_shape row;
    enum xpl_status st;
    uint32_t capacity = 0;
    bool more;

    xpl_json_rescan_start(&scan, values, err);
    if ((st = xpl_json_enter_array(&scan)))
        return st;
    while ((st = xpl_json_next_element(&scan, &more)) == XPL_OK && more) {
        if (request->n_images == MAX_IMAGES)
            break;
        if ((st = look_at_row(&scan, &row)) || (st = grow(arena, request, &capacity, err)) ||
            (st = read_row(request, &row, has_fields, err)))
            return st;
    }
    if (st || (request->n_images > 0 && !more))
        return st;
    return xpl_fail_field(err, XPL_BAD_RECORD, field, "must hold 1 to %u images", MAX_IMAGES);
}

enum xpl_status xpl_request_read(struct xpl_arena *arena, struct xpl_text text, struct xpl_request **ret,
                                 struct xpl_error *err)
{
    struct xpl_request *request = XPL_NEW(arena, struct xpl_request);
    struct members members = {0};
    struct xpl_json_scan scan;
    enum xpl_status st;

    if (!request)
        return xpl_no_memory(err);
    *request = (struct xpl_request){.shape = XPL_REQUEST_PLAIN, .text = text};
    xpl_json_scan_start(&scan, text.ptr, text.length, NULL, err);
    if ((st = read_members(&scan, &members)) || (st = xpl_json_end(&scan)))
        return st;
    if (members.nested)
        request->shape = XPL_REQUEST_WML_V4;
    if (!is_array(members.values))
        return xpl_fail(err, XPL_BAD_RECORD, "no image found: looked for images in input_data[0].values and in values");
    request->values_offset = (size_t)(members.values.ptr - text.ptr);
    request->values_length = members.values.length;
    if ((st = read_rows(arena, request, members.values, is_array(members.fields), err)))
        return st;
    *ret = request;
    return XPL_OK;
}

/* Writes one number and returns the length of its text. Most pixels are small integers. */
static size_t read_number(const char *at, const char *end, double *ret, bool *integers)
{
    const char *digit = at + (*at == '-');
    uint64_t value = 0;
    bool exponent;
    size_t length;

    while (digit < end && *digit >= '0' && *digit <= '9' && digit - at < MAX_EXACT_DIGITS)
        value = 10 * value + (uint64_t)(*digit++ - '0');
    if (digit < end && (*digit == ',' || *digit == ']' || *digit == ' ')) {
        *ret = *at == '-' ? -(double)value : (double)value;
        return (size_t)(digit - at);
    }
    length = xpl_json_number_length(at, end, &exponent);
    for (size_t i = 0; i < length; i++)
        if (at[i] == '.' || at[i] >= 'E')
            *integers = false;
    *ret = xpl_parse_double(at, length);
    return length;
}

enum xpl_status xpl_request_pixels(struct xpl_arena *arena, const struct xpl_request *request, uint32_t index,
                                   struct xpl_pixels **ret, struct xpl_error *err)
{
    const struct xpl_request_image *image = &request->images[index];
    struct xpl_pixels *pixels = XPL_NEW(arena, struct xpl_pixels);
    const char *at = request->text.ptr + image->offset, *end = at + image->length;
    size_t n = 0, total;

    if (!pixels)
        return xpl_no_memory(err);
    *pixels = (struct xpl_pixels){image->height, image->width, image->channels, true, NULL};
    total = xpl_pixels_count(pixels);
    if (!(pixels->values = XPL_NEW_ARRAY(arena, double, total)))
        return xpl_no_memory(err);
    /* The shape was checked: what is not blank, bracket or comma is a number. */
    while (at < end && n < total) {
        if (*at == '-' || (*at >= '0' && *at <= '9'))
            at += read_number(at, end, &pixels->values[n++], &pixels->integers);
        else
            at++;
    }
    *ret = pixels;
    return XPL_OK;
}
