/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/requests/splice.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/json_look.h"
#include "lib/scoring/requests/splice_raw.h"
#include "lib/scoring/requests/splice_rows.h"

#define MAX_NAME 256u

const char *xpl_body_form_type(enum xpl_body_form form)
{
    static const char *const types[] = {
        "application/json", "application/octet-stream", "application/x-npy",       "image/png",
        "image/jpeg",       "application/x-image",      "application/octet-stream"};

    return types[form];
}

/* ---- the template around the rows ---- */

static struct xpl_splice_part whole(struct xpl_text text)
{
    return (struct xpl_splice_part){.before = text};
}

/* A part of the request's text, cut where it says how many rows there are. */
static struct xpl_splice_part part_of(const struct xpl_request *request, size_t from, size_t to)
{
    const char *text = request->text.ptr;
    size_t at = request->count.ptr ? (size_t)(request->count.ptr - text) : 0;

    if (!request->count.ptr || at < from || at >= to)
        return whole((struct xpl_text){text + from, to - from});
    return (struct xpl_splice_part){.before = {text + from, at - from},
                                    .after = {text + at + request->count.length, to - at - request->count.length},
                                    .count = true};
}

/* What stands before the first row and behind the last one stays, so that a request with one image is kept byte for
 * byte. */
static void keep_template(const struct xpl_request *request, struct xpl_splicer *s)
{
    const struct xpl_request_image *first = &request->images[0], *last = &request->images[request->n_images - 1];

    s->head = part_of(request, 0, first->row_offset);
    s->tail = part_of(request, last->row_offset + last->row_length, request->text.length);
    s->max_rows = request->one_row ? 1 : UINT32_MAX;
}

