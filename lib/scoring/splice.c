/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/splice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"

#define MAX_NUMBER_TEXT   32
#define ROW_SEPARATOR     ","
#define MAX_EXACT_INTEGER 9007199254740992.0
#define MAX_SEGMENTS      64u
#define MAX_FILL_BYTES    ((size_t)256 << 20)

/* Neighbouring pixels of one row and one superpixel, with the separator behind them. Runs follow each other without
 * gaps. */
struct run {
    uint64_t bit;           /* of the mask */
    size_t on, on_length;   /* in the image's own text */
    size_t off, off_length; /* in the fill's text */
};

struct xpl_splicer {
    struct xpl_text head, tail;         /* around the rows: the rest of the request */
    struct xpl_text row_head, row_tail; /* around the pixels: the rest of their row */
    const char *image;                  /* the image's own text */
    const char *fill;
    struct run *runs;
    size_t n_runs;
    size_t max_row;
};

/* ---- the template around the image ---- */

static char *put(char *at, const char *data, size_t length)
{
    memcpy(at, data, length);
    return at + length;
}

static struct xpl_text concat(struct xpl_arena *arena, struct xpl_text a, struct xpl_text b)
{
    size_t length = a.length + b.length;
    char *text = xpl_arena_alloc(arena, length + 1);

    if (!text)
        return (struct xpl_text){NULL, 0};
    put(put(text, a.ptr, a.length), b.ptr, b.length);
    return (struct xpl_text){text, length};
}

/* Everything of the request but its rows, and the wrapping when the deployment wants one. What stands before the
 * first row and behind the last one stays, so that a request with one image is kept byte for byte. */
static enum xpl_status make_template(struct xpl_arena *arena, const struct xpl_request *request,
                                     const struct xpl_request_image *image, enum xpl_wire_format wire,
                                     struct xpl_splicer *s, struct xpl_error *err)
{
    bool wrap = wire == XPL_WIRE_WML_V4 && request->shape == XPL_REQUEST_PLAIN;
    const char *text = request->text.ptr;
    const struct xpl_request_image *first = &request->images[0], *last = &request->images[request->n_images - 1];
    size_t rows_end = last->row_offset + last->row_length;
    size_t row_end = image->row_offset + image->row_length, image_end = image->offset + image->length;

    s->row_head = (struct xpl_text){text + image->row_offset, image->offset - image->row_offset};
    s->row_tail = (struct xpl_text){text + image_end, row_end - image_end};
    s->head = concat(arena, xpl_text_of(wrap ? "{\"input_data\":[" : ""), (struct xpl_text){text, first->row_offset});
    s->tail = concat(arena, (struct xpl_text){text + rows_end, request->text.length - rows_end},
                     xpl_text_of(wrap ? "]}" : ""));
    return s->head.ptr && s->tail.ptr ? XPL_OK : xpl_no_memory(err);
}

/* ---- pixels ---- */

static const char *skip_to_pixel(const char *at, bool flat)
{
    const char *stop = flat ? "0123456789-" : "[";

    return at + strcspn(at, stop);
}

static const char *pixel_end(const char *at, bool flat)
{
    return flat ? at + strspn(at, "0123456789+-.eE") : at + strcspn(at, "]") + 1;
}

/* Where each pixel's text starts, and behind the last one the end of the image: height x width + 1 offsets. */
static size_t *find_pixels(struct xpl_arena *arena, const char *text, const struct xpl_request_image *image)
{
    size_t n = (size_t)image->height * image->width;
    size_t *offsets = XPL_NEW_ARRAY(arena, size_t, n + 1);
    const char *at = text + 1; /* behind the outermost bracket */

    if (!offsets)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        if (i % image->width == 0)
            at = at + strcspn(at, "[") + 1; /* into the next line */
        at = skip_to_pixel(at, image->flat_channel);
        offsets[i] = (size_t)(at - text);
        at = pixel_end(at, image->flat_channel);
    }
    offsets[n] = image->length;
    return offsets;
}

/* The shortest text that reads back as the same number. */
static void print_number(double value, bool integer, char out[MAX_NUMBER_TEXT])
{
    if (integer && fabs(value) <= MAX_EXACT_INTEGER) {
        double whole = round(value);

        snprintf(out, MAX_NUMBER_TEXT, "%.0f", whole == 0 ? 0.0 : whole);
        return;
    }
    /* a text of at most 15 digits that reads back is what 15 digits print, without trailing zeros */
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, MAX_NUMBER_TEXT, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            return;
    }
}

