/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/request.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/json_scan.h"

#define MAX_IMAGES       10000u
#define MIN_ARRAY_TEXT   2
#define SAFE_NUMBER_TEXT 300 /* without an exponent, shorter numbers fit a double */

/* What the members of a request say, as text. */
struct members {
    struct xpl_text fields, values, input_data;
};

static enum xpl_status read_members(struct xpl_json_scan *scan, struct members *ret)
{
    struct xpl_text name, value;
    enum xpl_status st;
    bool more;

    *ret = (struct members){0};
    if ((st = xpl_json_enter_object(scan)))
        return st;
    while ((st = xpl_json_next_member(scan, &name, &more)) == XPL_OK && more) {
        if ((st = xpl_json_skip(scan, &value)))
            return st;
        if (xpl_text_equal(name, "fields"))
            ret->fields = value;
        else if (xpl_text_equal(name, "values"))
            ret->values = value;
        else if (xpl_text_equal(name, "input_data"))
            ret->input_data = value;
    }
    return st;
}

static bool is_array(struct xpl_text text)
{
    return text.length >= MIN_ARRAY_TEXT && text.ptr[0] == '[';
}

/* Goes from {"input_data":[{…}]} to the members of its one element. */
static enum xpl_status enter_input_data(struct xpl_text input_data, struct members *ret, struct xpl_error *err)
{
    struct xpl_json_scan scan;
    enum xpl_status st;
    bool more;

    if (!is_array(input_data))
        return xpl_fail_field(err, XPL_BAD_RECORD, "input_data", "must be an array with one element {\"values\": …}");
    xpl_json_scan_start(&scan, input_data.ptr, input_data.length, NULL, err);
    if ((st = xpl_json_enter_array(&scan)) || (st = xpl_json_next_element(&scan, &more)))
        return st;
    if (!more)
        return xpl_fail_field(err, XPL_BAD_RECORD, "input_data", "is empty; one element {\"values\": …} is needed");
    if ((st = read_members(&scan, ret)) || (st = xpl_json_next_element(&scan, &more)))
        return st;
    return more ? xpl_fail_field(err, XPL_BAD_RECORD, "input_data", "has several elements; one is supported") : XPL_OK;
}

/* ---- rows ---- */

/* How many arrays are nested at the start of a text. */
static unsigned depth_of(struct xpl_text text)
{
    unsigned depth = 0;

    for (size_t i = 0; i < text.length; i++) {
        char c = text.ptr[i];

        if (c == '[')
            depth++;
        else if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            break;
    }
    return depth;
}

struct row_shape {
    size_t n_cells, n_arrays;
    struct xpl_text array; /* the first cell that is an array */
};

static enum xpl_status look_at_row(struct xpl_text row, struct row_shape *ret, struct xpl_error *err)
{
    struct xpl_json_scan scan;
    struct xpl_text cell;
    enum xpl_status st;
    bool more;

    *ret = (struct row_shape){0};
    xpl_json_scan_start(&scan, row.ptr, row.length, NULL, err);
    if ((st = xpl_json_enter_array(&scan)))
        return st;
    while ((st = xpl_json_next_element(&scan, &more)) == XPL_OK && more) {
        if ((st = xpl_json_skip(&scan, &cell)))
            return st;
        ret->n_cells++;
        if (is_array(cell) && ret->n_arrays++ == 0)
            ret->array = cell;
    }
    return st;
}

/* Length of the array a text starts with, at the given nesting. */
static size_t innermost_length(struct xpl_text image, unsigned depth)
{
    struct xpl_json_scan scan;
    size_t n = 0;
    bool more = true;

    xpl_json_scan_start(&scan, image.ptr, image.length, NULL, NULL);
    for (unsigned i = 0; i < depth; i++)
        if (xpl_json_enter_array(&scan) || (i + 1 < depth && (xpl_json_next_element(&scan, &more) || !more)))
            return 0;
    while (xpl_json_next_element(&scan, &more) == XPL_OK && more && xpl_json_skip(&scan, NULL) == XPL_OK)
        n++;
    return n;
}

static bool channels_usable(size_t channels)
{
    return channels == 1 || channels == 3 || channels == 4;
}

/* Whether a row of one cell is that cell (and not an image of one pixel row). */
static bool single_cell_is_image(struct xpl_text row, bool has_fields)
{
    unsigned depth = depth_of(row);

    if (depth >= 4)
        return true;
    return depth == 3 && (has_fields || !channels_usable(innermost_length(row, 3)));
}

/* Which part of a row is the image: the row itself or the one cell that is an array. */
static enum xpl_status find_image(struct xpl_text row, bool has_fields, struct xpl_text *ret, struct xpl_error *err)
{
    struct row_shape shape;
    enum xpl_status st;

