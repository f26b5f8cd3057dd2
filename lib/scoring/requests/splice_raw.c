/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/requests/splice_raw.h"

#include <math.h>
#include <stdio.h>

#include "lib/base/json_look.h"
#include "lib/scoring/requests/raw_body.h"
#include "lib/scoring/requests/tensor_type.h"

#define MAX_PIECES  8u
#define MAX_DIGITS  20u
#define NPY_HEAD    128u /* magic and dictionary, padded; counts of 20 digits fit */
#define ASK_FOR_RAW "\"parameters\":{\"binary_data_output\":true},"
#define SIZE_BEFORE "\"parameters\":{\"binary_data_size\":"

/* Neighbouring pixels of one superpixel, in the tensor's own order. */
struct run {
    uint64_t bit; /* of the mask */
    size_t at, length;
};

enum number {
    NO_NUMBER,
    ROWS, /* how many images there are */
    BYTES /* how long the tensor is */
};

/* Text of the head, and the number behind it. */
struct piece {
    struct xpl_text text;
    enum number number;
};

struct xpl_splice_raw {
    struct piece pieces[MAX_PIECES]; /* n_pieces 0: a NumPy file */
    size_t n_pieces, text_length;
    const char *npy_type, *npy_sides; /* "<f4", "28, 28, 1" */
    bool npy_alone;                   /* the array is the image and no list of images */
    uint8_t *on, *off;                /* of the image and of the fill, row_bytes each */
    size_t row_bytes, n_runs;
    struct run *runs;
};

/* ---- the tensor ---- */

/* Where the i-th number of the tensor is among those of an image, whose channels are last. */
static size_t place_in_pixels(const struct xpl_request_image *image, size_t i)
{
    size_t plane = (size_t)image->height * image->width;

    return image->form == XPL_FORM_CHW ? i % plane * image->channels + i / plane : i;
}

static uint8_t *tensor_of(const struct xpl_splice_source *source, const struct xpl_pixels *pixels,
                          const struct xpl_tensor_type *type)
{
    const struct xpl_request_image *image = &source->request->images[source->index];
    size_t n = xpl_pixels_count(pixels);
    uint8_t *bytes = xpl_arena_array(source->arena, n, type->bytes);

    for (size_t i = 0; bytes && i < n; i++)
        xpl_tensor_put(type, pixels->values[place_in_pixels(image, i)], bytes + i * type->bytes);
    return bytes;
}

static uint16_t label_at(const struct xpl_splice_source *source, size_t i)
{
    const struct xpl_request_image *image = &source->request->images[source->index];

    return source->labels[place_in_pixels(image, i) / image->channels];
}

static size_t put_runs(const struct xpl_splice_source *source, size_t n_numbers, unsigned bytes, struct run *runs)
{
    size_t n = 0;

    for (size_t i = 0; i < n_numbers; i++) {
        uint16_t label = label_at(source, i);

        if (i == 0 || label != label_at(source, i - 1)) {
            if (runs)
                runs[n] = (struct run){.bit = (uint64_t)1 << label, .at = i * bytes};
            n++;
        }
        if (runs)
            runs[n - 1].length += bytes;
    }
    return n;
}

static enum xpl_status make_tensor(const struct xpl_splice_source *source, const struct xpl_pixels *image,
                                   const struct xpl_tensor_type *type, struct xpl_splice_raw *raw,
                                   struct xpl_error *err)
{
    size_t n = xpl_pixels_count(image);

    raw->row_bytes = n * type->bytes;
    raw->on = tensor_of(source, image, type);
    raw->off = tensor_of(source, source->fill, type);
    raw->n_runs = put_runs(source, n, type->bytes, NULL);
    raw->runs = XPL_NEW_ARRAY(source->arena, struct run, raw->n_runs);
    if (!raw->on || !raw->off || !raw->runs)
        return xpl_no_memory(err);
    put_runs(source, n, type->bytes, raw->runs);
    return XPL_OK;
}

/* ---- the head of a V2 request ---- */

static void add_piece(struct xpl_splice_raw *raw, struct xpl_text text, enum number number)
{
    raw->pieces[raw->n_pieces++] = (struct piece){text, number};
    raw->text_length += text.length;
}

static void add_string(struct xpl_splice_raw *raw, const char *text, enum number number)
{
    add_piece(raw, xpl_text_of(text), number);
}

/* Where `"data": […]` begins: its value is known. */
static const char *name_of_data(struct xpl_text data, const char *start)
{
    const char *at = data.ptr;

    while (at > start && *at != '"')
        at--;
    return at - strlen("\"data");
}

