/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/requests/request.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/requests/image_text.h"
#include "lib/scoring/requests/number_text.h"
#include "lib/scoring/requests/request_place.h"
#include "lib/scoring/requests/request_shape.h"

#define MAX_IMAGES 10000u

#define MAX_PICTURES_BYTES ((size_t)128 << 20) /* of all pictures of a request, decoded */

#define MANY_NUMBERS 48u /* so many in one row look like an image without its shape */

const char *xpl_request_shape_name(enum xpl_request_shape shape)
{
    static const char *const names[] = {"wml_v4", "values", "instances", "inputs", "open_inference_v2", "other"};

    return names[shape];
}

/* ---- rows ---- */

struct row_shape {
    struct xpl_text text;
    size_t n_cells, n_images, n_numbers;
    struct xpl_text image; /* the first cell that may be one: an array, or a picture in base64 */
};

/* Reads a row: its text, and what its cells are. */
static enum xpl_status look_at_row(struct xpl_json_scan *scan, struct row_shape *ret)
{
    enum xpl_json_kind kind;
    struct xpl_text cell, raw;
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
        ret->n_numbers += xpl_json_text_is_number(cell);
        if ((xpl_json_text_is_array(cell) || xpl_is_image_string(cell, &raw)) && ret->n_images++ == 0)
            ret->image = cell;
    }
    ret->text = (struct xpl_text){scan->text + start, scan->at - start};
    return st;
}

/* Whether a row of one cell is that cell (and not an image of one pixel row). */
static bool single_cell_is_image(const struct row_shape *row, bool has_fields)
{
    unsigned depth = xpl_shape_depth(row->text);

    if (depth >= 4 || xpl_json_text_is_string(row->image))
        return true;
    return depth == 3 && (has_fields || !xpl_shape_channels_usable(xpl_shape_length(row->text, 3)));
}

#define WHAT_IMAGES_ARE "nested arrays of numbers H x W x C, C x H x W or H x W, or a PNG or JPEG in base64"

static enum xpl_status find_in_cells(const struct row_shape *row, const struct xpl_request_hints *hints,
                                     bool has_fields, struct xpl_text *ret, struct xpl_error *err)
{
    bool flat = row->n_numbers == row->n_cells && (hints->height || row->n_cells >= MANY_NUMBERS);

    if (row->n_images == 0 && !flat)
        return xpl_fail(err, XPL_BAD_RECORD, "holds no image: looked for " WHAT_IMAGES_ARE);
    if (row->n_images == 1 && (row->n_cells > 1 || single_cell_is_image(row, has_fields)))
        *ret = row->image;
    else if (flat || row->n_images == row->n_cells)
        *ret = row->text;
    else
        return xpl_fail(err, XPL_BAD_RECORD, "has several cells that are arrays; one image was looked for");
    return XPL_OK;
}

/* Which part of a row is the image: the row itself, one of its cells, or something inside of an object. */
static enum xpl_status find_image(const struct row_shape *row, const struct xpl_request_hints *hints, bool has_fields,
                                  struct xpl_text *ret, struct xpl_error *err)
{
    struct xpl_found_image found = {0};

    if (xpl_json_text_is_array(row->text))
        return find_in_cells(row, hints, has_fields, ret, err);
    xpl_image_search(row->text, &found);
    if (found.n == 0)
        return xpl_fail(err, XPL_BAD_RECORD, "is not an image: looked for " WHAT_IMAGES_ARE);
    if (found.n > 1 || found.rows)
        return xpl_fail(err, XPL_BAD_RECORD, "holds several images; one was looked for");
    *ret = found.value;
    return XPL_OK;
}

/* ---- images ---- */

/* What reading a request needs all the way down. */
struct reading {
    struct xpl_arena *arena;
    const struct xpl_picture_decoder *decoder;
    struct xpl_request *request;
};

static enum xpl_status read_picture(const struct reading *r, struct xpl_text raw, struct xpl_request_image *image,
                                    struct xpl_error *err)
{
    struct xpl_request *request = r->request;
    struct xpl_picture_size size;
    uint8_t *picture;
    enum xpl_status st = xpl_image_text_decode(r->arena, raw, r->decoder, &size, &image->base64, &picture, err);