    if (!is_array(row))
        return xpl_fail(err, XPL_BAD_RECORD, "is not an image: looked for nested arrays of numbers H x W x C or H x W");
    if ((st = look_at_row(row, &shape, err)))
        return st;
    if (shape.n_arrays == 0)
        return xpl_fail(err, XPL_BAD_RECORD, "holds no image: looked for nested arrays of numbers H x W x C or H x W");
    if (shape.n_arrays == 1 && (shape.n_cells > 1 || single_cell_is_image(row, has_fields)))
        *ret = shape.array;
    else if (shape.n_arrays == shape.n_cells)
        *ret = row;
    else
        return xpl_fail(err, XPL_BAD_RECORD, "has several cells that are arrays; one image was looked for");
    return XPL_OK;
}

/* ---- shape ---- */

static enum xpl_status measure_number(struct xpl_json_scan *scan)
{
    struct xpl_text number;
    enum xpl_status st = xpl_json_number(scan, &number);

    if (st)
        return st;
    if (number.length < SAFE_NUMBER_TEXT && !memchr(number.ptr, 'e', number.length) &&
        !memchr(number.ptr, 'E', number.length))
        return XPL_OK;
    if (isfinite(xpl_parse_double(number.ptr, number.length)))
        return XPL_OK;
    return xpl_fail(scan->err, XPL_BAD_RECORD, "holds a number that is too large");
}

/* Counts the numbers of a pixel (or takes a bare number as one). */
static enum xpl_status measure_pixel(struct xpl_json_scan *scan, bool flat, uint32_t *ret_channels)
{
    enum xpl_status st;
    bool more;

    *ret_channels = 1;
    if (flat)
        return measure_number(scan);
    *ret_channels = 0;
    if ((st = xpl_json_enter_array(scan)))
        return st;
    while ((st = xpl_json_next_element(scan, &more)) == XPL_OK && more) {
        if ((st = measure_number(scan)))
            return st;
        ++*ret_channels;
    }
    return st;
}

static enum xpl_status ragged(struct xpl_error *err)
{
    return xpl_fail(err, XPL_BAD_RECORD, "is not an image: its rows or pixels differ in length");
}

static enum xpl_status measure_line(struct xpl_json_scan *scan, struct xpl_request_image *image, struct xpl_error *err)
{
    uint32_t width = 0, channels;
    enum xpl_status st;
    bool more;

    if ((st = xpl_json_enter_array(scan)))
        return st;
    while ((st = xpl_json_next_element(scan, &more)) == XPL_OK && more) {
        if ((st = measure_pixel(scan, image->flat_channel, &channels)))
            return st;
        if (image->height == 0 && width == 0)
            image->channels = channels;
        if (channels != image->channels)
            return ragged(err);
        width++;
    }
    if (st)
        return st;
    if (image->height == 0)
        image->width = width;
    return width == image->width ? XPL_OK : ragged(err);
}

static enum xpl_status check_shape(const struct xpl_request_image *image, struct xpl_error *err)
{
    if (image->height == 0 || image->width == 0)
        return xpl_fail(err, XPL_BAD_RECORD, "is an empty image");
    if (!channels_usable(image->channels))
        return xpl_fail(err, XPL_BAD_RECORD,
                        "has shape %u x %u x %u; images are H x W x 1, 3 or 4 (channels last) or H x W", image->height,
                        image->width, image->channels);
    if (image->height > XPL_IMAGE_MAX_SIDE || image->width > XPL_IMAGE_MAX_SIDE)
        return xpl_fail(err, XPL_BAD_RECORD, "is %u x %u pixels; a side has at most %u", image->height, image->width,
                        XPL_IMAGE_MAX_SIDE);
    return XPL_OK;
}

static enum xpl_status measure_image(struct xpl_text text, struct xpl_request_image *image, struct xpl_error *err)
{
    unsigned depth = depth_of(text);
    struct xpl_error inner = {0};
    struct xpl_json_scan scan;
    enum xpl_status st;
    bool more;

    if (depth != 2 && depth != 3)
        return xpl_fail(err, XPL_BAD_RECORD, "is nested %u deep; images are H x W x C or H x W", depth);
    image->flat_channel = depth == 2;
    xpl_json_scan_start(&scan, text.ptr, text.length, NULL, &inner);
    if ((st = xpl_json_enter_array(&scan)))
        return st;
    while ((st = xpl_json_next_element(&scan, &more)) == XPL_OK && more) {
        if ((st = measure_line(&scan, image, &inner)))
            break;
        image->height++;
    }
    if (st == XPL_BAD_RECORD)
        return xpl_fail(err, st, "%s", inner.message);
    if (st)
        return xpl_fail(err, XPL_BAD_RECORD, "is not an image: something else than numbers at byte %zu of it", scan.at);
    return check_shape(image, err);
}