/* The fill of one superpixel mostly is one colour: its text is kept until the colour changes. */
struct colour_text {
    double values[4];
    char text[4 * MAX_NUMBER_TEXT + 8];
    size_t length;
};

static void print_colour(struct colour_text *colour, const struct xpl_pixels *fill, const double *values, bool flat)
{
    char number[MAX_NUMBER_TEXT];
    size_t bytes = fill->channels * sizeof *values, used = 0;

    if (colour->length && memcmp(colour->values, values, bytes) == 0)
        return;
    memcpy(colour->values, values, bytes);
    for (uint32_t c = 0; c < fill->channels; c++) {
        print_number(values[c], fill->integers, number);
        used += (size_t)snprintf(colour->text + used, sizeof colour->text - used, "%s%s",
                                 flat     ? ""
                                 : c == 0 ? "["
                                          : ",",
                                 number);
    }
    if (!flat)
        colour->text[used++] = ']';
    colour->length = used;
}

/* ---- runs ---- */

struct building {
    const struct xpl_request_image *image;
    const uint16_t *labels;
    const struct xpl_pixels *fill;
    const size_t *offsets;
    struct xpl_buf *fill_text;
    struct colour_text *colours; /* by label */
};

/* Adds the run of pixels [from, to); `to` may be the end of a row. */
static void add_run(const struct building *b, struct run *run, size_t from, size_t to)
{
    size_t label = b->labels[from], channels = b->fill->channels;

    *run = (struct run){.bit = (uint64_t)1 << label, .on = b->offsets[from], .off = b->fill_text->length};
    run->on_length = b->offsets[to] - run->on;
    for (size_t i = from; i < to; i++) {
        struct colour_text *colour = &b->colours[label];

        print_colour(colour, b->fill, b->fill->values + i * channels, b->image->flat_channel);
        xpl_buf_append(b->fill_text, colour->text, colour->length);
        if (i + 1 < to)
            xpl_buf_append(b->fill_text, ",", 1);
    }
}

/* What stands behind a run in the image's text (comma, brackets, blanks) follows its fill, too. */
static void add_separator(const struct building *b, struct run *run, const char *image, size_t pixels_end)
{
    xpl_buf_append(b->fill_text, image + pixels_end, run->on + run->on_length - pixels_end);
    run->off_length = b->fill_text->length - run->off;
}

static size_t count_runs(const uint16_t *labels, uint32_t height, uint32_t width)
{
    size_t n = 0;

    for (uint32_t r = 0; r < height; r++)
        for (uint32_t c = 0; c < width; c++)
            n += c == 0 || labels[(size_t)r * width + c] != labels[(size_t)r * width + c - 1];
    return n;
}

static void make_runs(const struct building *b, struct xpl_splicer *s)
{
    size_t width = b->image->width, n = (size_t)b->image->height * width;

    for (size_t from = 0; from < n;) {
        size_t to = from + 1;
        const char *last;

        while (to % width != 0 && b->labels[to] == b->labels[from])
            to++;
        add_run(b, &s->runs[s->n_runs], from, to);
        last = pixel_end(s->image + b->offsets[to - 1], b->image->flat_channel);
        add_separator(b, &s->runs[s->n_runs++], s->image, (size_t)(last - s->image));
        from = to;
    }
}

static enum xpl_status check_input(const struct xpl_request *request, uint32_t index, const uint16_t *labels,
                                   uint32_t n_segments, const struct xpl_pixels *fill, struct xpl_error *err)
{
    const struct xpl_request_image *image = &request->images[index];
    size_t n = (size_t)image->height * image->width;

    if (n_segments < 1 || n_segments > MAX_SEGMENTS)
        return xpl_fail(err, XPL_INTERNAL, "%u segments; a mask has 1 to %u", n_segments, MAX_SEGMENTS);
    if (fill->height != image->height || fill->width != image->width || fill->channels != image->channels)
        return xpl_fail(err, XPL_INTERNAL, "the fill and the image differ in shape");
    for (size_t i = 0; i < xpl_pixels_count(fill); i++)
        if (!isfinite(fill->values[i]))
            return xpl_fail(err, XPL_INTERNAL, "the fill holds a number that JSON cannot write");
    for (size_t i = 0; i < n; i++)
        if (labels[i] >= n_segments)
            return xpl_fail(err, XPL_INTERNAL, "a pixel belongs to segment %u of %u", labels[i], n_segments);
    return XPL_OK;
}

