/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/requests/sample_request.h"

#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/hash.h"
#include "lib/image/png_stored.h"
#include "lib/scoring/requests/form_data.h"
#include "lib/scoring/requests/raw_body.h"

#define MAX_BYTES ((size_t)256 << 20)

const struct xpl_sample_frame xpl_sample_formats[] = {
    {"wml-v4", "{\"input_data\":[{\"values\":[", "]}]}", XPL_SAMPLE_LISTS, NULL, false},
    {"wml-v3", "{\"values\":[", "]}", XPL_SAMPLE_LISTS, NULL, false},
    {"custom", "{\"values\":[", "]}", XPL_SAMPLE_LISTS, NULL, false},
    {"kserve-v1", "{\"instances\":[", "]}", XPL_SAMPLE_LISTS, NULL, false},
    {"kserve-v1-png", "{\"instances\":[{\"image_bytes\":{\"b64\":\"", "\"}}]}", XPL_SAMPLE_PICTURE, NULL, false},
    {"tf-serving-png", "{\"instances\":[{\"b64\":\"", "\"}]}", XPL_SAMPLE_PICTURE, NULL, false},
    {"tf-serving-columns", "{\"inputs\":{\"$\":[", "]}}", XPL_SAMPLE_LISTS, NULL, false},
    {"open-inference-v2", "{\"inputs\":[{\"name\":\"$\",#,\"data\":[", "]}]}", XPL_SAMPLE_FLAT, NULL, false},
    {"open-inference-v2-raw", "{\"inputs\":[{\"name\":\"$\",#,\"data\":[", "]}]}", XPL_SAMPLE_RAW, NULL, false},
    {"open-inference-v2-bytes", "{\"inputs\":[{\"name\":\"$\",\"shape\":[1],\"datatype\":\"BYTES\",\"data\":[\"",
     "\"]}]}", XPL_SAMPLE_PICTURE, NULL, false},
    {"azure", "{\"input_data\":{\"data\":[", "]}}", XPL_SAMPLE_LISTS, NULL, false},
    {"azure-automl", "{\"input_data\":{\"columns\":[\"image\"],\"data\":[\"", "\"]}}", XPL_SAMPLE_PICTURE, NULL, false},
    {"azure-png", "{\"input\":[{\"image\":\"", "\"}]}", XPL_SAMPLE_PICTURE, NULL, false},
    {"mlflow", "{\"inputs\":[", "]}", XPL_SAMPLE_LISTS, NULL, false},
    {"mlflow-split-png", "{\"dataframe_split\":{\"columns\":[\"image\"],\"data\":[[\"", "\"]]}}", XPL_SAMPLE_PICTURE,
     NULL, false},
    {"seldon", "{\"data\":{\"ndarray\":[", "]}}", XPL_SAMPLE_LISTS, NULL, false},
    {"image-b64", "{\"image\":\"", "\"}", XPL_SAMPLE_PICTURE, NULL, false},
    {"inputs-b64", "{\"inputs\":\"", "\"}", XPL_SAMPLE_PICTURE, NULL, false},
    {"image/png", "{\"values\":[\"", "\"]", XPL_SAMPLE_PICTURE, "image/png", false},
    {"image/jpeg", "{\"values\":[\"", "\"]", XPL_SAMPLE_PICTURE, "image/jpeg", false},
    {"application/x-image", "{\"values\":[\"", "\"]", XPL_SAMPLE_PICTURE, "application/x-image", false},
    {"application/octet-stream", "{\"values\":[\"", "\"]", XPL_SAMPLE_PICTURE, "application/octet-stream", false},
    {"application/x-npy", "{\"array\":[", "]", XPL_SAMPLE_LISTS, "application/x-npy", false},
    {"form-png", "{\"values\":[\"", "\"]", XPL_SAMPLE_PICTURE, "image/png", true},
    {"form-jpeg", "{\"values\":[\"", "\"]", XPL_SAMPLE_PICTURE, "image/jpeg", true},
    {NULL, NULL, NULL, XPL_SAMPLE_LISTS, NULL, false},
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

static void put_shape(const struct sample *s)
{
    uint32_t h = s->height, w = s->width, c = s->channels;
    bool first = s->format->layout == XPL_LAYOUT_CHW;

    xpl_buf_printf(s->out, "\"shape\":[1,%u,%u,%u],\"datatype\":\"%s\"", first ? c : h, first ? h : w, first ? w : c,
                   s->format->datatype ? s->format->datatype : "FP32");
}

static void put_before(const struct sample *s, const char *text)
{
    for (; *text; text++) {
        if (*text == '$')
            xpl_buf_string(s->out, s->format->input_name ? s->format->input_name : "input-0");
        else if (*text == '#')
            put_shape(s);
        else
            xpl_buf_append(s->out, text, 1);
    }
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

static enum xpl_status put_note(struct xpl_arena *arena, const struct xpl_sample_frame *frame, const struct sample *s,
                                struct xpl_error *err)
{
    const char *name = s->format->input_name ? s->format->input_name : "file", *form = NULL;

    if (frame->in_form && !(form = xpl_form_of_field(arena, name, frame->file_type)))
        return xpl_no_memory(err);
    xpl_raw_body_note(s->out, frame->file_type, NULL, form ? xpl_text_of(form) : (struct xpl_text){0});
    return XPL_OK;
}

const struct xpl_sample_frame *xpl_sample_frame(const char *name)
{
    for (const struct xpl_sample_frame *frame = xpl_sample_formats; frame->name; frame++)
        if (strcmp(frame->name, name) == 0)
            return frame;
    return NULL;
}

enum xpl_status xpl_sample_request(struct xpl_arena *arena, const struct xpl_sample_format *format,
                                   const uint8_t *bytes, uint32_t height, uint32_t width, uint32_t channels,
                                   struct xpl_text *ret, struct xpl_error *err)
{
    const struct xpl_sample_frame *frame = xpl_sample_frame(format->name);
    XPL_AUTO(xpl_buf) out = xpl_buf_new(MAX_BYTES);
    struct sample s = {format, bytes, height, width, channels, out};
    enum xpl_status st = XPL_OK;

    if (!frame)
        return xpl_fail_field(err, XPL_BAD_FIELD, "format", "there is no format \"%.60s\"", format->name);
    if (!out)
        return xpl_no_memory(err);
    put_before(&s, frame->before);
    if (frame->image == XPL_SAMPLE_PICTURE)
        st = put_picture(arena, &s, err);
    else
        put_numbers(&s, frame->image == XPL_SAMPLE_LISTS);
    xpl_buf_string(out, frame->after);
    if (st || (frame->file_type && (st = put_note(arena, frame, &s, err))))
        return st;
    *ret = (struct xpl_text){xpl_arena_string_n(arena, out->data, out->length), out->length};
    return ret->ptr && !out->failed ? XPL_OK : xpl_no_memory(err);
}
