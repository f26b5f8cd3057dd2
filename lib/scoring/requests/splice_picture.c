/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "lib/base/hash.h"
#include "lib/image/encode.h"
#include "lib/image/png_stored.h"
#include "lib/scoring/requests/image_text.h"
#include "lib/scoring/requests/splice_rows.h"

#define IMAGE "data:image"

/* Neighbouring pixels of one row and one superpixel, in the scanlines. */
struct run {
    uint64_t bit; /* of the mask; 0 = a row's filter byte, the same in both */
    uint32_t at, length;
};

struct xpl_splice_picture {
    struct xpl_png_shape shape;
    const uint8_t *on, *off; /* scanlines of the image and of the fill */
    struct run *runs;
    size_t n_runs, png_size, length;
    const char *prefix;
    enum xpl_base64_kind base64;
    uint8_t *scanlines, *png; /* what a body is made in */
    char *text;               /* the picture inside of JSON, and a byte behind it */
};

/* Where the i-th byte of a picture is in its scanlines: each begins with its filter, 0. */
static size_t in_scanlines(const struct xpl_png_shape *shape, size_t i)
{
    return i + i / ((size_t)shape->width * shape->channels) + 1;
}

static uint8_t *scanlines_of(struct xpl_arena *arena, const uint8_t *picture, const struct xpl_png_shape *shape)
{
    uint8_t *lines = xpl_arena_alloc(arena, xpl_png_scanline_bytes(shape));
    size_t row = (size_t)shape->width * shape->channels;

    for (size_t y = 0; lines && y < shape->height; y++)
        memcpy(lines + in_scanlines(shape, y * row), picture + y * row, row);
    return lines;
}

static uint8_t *scanlines_of_numbers(struct xpl_arena *arena, const struct xpl_pixels *pixels,
                                     const struct xpl_png_shape *shape)
{
    uint8_t *lines = xpl_arena_alloc(arena, xpl_png_scanline_bytes(shape));
    size_t n = xpl_pixels_count(pixels);

    for (size_t i = 0; lines && i < n; i++)
        lines[in_scanlines(shape, i)] = (uint8_t)fmin(255, fmax(0, round(pixels->values[i])));
    return lines;
}

/* An image that was logged as numbers, for a model that takes files. */
static enum xpl_status scanlines_of_image(const struct xpl_splice_source *source, const struct xpl_png_shape *shape,
                                          const uint8_t **ret, struct xpl_error *err)
{
    const struct xpl_request_image *image = &source->request->images[source->index];
    struct xpl_pixels *pixels;
    enum xpl_status st;

    if (image->picture) {
        *ret = scanlines_of(source->arena, image->picture, shape);
        return *ret ? XPL_OK : xpl_no_memory(err);
    }
    if ((st = xpl_request_pixels(source->arena, source->request, source->index, &pixels, err)))
        return st;
    for (size_t i = 0; i < xpl_pixels_count(pixels); i++)
        if (!pixels->integers || pixels->values[i] < 0 || pixels->values[i] > UINT8_MAX)
            return xpl_fail(err, XPL_BAD_RECORD, "a picture file is made of whole numbers from 0 to 255 only");
    *ret = scanlines_of_numbers(source->arena, pixels, shape);
    return *ret ? XPL_OK : xpl_no_memory(err);
}

static size_t put_runs(const struct xpl_splice_source *source, const struct xpl_png_shape *shape, struct run *runs)
{
    size_t n = 0, channels = shape->channels;
    uint32_t at = 0;

    for (size_t y = 0; y < shape->height; y++) {
        const uint16_t *labels = source->labels + y * shape->width;

        at++;
        for (size_t x = 0; x < shape->width; x++, at += (uint32_t)channels) {
            if (x == 0 || labels[x] != labels[x - 1]) {
                if (runs)
                    runs[n] = (struct run){.bit = (uint64_t)1 << labels[x], .at = at};
                n++;
            }
            if (runs)
                runs[n - 1].length += (uint32_t)channels;
        }
    }
    return n;
}

