/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/requests/sample_request.h"

#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/hash.h"
#include "lib/image/png_stored.h"

#define MAX_BYTES ((size_t)256 << 20)

const char *const xpl_sample_formats[] = {
    "wml-v4", "wml-v3",       "custom",    "kserve-v1", "kserve-v1-png", "tf-serving-png", "open-inference-v2",
    "azure",  "azure-automl", "azure-png", NULL};

/* What stands before and behind the image, and whether it is a picture in base64. */
struct frame {
    const char *before, *after;
    bool encoded;
};

/* In the order of the names. */
static const struct frame frames[] = {
    {"{\"input_data\":[{\"values\":[", "]}]}", false},
    {"{\"values\":[", "]}", false},
    {"{\"values\":[", "]}", false},
    {"{\"instances\":[", "]}", false},
    {"{\"instances\":[{\"image_bytes\":{\"b64\":\"", "\"}}]}", true},
    {"{\"instances\":[{\"b64\":\"", "\"}]}", true},
    {NULL, "]}]}", false},
    {"{\"input_data\":{\"data\":[", "]}}", false},
    {"{\"input_data\":{\"columns\":[\"image\"],\"data\":[\"", "\"]}}", true},
    {"{\"input\":[{\"image\":\"", "\"}]}", true},
};

struct sample {
    const struct xpl_sample_format *format;
    const uint8_t *bytes;
    uint32_t height, width, channels;
    struct xpl_buf *out;
};

static void put_value(const struct sample *s, size_t y, size_t x, size_t c)
{
    uint8_t value = s->bytes[(y * s->width + x) * s->channels + c];

    if (s->format->range == XPL_SAMPLE_BYTES)
        xpl_buf_printf(s->out, "%u", value);
    else
        xpl_buf_printf(s->out, "%.6g", s->format->range == XPL_SAMPLE_UNIT ? value / 255.0 : value / 127.5 - 1);
}

/* Numbers along three axes, in nested arrays or without brackets. */
static void put_numbers(const struct sample *s, bool nested)
{
    bool first = s->format->layout == XPL_LAYOUT_CHW;
    size_t n[3] = {s->height, s->width, s->channels}, i[3];

    if (first)
        memcpy(n, (const size_t[]){s->channels, s->height, s->width}, sizeof n);
    xpl_buf_string(s->out, nested ? "[" : "");
    for (i[0] = 0; i[0] < n[0]; i[0]++) {
        xpl_buf_string(s->out, !nested ? "" : i[0] ? ",[" : "[");
        for (i[1] = 0; i[1] < n[1]; i[1]++) {
            xpl_buf_string(s->out, !nested ? "" : i[1] ? ",[" : "[");
            for (i[2] = 0; i[2] < n[2]; i[2]++) {
                if (nested ? i[2] : i[0] || i[1] || i[2])
                    xpl_buf_string(s->out, ",");
                put_value(s, first ? i[1] : i[0], first ? i[2] : i[1], first ? i[0] : i[2]);
            }
            xpl_buf_string(s->out, nested ? "]" : "");
        }
        xpl_buf_string(s->out, nested ? "]" : "");
    }
    xpl_buf_string(s->out, nested ? "]" : "");
}

static void put_tensor_head(const struct sample *s)
{
    const struct xpl_sample_format *f = s->format;

    xpl_buf_printf(s->out, "{\"inputs\":[{\"name\":\"%s\",\"shape\":[1,", f->input_name ? f->input_name : "input-0");
    if (f->layout == XPL_LAYOUT_CHW)
        xpl_buf_printf(s->out, "%u,%u,%u", s->channels, s->height, s->width);
    else
        xpl_buf_printf(s->out, "%u,%u,%u", s->height, s->width, s->channels);
    xpl_buf_printf(s->out, "],\"datatype\":\"%s\",\"data\":[", f->datatype ? f->datatype : "FP32");
}

static enum xpl_status put_picture(struct xpl_arena *arena, const struct sample *s, struct xpl_error *err)
{
    struct xpl_png_shape shape = {s->height, s->width, s->channels};
    size_t row = (size_t)s->width * s->channels, size = xpl_png_stored_size(&shape);
    uint8_t *lines = xpl_arena_alloc(arena, xpl_png_scanline_bytes(&shape)), *png = xpl_arena_alloc(arena, size);
    char *base64;

    if (!lines || !png)
        return xpl_no_memory(err);
    for (size_t y = 0; y < s->height; y++)
        memcpy(lines + y * (row + 1) + 1, s->bytes + y * row, row);
    xpl_png_stored_write(&shape, lines, png);
    if (!(base64 = xpl_base64(arena, png, size)))
        return xpl_no_memory(err);
    xpl_buf_string(s->out, base64);
    return XPL_OK;
}

static const struct frame *find_frame(const char *name)
{
    for (size_t i = 0; xpl_sample_formats[i]; i++)
        if (strcmp(xpl_sample_formats[i], name) == 0)
            return &frames[i];
    return NULL;
}

enum xpl_status xpl_sample_request(struct xpl_arena *arena, const struct xpl_sample_format *format,
                                   const uint8_t *bytes, uint32_t height, uint32_t width, uint32_t channels,
                                   struct xpl_text *ret, struct xpl_error *err)
{
    const struct frame *frame = find_frame(format->name);
    XPL_AUTO(xpl_buf) out = xpl_buf_new(MAX_BYTES);
    struct sample s = {format, bytes, height, width, channels, out};
    enum xpl_status st = XPL_OK;

    if (!frame)
        return xpl_fail_field(err, XPL_BAD_FIELD, "format", "there is no format \"%.60s\"", format->name);
    if (!out)
        return xpl_no_memory(err);
    if (frame->before)
        xpl_buf_string(out, frame->before);
    else
        put_tensor_head(&s);
    if (frame->encoded)
        st = put_picture(arena, &s, err);
    else
        put_numbers(&s, frame->before != NULL);
    xpl_buf_string(out, frame->after);
    if (st)
        return st;
    *ret = (struct xpl_text){xpl_arena_string_n(arena, out->data, out->length), out->length};
    return ret->ptr && !out->failed ? XPL_OK : xpl_no_memory(err);
}