enum xpl_status xpl_splice_tensor_frame(const struct xpl_splice_source *source, const struct xpl_wire *wire,
                                        const char **ret_before, const char **ret_behind, struct xpl_error *err)
{
    const struct xpl_request_image *image = &source->request->images[source->index];
    const char *name = wire->input_name ? wire->input_name : "input-0";
    const char *type = wire->datatype ? wire->datatype : "FP32";

    *ret_before = xpl_arena_printf(source->arena, "{\"inputs\":[{\"name\":\"%.*s\",\"shape\":[", (int)MAX_NAME, name);
    if (image->form == XPL_FORM_HW)
        *ret_behind =
            xpl_arena_printf(source->arena, ",%u,%u],\"datatype\":\"%.16s\"", image->height, image->width, type);
    else if (image->form == XPL_FORM_CHW)
        *ret_behind = xpl_arena_printf(source->arena, ",%u,%u,%u],\"datatype\":\"%.16s\"", image->channels,
                                       image->height, image->width, type);
    else
        *ret_behind = xpl_arena_printf(source->arena, ",%u,%u,%u],\"datatype\":\"%.16s\"", image->height, image->width,
                                       image->channels, type);
    return *ret_before && *ret_behind ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status tensor_template(const struct xpl_splice_source *source, const struct xpl_wire *wire,
                                       struct xpl_splicer *s, struct xpl_error *err)
{
    const char *before, *behind;
    enum xpl_status st = xpl_splice_tensor_frame(source, wire, &before, &behind, err);

    if (st)
        return st;
    if (!(behind = xpl_arena_printf(source->arena, "%s,\"data\":[", behind)))
        return xpl_no_memory(err);
    s->head = (struct xpl_splice_part){.before = xpl_text_of(before), .after = xpl_text_of(behind), .count = true};
    s->tail = whole(xpl_text_of("]}]}"));
    return XPL_OK;
}

/* A request whose own text was put together by the client's library gets the frame that the model wants. */
static enum xpl_status new_template(const struct xpl_splice_source *source, const struct xpl_wire *wire,
                                    struct xpl_splicer *s, struct xpl_error *err)
{
    const struct xpl_request *request = source->request;
    struct xpl_arena *arena = source->arena;

    s->max_rows = UINT32_MAX;
    s->tail = whole(xpl_text_of("]}"));
    switch (wire->format) {
    case XPL_WIRE_WML_V4:
        keep_template(request, s);
        s->head.before = xpl_text_of(
            xpl_arena_printf(arena, "{\"input_data\":[%.*s", (int)s->head.before.length, s->head.before.ptr));
        s->tail.before = xpl_text_of(xpl_arena_printf(arena, "%.*s]}", (int)s->tail.before.length, s->tail.before.ptr));
        return s->head.before.length && s->tail.before.length ? XPL_OK : xpl_no_memory(err);
    case XPL_WIRE_VALUES:
        s->head = whole(xpl_text_of("{\"values\":["));
        return XPL_OK;
    case XPL_WIRE_INSTANCES:
        s->head = whole(xpl_text_of("{\"instances\":["));
        return XPL_OK;
    case XPL_WIRE_TENSOR:
        return tensor_template(source, wire, s, err);
    case XPL_WIRE_AS_LOGGED:
        break;
    }
    keep_template(request, s);
    return XPL_OK;
}

/* Whether the request is as the model takes it. */
static bool fits(const struct xpl_request *request, enum xpl_wire_format wire)
{
    if (wire == XPL_WIRE_AS_LOGGED)
        return true;
    if (request->shape == XPL_REQUEST_WML_V4)
        return wire == XPL_WIRE_WML_V4;
    return request->shape != XPL_REQUEST_PLAIN || wire == XPL_WIRE_VALUES;
}

/* ---- the rows ---- */

static enum xpl_status check_input(const struct xpl_splice_source *source, struct xpl_error *err)
{
    const struct xpl_request_image *image = &source->request->images[source->index];
    const struct xpl_pixels *fill = source->fill;
    size_t n = (size_t)image->height * image->width;

    if (source->n_segments < 1 || source->n_segments > XPL_SPLICE_SEGMENTS)
        return xpl_fail(err, XPL_INTERNAL, "%u segments; a mask has 1 to %u", source->n_segments, XPL_SPLICE_SEGMENTS);
    if (fill->height != image->height || fill->width != image->width || fill->channels != image->channels)
        return xpl_fail(err, XPL_INTERNAL, "the fill and the image differ in shape");
    for (size_t i = 0; i < xpl_pixels_count(fill); i++)
        if (!isfinite(fill->values[i]))
            return xpl_fail(err, XPL_INTERNAL, "the fill holds a number that JSON cannot write");
    for (size_t i = 0; i < n; i++)
        if (source->labels[i] >= source->n_segments)
            return xpl_fail(err, XPL_INTERNAL, "a pixel belongs to segment %u of %u", source->labels[i],
                            source->n_segments);
    return XPL_OK;
}

static enum xpl_status make_rows(const struct xpl_splice_source *source, struct xpl_splicer *s, struct xpl_error *err)
{
    const struct xpl_request_image *image = &source->request->images[source->index];
    const char *text = source->request->text.ptr;
    size_t row_end = image->row_offset + image->row_length, image_end = image->offset + image->length, lead = 0;
    enum xpl_status st = image->form == XPL_FORM_ENCODED ? xpl_splice_picture_new(source, &s->picture, err)
                                                         : xpl_splice_numbers_new(source, &s->numbers, &lead, err);

    s->row_head = (struct xpl_text){text + image->row_offset, image->offset - image->row_offset + lead};
    s->row_tail = (struct xpl_text){text + image_end, row_end - image_end};
    return st;
}

/* ---- bodies that are not JSON ---- */

static enum xpl_status make_files(const struct xpl_splice_source *source, const struct xpl_wire *wire,
                                  struct xpl_splicer *s, struct xpl_error *err)
{
    enum xpl_status st =
        wire->form.ptr ? xpl_form_read(source->arena, wire->form, &s->around, &s->form_type, err) : XPL_OK;

    if (st)
        return st;
    s->form = s->better = wire->body;
    if (wire->body == XPL_BODY_NPY) {
        st = xpl_splice_raw_npy(source, wire, &s->raw, err);
        s->max_rows = !st && xpl_splice_raw_is_alone(s->raw) ? 1 : UINT32_MAX;
        return st;
    }
    s->max_rows = 1;
    return s->picture ? XPL_OK : xpl_splice_picture_new(source, &s->picture, err);
}

/* A tensor behind the text, when the request is one of the Open Inference Protocol. */
static enum xpl_status make_raw_tensor(const struct xpl_splice_source *source, const struct xpl_wire *wire,
                                       struct xpl_splicer *s, struct xpl_error *err)
{
    bool plain = wire && wire->format == XPL_WIRE_TENSOR && !fits(source->request, wire->format);
    enum xpl_raw_use use = wire ? wire->raw : XPL_RAW_IF_SMALLER;
    enum xpl_status st;

    if (use == XPL_RAW_NEVER || s->picture || (!plain && !source->request->tensor.ptr))
        return XPL_OK;
    if ((st = xpl_splice_raw_tensor(source, wire, plain, &s->raw, err)) || !s->raw)
        return st;
    if (use == XPL_RAW_ALWAYS)
        s->form = XPL_BODY_TENSOR;
    if (use == XPL_RAW_ALWAYS || xpl_splice_raw_max(s->raw, 1) < xpl_splice_max(s, 1))
        s->better = XPL_BODY_TENSOR;
    return XPL_OK;
}

enum xpl_status xpl_splicer_new(struct xpl_arena *arena, const struct xpl_request *request, uint32_t index,
                                const struct xpl_wire *wire, const uint16_t *labels, uint32_t n_segments,
                                const struct xpl_pixels *fill, struct xpl_splicer **ret, struct xpl_error *err)
{
    struct xpl_splice_source source = {arena, request, index, labels, n_segments, fill};
    struct xpl_splicer *s = XPL_NEW(arena, struct xpl_splicer);
    enum xpl_status st;

    if (!s)
        return xpl_no_memory(err);
    if ((st = check_input(&source, err)) || (st = make_rows(&source, s, err)))
        return st;
    if (wire && !fits(request, wire->format)) {
        if ((st = new_template(&source, wire, s, err)))
            return st;
    } else
        keep_template(request, s);
    if ((st = wire && wire->body != XPL_BODY_JSON ? make_files(&source, wire, s, err)
                                                  : make_raw_tensor(&source, wire, s, err)))
        return st;
    *ret = s;
    return XPL_OK;
}

enum xpl_body_form xpl_splice_form(const struct xpl_splicer *splicer)
{
    return splicer->form;
}

enum xpl_body_form xpl_splice_better_form(const struct xpl_splicer *splicer)
{
    return splicer->better;
}

const char *xpl_splice_content_type(const struct xpl_splicer *splicer, enum xpl_body_form form)
{
    return splicer->form_type ? splicer->form_type : xpl_body_form_type(form);
}

uint32_t xpl_splice_max_rows(const struct xpl_splicer *splicer)
{
    return splicer->max_rows;
}

/* ---- bodies ---- */

static size_t part_length(const struct xpl_splice_part *part, size_t count_digits)
{
    return part->before.length + part->after.length + (part->count ? count_digits : 0);
}

/* Everything of a body with `n` rows that is not inside of a row. */
static size_t around_rows(const struct xpl_splicer *s, size_t n, size_t count_digits)
{
    return part_length(&s->head, count_digits) + part_length(&s->tail, count_digits) +
           (n - 1) * strlen(XPL_ROW_SEPARATOR);
}

static size_t around_image(const struct xpl_splicer *s)
{
    return s->row_head.length + s->row_tail.length;
}

size_t xpl_splice_max(const struct xpl_splicer *s, size_t n)
{
    size_t image = s->picture ? xpl_splice_picture_length(s->picture) : xpl_splice_numbers_max(s->numbers);

    return around_rows(s, n, XPL_COUNT_DIGITS) + n * (around_image(s) + image);
}

size_t xpl_splice_length(const struct xpl_splicer *s, const uint64_t *masks, size_t n)
{
    char count[XPL_COUNT_DIGITS + 1];
    size_t length = around_rows(s, n, (size_t)snprintf(count, sizeof count, "%u", (unsigned)n)) + n * around_image(s);

    for (size_t i = 0; i < n; i++)
        length += s->picture ? xpl_splice_picture_length(s->picture) : xpl_splice_numbers_length(s->numbers, masks[i]);
    return length;
}

size_t xpl_splice(const struct xpl_splicer *splicer, const uint64_t *masks, size_t n, char *out)
{
    struct xpl_splice_stream stream;

    xpl_splice_begin(&stream, splicer, masks, n);
    return xpl_splice_read(&stream, out, xpl_splice_length(splicer, masks, n));
}

static size_t body_max(const struct xpl_splicer *s, enum xpl_body_form form, size_t n)
{
    switch (form) {
    case XPL_BODY_JSON:
        break;
    case XPL_BODY_TENSOR:
    case XPL_BODY_NPY:
        return xpl_splice_raw_max(s->raw, n);
    case XPL_BODY_PNG:
    case XPL_BODY_X_IMAGE:
    case XPL_BODY_FILE:
        return xpl_splice_picture_file_size(s->picture);
    case XPL_BODY_JPEG:
        return xpl_splice_picture_jpeg_max(s->picture);
    }
    return xpl_splice_max(s, n);
}

size_t xpl_splice_form_max(const struct xpl_splicer *s, enum xpl_body_form form, size_t n)
{
    return s->around.before.length + body_max(s, form, n) + s->around.behind.length;
}

static size_t put_body(const struct xpl_splicer *s, enum xpl_body_form form, const uint64_t *masks, size_t n, char *out,
                       size_t *ret_head)
{
    switch (form) {
    case XPL_BODY_JSON:
        break;
    case XPL_BODY_TENSOR:
    case XPL_BODY_NPY:
        return xpl_splice_raw_put(s->raw, masks, n, out, ret_head);
    case XPL_BODY_PNG:
    case XPL_BODY_X_IMAGE:
    case XPL_BODY_FILE:
        xpl_splice_picture_file(s->picture, masks[0], out);
        return xpl_splice_picture_file_size(s->picture);
    case XPL_BODY_JPEG:
        return xpl_splice_picture_jpeg(s->picture, masks[0], out);
    }
    return xpl_splice(s, masks, n, out);
}

size_t xpl_splice_as(const struct xpl_splicer *s, enum xpl_body_form form, const uint64_t *masks, size_t n, char *out,
                     size_t *ret_head)
{
    char *at = out;

    *ret_head = 0;
    if (!s->form_type)
        return put_body(s, form, masks, n, out, ret_head);
    at = xpl_put(at, s->around.before.ptr, s->around.before.length);
    at += put_body(s, form, masks, n, at, ret_head);
    at = xpl_put(at, s->around.behind.ptr, s->around.behind.length);
    return (size_t)(at - out);
}