/* What stands before the picture, as it was written unless it says that the picture is no PNG. */
static const char *prefix_of(struct xpl_arena *arena, struct xpl_text raw)
{
    size_t length = xpl_image_text_prefix(raw);

    if (length >= strlen(IMAGE) && strncasecmp(raw.ptr, IMAGE, strlen(IMAGE)) == 0 &&
        strncasecmp(raw.ptr, IMAGE "/png", strlen(IMAGE "/png")) != 0)
        return IMAGE "/png;base64,";
    return xpl_arena_string_n(arena, raw.ptr, length);
}

enum xpl_status xpl_splice_picture_new(const struct xpl_splice_source *source, struct xpl_splice_picture **ret,
                                       struct xpl_error *err)
{
    const struct xpl_request_image *image = &source->request->images[source->index];
    struct xpl_text raw = {source->request->text.ptr + image->offset, image->length};
    struct xpl_arena *arena = source->arena;
    struct xpl_splice_picture *p = XPL_NEW(arena, struct xpl_splice_picture);
    enum xpl_status st;

    if (!p)
        return xpl_no_memory(err);
    p->shape = (struct xpl_png_shape){image->height, image->width, image->channels};
    p->png_size = xpl_png_stored_size(&p->shape);
    if (!(p->prefix = prefix_of(arena, raw)))
        return xpl_no_memory(err);
    p->base64 = image->base64;
    p->length = strlen(p->prefix) + xpl_base64_length_as(p->base64, p->png_size);
    if ((st = scanlines_of_image(source, &p->shape, &p->on, err)))
        return st;
    p->off = scanlines_of_numbers(arena, source->fill, &p->shape);
    p->scanlines = xpl_arena_alloc(arena, xpl_png_scanline_bytes(&p->shape));
    p->png = xpl_arena_alloc(arena, p->png_size);
    p->text = xpl_arena_alloc(arena, p->length + 1);
    p->n_runs = put_runs(source, &p->shape, NULL);
    p->runs = XPL_NEW_ARRAY(arena, struct run, p->n_runs);
    if (!p->on || !p->off || !p->scanlines || !p->png || !p->text || !p->runs)
        return xpl_no_memory(err);
    put_runs(source, &p->shape, p->runs);
    *ret = p;
    return XPL_OK;
}

size_t xpl_splice_picture_length(const struct xpl_splice_picture *picture)
{
    return picture->length;
}

size_t xpl_splice_picture_file_size(const struct xpl_splice_picture *picture)
{
    return picture->png_size;
}

static void compose(const struct xpl_splice_picture *p, uint64_t mask)
{
    for (size_t i = 0; i < p->n_runs; i++) {
        const struct run *run = &p->runs[i];

        memcpy(p->scanlines + run->at, (mask & run->bit ? p->on : p->off) + run->at, run->length);
    }
}

void xpl_splice_picture_file(const struct xpl_splice_picture *p, uint64_t mask, char *out)
{
    compose(p, mask);
    xpl_png_stored_write(&p->shape, p->scanlines, (uint8_t *)out);
}

size_t xpl_splice_picture_jpeg_max(const struct xpl_splice_picture *picture)
{
    return xpl_jpeg_max(picture->shape.height, picture->shape.width);
}

size_t xpl_splice_picture_jpeg(const struct xpl_splice_picture *p, uint64_t mask, char *out)
{
    size_t row = (size_t)p->shape.width * p->shape.channels;

    compose(p, mask);
    for (size_t y = 0; y < p->shape.height; y++)
        memcpy(p->png + y * row, p->scanlines + in_scanlines(&p->shape, y * row), row);
    return xpl_jpeg_write(p->png, p->shape.height, p->shape.width, p->shape.channels, (uint8_t *)out);
}

struct xpl_text xpl_splice_picture_text(const struct xpl_splice_picture *p, uint64_t mask)
{
    char *end = xpl_put(p->text, p->prefix, strlen(p->prefix));

    xpl_splice_picture_file(p, mask, (char *)p->png);
    xpl_base64_write_as(p->base64, p->png, p->png_size, end);
    return (struct xpl_text){p->text, p->length};
}