static size_t longest_row(const struct xpl_splicer *s)
{
    size_t length = s->row_head.length + s->row_tail.length;

    for (size_t i = 0; i < s->n_runs; i++)
        length += s->runs[i].on_length > s->runs[i].off_length ? s->runs[i].on_length : s->runs[i].off_length;
    return length;
}

enum xpl_status xpl_splicer_new(struct xpl_arena *arena, const struct xpl_request *request, uint32_t index,
                                enum xpl_wire_format wire, const uint16_t *labels, uint32_t n_segments,
                                const struct xpl_pixels *fill, struct xpl_splicer **ret, struct xpl_error *err)
{
    const struct xpl_request_image *image = &request->images[index];
    XPL_AUTO(xpl_buf) fill_text = xpl_buf_new(MAX_FILL_BYTES);
    struct xpl_splicer *s;
    struct building b = {.image = image, .labels = labels, .fill = fill, .fill_text = fill_text};
    size_t n_runs = count_runs(labels, image->height, image->width);
    enum xpl_status st;

    if ((st = check_input(request, index, labels, n_segments, fill, err)))
        return st;
    if (!(s = XPL_NEW(arena, struct xpl_splicer)) || !fill_text ||
        !(b.colours = XPL_NEW_ARRAY(arena, struct colour_text, n_segments)) ||
        !(s->runs = XPL_NEW_ARRAY(arena, struct run, n_runs)))
        return xpl_no_memory(err);
    s->image = request->text.ptr + image->offset;
    if ((st = make_template(arena, request, image, wire, s, err)))
        return st;
    if (!(b.offsets = find_pixels(arena, s->image, image)))
        return xpl_no_memory(err);
    s->row_head.length += b.offsets[0]; /* the brackets before the first pixel */
    make_runs(&b, s);
    if (fill_text->failed || !(s->fill = xpl_arena_copy(arena, fill_text->data, fill_text->length)))
        return xpl_no_memory(err);
    s->max_row = longest_row(s);
    *ret = s;
    return XPL_OK;
}

/* ---- bodies ---- */

/* Everything of a body with `n` rows that is not inside of a row. */
static size_t around_rows(const struct xpl_splicer *s, size_t n)
{
    return s->head.length + s->tail.length + (n - 1) * strlen(ROW_SEPARATOR);
}

size_t xpl_splice_max(const struct xpl_splicer *splicer, size_t n)
{
    return around_rows(splicer, n) + n * splicer->max_row;
}

static size_t row_length(const struct xpl_splicer *s, uint64_t mask)
{
    size_t length = s->row_head.length + s->row_tail.length;

    for (size_t i = 0; i < s->n_runs; i++)
        length += mask & s->runs[i].bit ? s->runs[i].on_length : s->runs[i].off_length;
    return length;
}

size_t xpl_splice_length(const struct xpl_splicer *s, const uint64_t *masks, size_t n)
{
    size_t length = around_rows(s, n);

    for (size_t i = 0; i < n; i++)
        length += row_length(s, masks[i]);
    return length;
}

static char *put_row(const struct xpl_splicer *s, uint64_t mask, char *at)
{
    at = put(at, s->row_head.ptr, s->row_head.length);
    for (size_t i = 0; i < s->n_runs;) {
        const struct run *run = &s->runs[i];
        bool on = (mask & run->bit) != 0;
        size_t length = 0;

        /* runs of the same state lie side by side in their text: one copy */
        for (; i < s->n_runs && ((mask & s->runs[i].bit) != 0) == on; i++)
            length += on ? s->runs[i].on_length : s->runs[i].off_length;
        at = put(at, on ? s->image + run->on : s->fill + run->off, length);
    }
    return put(at, s->row_tail.ptr, s->row_tail.length);
}

size_t xpl_splice(const struct xpl_splicer *s, const uint64_t *masks, size_t n, char *out)
{
    char *at = put(out, s->head.ptr, s->head.length);

    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            at = put(at, ROW_SEPARATOR, strlen(ROW_SEPARATOR));
        at = put_row(s, masks[i], at);
    }
    return (size_t)(put(at, s->tail.ptr, s->tail.length) - out);
}