/* The logged text with `"data":[…]` replaced by the size of what follows. */
static void keep_text(const struct xpl_request *request, struct xpl_text data, struct xpl_splice_raw *raw)
{
    struct xpl_text all = request->text, count = request->count;
    const char *at = memchr(all.ptr, '{', all.length), *end = all.ptr + all.length;
    const char *name = name_of_data(data, at), *behind = data.ptr + data.length;
    struct xpl_text top = {at, (size_t)(end - at)};

    at++;
    add_string(raw, "{", NO_NUMBER);
    if (!xpl_json_member(top, "parameters", NULL))
        add_string(raw, ASK_FOR_RAW, NO_NUMBER);
    if (count.ptr && count.ptr < name) {
        add_piece(raw, (struct xpl_text){at, (size_t)(count.ptr - at)}, ROWS);
        at = count.ptr + count.length;
    }
    add_piece(raw, (struct xpl_text){at, (size_t)(name - at)}, NO_NUMBER);
    add_string(raw, SIZE_BEFORE, BYTES);
    add_string(raw, "}", NO_NUMBER);
    if (count.ptr && count.ptr > behind) {
        add_piece(raw, (struct xpl_text){behind, (size_t)(count.ptr - behind)}, ROWS);
        behind = count.ptr + count.length;
    }
    add_piece(raw, (struct xpl_text){behind, (size_t)(end - behind)}, NO_NUMBER);
}

static enum xpl_status new_text(const struct xpl_splice_source *source, const struct xpl_wire *wire,
                                struct xpl_splice_raw *raw, struct xpl_error *err)
{
    const char *before, *behind;
    enum xpl_status st = xpl_splice_tensor_frame(source, wire, &before, &behind, err);

    if (st)
        return st;
    add_string(raw, "{" ASK_FOR_RAW, NO_NUMBER);
    add_string(raw, before + 1, ROWS);
    add_string(raw, behind, NO_NUMBER);
    add_string(raw, "," SIZE_BEFORE, BYTES);
    add_string(raw, "}}]}", NO_NUMBER);
    return XPL_OK;
}

/* The tensor's own words: its type, where its data is. False when it cannot be sent raw. */
static bool read_tensor(const struct xpl_request *request, struct xpl_text *ret_data, struct xpl_text *ret_type)
{
    struct xpl_text type;

    if (!xpl_json_member(request->tensor, "data", ret_data) || !xpl_json_member(request->tensor, "datatype", &type) ||
        !xpl_json_text_is_string(type) || xpl_json_member(request->tensor, "parameters", NULL))
        return false;
    *ret_type = (struct xpl_text){type.ptr + 1, type.length - 2};
    return true;
}

enum xpl_status xpl_splice_raw_tensor(const struct xpl_splice_source *source, const struct xpl_wire *wire, bool plain,
                                      struct xpl_splice_raw **ret, struct xpl_error *err)
{
    const struct xpl_request *request = source->request;
    struct xpl_splice_raw *raw = XPL_NEW(source->arena, struct xpl_splice_raw);
    struct xpl_text name = xpl_text_of(wire && wire->datatype ? wire->datatype : "FP32"), data = {0};
    const struct xpl_tensor_type *type;
    struct xpl_pixels *pixels;
    enum xpl_status st;

    *ret = NULL;
    if (!raw)
        return xpl_no_memory(err);
    if (request->images[source->index].form == XPL_FORM_ENCODED || (!plain && !read_tensor(request, &data, &name)))
        return XPL_OK;
    if (!(type = xpl_tensor_type_of(name)))
        return XPL_OK;
    if ((st = xpl_request_pixels(source->arena, request, source->index, &pixels, err)) ||
        (st = make_tensor(source, pixels, type, raw, err)) || (plain && (st = new_text(source, wire, raw, err))))
        return st;
    if (!plain)
        keep_text(request, data, raw);
    *ret = raw;
    return XPL_OK;
}

/* ---- NumPy ---- */

static const struct xpl_tensor_type *npy_type_of(const struct xpl_wire *wire, const struct xpl_pixels *image)
{
    bool bytes = image->integers;

    for (size_t i = 0; bytes && i < xpl_pixels_count(image); i++)
        bytes = image->values[i] >= 0 && image->values[i] <= UINT8_MAX;
    return xpl_tensor_type_of(xpl_text_of(wire->datatype ? wire->datatype : bytes ? "UINT8" : "FP32"));
}

