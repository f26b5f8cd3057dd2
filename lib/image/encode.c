/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/image/encode.h"

#include <limits.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/image/stb_write.h"

#define MAX_PNG_BYTES ((size_t)256 << 20)
#define MAX_SIDE      32768u

static void append(void *buf, void *data, int size)
{
    xpl_buf_append(buf, data, (size_t)size);
}

static enum xpl_status encode(struct xpl_arena *arena, const uint8_t *pixels, uint32_t channels, uint32_t height,
                              uint32_t width, uint8_t **ret_png, size_t *ret_length, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) out = xpl_buf_new(MAX_PNG_BYTES);
    uint8_t *png;

    if (!out)
        return xpl_no_memory(err);
    if (height == 0 || width == 0 || height > MAX_SIDE || width > MAX_SIDE)
        return xpl_fail(err, XPL_INTERNAL, "a picture of %u x %u cannot be written", height, width);
    if (!stbi_write_png_to_func(append, out, (int)width, (int)height, (int)channels, pixels, (int)(width * channels)) ||
        out->failed)
        return xpl_no_memory(err);
    if (!(png = xpl_arena_copy(arena, out->data, out->length)))
        return xpl_no_memory(err);
    *ret_png = png;
    *ret_length = out->length;
    return XPL_OK;
}

enum xpl_status xpl_encode_png(struct xpl_arena *arena, const uint8_t *rgb, uint32_t height, uint32_t width,
                               uint8_t **ret_png, size_t *ret_length, struct xpl_error *err)
{
    return encode(arena, rgb, 3, height, width, ret_png, ret_length, err);
}

enum xpl_status xpl_encode_png_alpha(struct xpl_arena *arena, const uint8_t *rgb, const uint8_t *alpha, uint32_t height,
                                     uint32_t width, uint8_t **ret_png, size_t *ret_length, struct xpl_error *err)
{
    size_t n = (size_t)height * width;
    uint8_t *rgba = XPL_NEW_ARRAY(arena, uint8_t, n * 4);

    if (!rgba)
        return xpl_no_memory(err);
    for (size_t i = 0; i < n; i++) {
        memcpy(rgba + 4 * i, rgb + 3 * i, 3);
        rgba[4 * i + 3] = alpha[i];
    }
    return encode(arena, rgba, 4, height, width, ret_png, ret_length, err);
}

/* ---- JPEG ---- */

#define JPEG_QUALITY     100
#define JPEG_HEAD_BYTES  ((size_t)1024)
#define JPEG_BLOCK_SIDE  8
#define JPEG_BLOCK_BYTES ((size_t)1280) /* three times 64 coefficients of 26 bits, every byte stuffed */

struct jpeg_out {
    uint8_t *at;
    size_t length, max;
};

static void append_jpeg(void *arg, void *data, int size)
{
    struct jpeg_out *out = arg;

    if ((size_t)size > out->max - out->length)
        return;
    memcpy(out->at + out->length, data, (size_t)size);
    out->length += (size_t)size;
}

static size_t blocks(uint32_t side)
{
    return (side + JPEG_BLOCK_SIDE - 1) / JPEG_BLOCK_SIDE;
}

size_t xpl_jpeg_max(uint32_t height, uint32_t width)
{
    return JPEG_HEAD_BYTES + blocks(height) * blocks(width) * JPEG_BLOCK_BYTES;
}

size_t xpl_jpeg_write(const uint8_t *pixels, uint32_t height, uint32_t width, uint32_t channels, uint8_t *out)
{
    struct jpeg_out jpeg = {.at = out, .max = xpl_jpeg_max(height, width)};

    stbi_write_jpg_to_func(append_jpeg, &jpeg, (int)width, (int)height, (int)channels, pixels, JPEG_QUALITY);
    return jpeg.length;
}