/* ---- the whole ---- */

static enum xpl_status read_row(struct xpl_request *request, struct xpl_text row, bool has_fields,
                                struct xpl_error *err)
{
    struct xpl_request_image *image = &request->images[request->n_images];
    struct xpl_error inner = {0};
    struct xpl_text found = {0};
    enum xpl_status st;
    char field[64];

    st = find_image(row, has_fields, &found, &inner);
    if (!st)
        st = measure_image(found, image, &inner);
    if (st) {
        snprintf(field, sizeof field, "%svalues[%u]", request->shape == XPL_REQUEST_WML_V4 ? "input_data[0]." : "",
                 request->n_images);
        return xpl_fail_field(err, XPL_BAD_RECORD, field, "%s", inner.message);
    }
    image->offset = (size_t)(found.ptr - request->text.ptr);
    image->length = found.length;
    image->row_offset = (size_t)(row.ptr - request->text.ptr);
    image->row_length = row.length;
    request->n_images++;
    return XPL_OK;
}

static enum xpl_status count_rows(struct xpl_text values, uint32_t *ret, struct xpl_error *err)
{
    struct xpl_json_scan scan;
    enum xpl_status st;
    bool more;

    *ret = 0;
    xpl_json_scan_start(&scan, values.ptr, values.length, NULL, err);
    if ((st = xpl_json_enter_array(&scan)))
        return st;
    while ((st = xpl_json_next_element(&scan, &more)) == XPL_OK && more && *ret <= MAX_IMAGES) {
        if ((st = xpl_json_skip(&scan, NULL)))
            return st;
        ++*ret;
    }
    return st;
}

static enum xpl_status read_rows(struct xpl_arena *arena, struct xpl_request *request, struct xpl_text values,
                                 bool has_fields, struct xpl_error *err)
{
    const char *field = request->shape == XPL_REQUEST_WML_V4 ? "input_data[0].values" : "values";
    struct xpl_json_scan scan;
    struct xpl_text row;
    enum xpl_status st;
    uint32_t n;
    bool more;

    if ((st = count_rows(values, &n, err)))
        return st;
    if (n == 0 || n > MAX_IMAGES)
        return xpl_fail_field(err, XPL_BAD_RECORD, field, "must hold 1 to %u images", MAX_IMAGES);
    if (!(request->images = XPL_NEW_ARRAY(arena, struct xpl_request_image, n)))
        return xpl_no_memory(err);
    xpl_json_scan_start(&scan, values.ptr, values.length, NULL, err);
    if ((st = xpl_json_enter_array(&scan)))
        return st;
    while ((st = xpl_json_next_element(&scan, &more)) == XPL_OK && more)
        if ((st = xpl_json_skip(&scan, &row)) || (st = read_row(request, row, has_fields, err)))
            return st;
    return st;
}

enum xpl_status xpl_request_read(struct xpl_arena *arena, struct xpl_text text, struct xpl_request **ret,
                                 struct xpl_error *err)
{
    struct xpl_request *request = XPL_NEW(arena, struct xpl_request);
    struct members members;
    struct xpl_json_scan scan;
    enum xpl_status st;

    if (!request)
        return xpl_no_memory(err);
    *request = (struct xpl_request){.shape = XPL_REQUEST_PLAIN, .text = text};
    xpl_json_scan_start(&scan, text.ptr, text.length, NULL, err);
    if ((st = read_members(&scan, &members)) || (st = xpl_json_end(&scan)))
        return st;
    if (members.input_data.ptr) {
        request->shape = XPL_REQUEST_WML_V4;
        if ((st = enter_input_data(members.input_data, &members, err)))
            return st;
    }
    if (!is_array(members.values))
        return xpl_fail(err, XPL_BAD_RECORD, "no image found: looked for images in input_data[0].values and in values");
    request->values_offset = (size_t)(members.values.ptr - text.ptr);
    request->values_length = members.values.length;
    if ((st = read_rows(arena, request, members.values, is_array(members.fields), err)))
        return st;
    *ret = request;
    return XPL_OK;
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
        size_t length = strspn(at, "0123456789+-.eE");

        if (length == 0) {
            at++;
            continue;
        }
        for (size_t i = 0; i < length; i++)
            if (at[i] == '.' || at[i] == 'e' || at[i] == 'E')
                pixels->integers = false;
        pixels->values[n++] = xpl_parse_double(at, length);
        at += length;
    }
    *ret = pixels;
    return XPL_OK;
}