static const char *npy_sides_of(const struct xpl_splice_source *source)
{
    const struct xpl_request_image *image = &source->request->images[source->index];

    if (image->form == XPL_FORM_HW)
        return xpl_arena_printf(source->arena, "%u, %u", image->height, image->width);
    if (image->form == XPL_FORM_CHW)
        return xpl_arena_printf(source->arena, "%u, %u, %u", image->channels, image->height, image->width);
    return xpl_arena_printf(source->arena, "%u, %u, %u", image->height, image->width, image->channels);
}

/* Whether the NumPy file that was logged has no axis for several images. */
static bool is_alone(const struct xpl_request *request, uint32_t index)
{
    struct xpl_text note, array;

    return xpl_json_member(request->text, XPL_RAW_BODY_NOTE, &note) &&
           xpl_json_member(request->text, "array", &array) &&
           array.ptr == request->text.ptr + request->images[index].offset;
}

bool xpl_splice_raw_is_alone(const struct xpl_splice_raw *raw)
{
    return raw->npy_alone;
}

enum xpl_status xpl_splice_raw_npy(const struct xpl_splice_source *source, const struct xpl_wire *wire,
                                   struct xpl_splice_raw **ret, struct xpl_error *err)
{
    struct xpl_splice_raw *raw = XPL_NEW(source->arena, struct xpl_splice_raw);
    const struct xpl_tensor_type *type;
    struct xpl_pixels *pixels;
    enum xpl_status st;

    if (!raw)
        return xpl_no_memory(err);
    if ((st = xpl_request_pixels(source->arena, source->request, source->index, &pixels, err)))
        return st;
    type = npy_type_of(wire, pixels);
    if (!type || !type->npy)
        return xpl_fail(err, XPL_BAD_FIELD, "a NumPy file cannot be made with this datatype");
    if ((st = make_tensor(source, pixels, type, raw, err)))
        return st;
    raw->npy_type = type->npy;
    raw->npy_sides = npy_sides_of(source);
    raw->npy_alone = is_alone(source->request, source->index);
    *ret = raw;
    return raw->npy_sides ? XPL_OK : xpl_no_memory(err);
}

/* Magic, version 1.0, two bytes of length, a dictionary padded with blanks and a line break. */
static char *put_npy_head(const struct xpl_splice_raw *raw, size_t n, char *at)
{
    static const uint8_t magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, NPY_HEAD - 10, 0};
    char *end = at + NPY_HEAD;

    at = xpl_put(at, (const char *)magic, sizeof magic);
    memset(at, ' ', (size_t)(end - at));
    at += snprintf(at, (size_t)(end - at), "{'descr': '%s', 'fortran_order': False, 'shape': (", raw->npy_type);
    if (!raw->npy_alone)
        at += snprintf(at, (size_t)(end - at), "%zu, ", n);
    at += snprintf(at, (size_t)(end - at), "%s), }", raw->npy_sides);
    *at = ' ';
    end[-1] = '\n';
    return end;
}

/* ---- bodies ---- */

size_t xpl_splice_raw_max(const struct xpl_splice_raw *raw, size_t n)
{
    return n * raw->row_bytes + (raw->n_pieces ? raw->text_length + 2 * MAX_DIGITS : NPY_HEAD) + 1;
}

static char *put_text_head(const struct xpl_splice_raw *raw, size_t n, char *at)
{
    const size_t numbers[] = {[ROWS] = n, [BYTES] = n * raw->row_bytes};
    char digits[MAX_DIGITS + 1];

    for (size_t i = 0; i < raw->n_pieces; i++) {
        const struct piece *piece = &raw->pieces[i];

        at = xpl_put(at, piece->text.ptr, piece->text.length);
        if (piece->number != NO_NUMBER)
            at = xpl_put(at, digits, (size_t)snprintf(digits, sizeof digits, "%zu", numbers[piece->number]));
    }
    return at;
}

size_t xpl_splice_raw_put(const struct xpl_splice_raw *raw, const uint64_t *masks, size_t n, char *out,
                          size_t *ret_head)
{
    char *at = raw->n_pieces ? put_text_head(raw, n, out) : put_npy_head(raw, n, out);

    *ret_head = raw->n_pieces ? (size_t)(at - out) : 0;
    for (size_t row = 0; row < n; row++, at += raw->row_bytes)
        for (size_t i = 0; i < raw->n_runs; i++) {
            const struct run *run = &raw->runs[i];

            memcpy(at + run->at, (masks[row] & run->bit ? raw->on : raw->off) + run->at, run->length);
        }
    return (size_t)(at - out);
}