    if (st)
        return st;
    image->form = XPL_FORM_ENCODED;
    image->height = size.height;
    image->width = size.width;
    image->channels = size.channels;
    image->picture = picture;
    request->pictures_bytes += (size_t)size.height * size.width * size.channels;
    if (request->pictures_bytes > MAX_PICTURES_BYTES)
        return xpl_fail(err, XPL_BAD_RECORD,
                        "and the pictures before it are more than %zu bytes of pixels together; log "
                        "a record for each",
                        MAX_PICTURES_BYTES);
    return XPL_OK;
}

static enum xpl_status add_image(const struct reading *r, struct xpl_text row, struct xpl_text found,
                                 struct xpl_error *err)
{
    struct xpl_request *request = r->request;
    struct xpl_request_image *image = &request->images[request->n_images];
    enum xpl_status st;

    if (xpl_json_text_is_string(found)) {
        found = (struct xpl_text){found.ptr + 1, found.length - 2};
        st = read_picture(r, found, image, err);
    } else
        st = xpl_shape_measure(found, &request->hints, image, err);
    if (st)
        return st;
    image->offset = (size_t)(found.ptr - request->text.ptr);
    image->length = found.length;
    image->row_offset = (size_t)(row.ptr - request->text.ptr);
    image->row_length = row.length;
    request->n_images++;
    return XPL_OK;
}

/* Room for one image more. */
static enum xpl_status grow(const struct reading *r, uint32_t *capacity, struct xpl_error *err)
{
    struct xpl_request *request = r->request;
    struct xpl_request_image *more;

    if (request->n_images < *capacity)
        return XPL_OK;
    *capacity = *capacity ? 2 * *capacity : 4;
    if (!(more = XPL_NEW_ARRAY(r->arena, struct xpl_request_image, *capacity)))
        return xpl_no_memory(err);
    if (request->n_images)
        memcpy(more, request->images, request->n_images * sizeof *more);
    request->images = more;
    return XPL_OK;
}

/* ---- rows to images ---- */

/* An error of one image, with where it stands; what is not the image's fault stays as it is. */
static enum xpl_status image_error(enum xpl_status st, const char *field, const struct xpl_error *inner,
                                   struct xpl_error *err)
{
    return st == XPL_BAD_RECORD ? xpl_fail_field(err, st, field, "%s", inner->message)
                                : xpl_fail(err, st, "%s", inner->message);
}

static enum xpl_status read_row(const struct reading *r, const struct row_shape *row,
                                const struct xpl_request_place *place, struct xpl_error *err)
{
    struct xpl_error inner = {0};
    struct xpl_text found = {0};
    enum xpl_status st;
    char field[96];

    st = find_image(row, &r->request->hints, place->has_fields, &found, &inner);
    if (!st)
        st = add_image(r, row->text, found, &inner);
    if (!st)
        return XPL_OK;
    snprintf(field, sizeof field, "%s[%u]", place->path, r->request->n_images);
    return image_error(st, field, &inner, err);
}

static enum xpl_status read_rows(const struct reading *r, const struct xpl_request_place *place, struct xpl_error *err)
{
    struct xpl_json_scan scan;
    struct row_shape row;
    enum xpl_status st;
    uint32_t capacity = 0;
    bool more;

    xpl_json_rescan_start(&scan, place->value, err);
    if ((st = xpl_json_enter_array(&scan)))
        return st;
    while ((st = xpl_json_next_element(&scan, &more)) == XPL_OK && more) {
        if (r->request->n_images == MAX_IMAGES)
            break;
        if ((st = look_at_row(&scan, &row)) || (st = grow(r, &capacity, err)) || (st = read_row(r, &row, place, err)))
            return st;
    }
    if (st || (r->request->n_images > 0 && !more))
        return st;
    return xpl_fail_field(err, XPL_BAD_RECORD, place->path, "must hold 1 to %u images", MAX_IMAGES);
}

static enum xpl_status read_one(const struct reading *r, const struct xpl_request_place *place, struct xpl_error *err)
{
    struct xpl_error inner = {0};
    uint32_t capacity = 0;
    enum xpl_status st = grow(r, &capacity, err);

    if (st || (st = add_image(r, place->value, place->value, &inner)) == XPL_OK)
        return st;
    return image_error(st, place->path, &inner, err);
}

/* The numbers of all images in one list: each image is a part of it. */
static void cut(struct xpl_request *request, const struct xpl_request_place *place,
                const struct xpl_request_image *shape, size_t each)
{
    const char *at = place->value.ptr, *end = at + place->value.length;

    for (uint32_t i = 0; i < request->n_images; i++) {
        struct xpl_request_image *image = &request->images[i];
        const char *start = at = xpl_find_number(at, end);

        for (size_t n = 0; n < each; n++)
            at = xpl_number_end(n ? xpl_find_number(at, end) : at, end);
        *image = *shape;
        image->offset = image->row_offset = (size_t)(start - request->text.ptr);
        image->length = image->row_length = (size_t)(at - start);
    }
}

static enum xpl_status read_flat(const struct reading *r, const struct xpl_request_place *place, struct xpl_error *err)
{
    struct xpl_request *request = r->request;
    struct xpl_request_image shape = {.form = XPL_FORM_HW, .channels = 1};
    struct xpl_error inner = {0};
    size_t n, each;
    enum xpl_status st;

    shape.height = place->dims[1];
    shape.width = place->dims[2];
    if (place->n_dims == 4)
        st = xpl_shape_of_axes(place->dims + 1, &request->hints, &shape, &inner);
    else
        st = shape.height > XPL_IMAGE_MAX_SIDE || shape.width > XPL_IMAGE_MAX_SIDE
                 ? xpl_fail(&inner, XPL_BAD_RECORD, "has a side of more than %u pixels", XPL_IMAGE_MAX_SIDE)
                 : XPL_OK;
    each = (size_t)shape.height * shape.width * shape.channels;
    if (!st && !(st = xpl_shape_count_flat(place->value, &n, &inner)) && n != place->dims[0] * each)
        st = xpl_fail(&inner, XPL_BAD_RECORD, "has %zu numbers; its \"shape\" says %zu", n, place->dims[0] * each);
    if (!st && place->dims[0] > MAX_IMAGES)
        st = xpl_fail(&inner, XPL_BAD_RECORD, "must hold 1 to %u images", MAX_IMAGES);
    if (st)
        return xpl_fail_field(err, st, place->path, "%s", inner.message);
    request->n_images = place->dims[0];
    if (!(request->images = XPL_NEW_ARRAY(r->arena, struct xpl_request_image, request->n_images)))
        return xpl_no_memory(err);
    cut(request, place, &shape, each);
    return XPL_OK;
}

static enum xpl_status read_place(const struct reading *r, const struct xpl_request_place *place, struct xpl_error *err)
{
    enum xpl_status st = place->kind == XPL_PLACE_ROWS   ? read_rows(r, place, err)
                         : place->kind == XPL_PLACE_FLAT ? read_flat(r, place, err)
                                                         : read_one(r, place, err);

    if (!st && r->request->n_images > 1 && r->request->one_row)
        return xpl_fail_field(err, XPL_BAD_RECORD, place->path,
                              "has several images beside other data that has rows; log a record for each");
    return st;
}

enum xpl_status xpl_request_read(struct xpl_arena *arena, struct xpl_text text, const struct xpl_request_hints *hints,
                                 const struct xpl_picture_decoder *decoder, struct xpl_request **ret,
                                 struct xpl_error *err)
{
    struct xpl_request *request = XPL_NEW(arena, struct xpl_request);
    const struct reading reading = {arena, decoder, request};
    struct xpl_request_place place;
    enum xpl_status st;

    if (!request)
        return xpl_no_memory(err);
    if ((st = xpl_request_place_find(text, hints, &place, err)))
        return st;
    *request = (struct xpl_request){
        .shape = place.shape, .text = text, .count = place.count, .tensor = place.tensor, .one_row = place.one_row};
    if (hints)
        request->hints = *hints;
    if ((st = read_place(&reading, &place, err)))
        return st;
    *ret = request;
    return XPL_OK;
}
