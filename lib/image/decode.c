/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/image/decode.h"

#include <limits.h>
#include <string.h>

#include "lib/image/pixels.h"
#include "lib/image/stb_read.h"

#define SCRATCH_BYTES (4 * XPL_PICTURE_MAX_PIXELS + 4096)

static enum xpl_status scaled(struct xpl_arena *arena, const uint8_t *from, int height, int width, uint32_t channels,
                              uint32_t *to_height, uint32_t *to_width, uint8_t **ret, struct xpl_error *err)
{
    size_t n;

    if (*to_height == 0 || *to_width == 0) {
        *to_height = (uint32_t)height;
        *to_width = (uint32_t)width;
    }
    n = (size_t)*to_height * *to_width * channels;
    if (!(*ret = xpl_arena_alloc(arena, n)))
        return xpl_no_memory(err);
    if (*to_height == (uint32_t)height && *to_width == (uint32_t)width) {
        memcpy(*ret, from, n);
        return XPL_OK;
    }
    return stbir_resize_uint8(from, width, height, 0, *ret, (int)*to_width, (int)*to_height, 0, (int)channels)
               ? XPL_OK
               : xpl_no_memory(err);
}

enum xpl_status xpl_decode_image(struct xpl_arena *arena, const void *data, size_t length, uint32_t channels,
                                 uint32_t *height, uint32_t *width, uint8_t **ret, struct xpl_error *err)
{
    int found_width, found_height, ignored;
    enum xpl_status st;
    uint8_t *decoded;

    if (length > INT_MAX || !stbi_info_from_memory(data, (int)length, &found_width, &found_height, &ignored))
        return xpl_fail_field(err, XPL_BAD_FIELD, "image", "is no picture that can be read (PNG, JPEG, BMP, GIF)");
    if (found_width > STBI_MAX_DIMENSIONS || found_height > STBI_MAX_DIMENSIONS)
        return xpl_fail_field(err, XPL_BAD_FIELD, "image", "is %d x %d pixels; a side has at most %d", found_height,
                              found_width, STBI_MAX_DIMENSIONS);
    if (*height == 0 && (found_width > (int)XPL_IMAGE_MAX_SIDE || found_height > (int)XPL_IMAGE_MAX_SIDE))
        return xpl_fail_field(err, XPL_BAD_FIELD, "image",
                              "is %d x %d pixels; a side has at most %u: scale it to what the model takes (--size)",
                              found_height, found_width, XPL_IMAGE_MAX_SIDE);
    decoded = stbi_load_from_memory(data, (int)length, &found_width, &found_height, &ignored, (int)channels);
    if (!decoded)
        return xpl_fail_field(err, XPL_BAD_FIELD, "image", "cannot be decoded: %s", stbi_failure_reason());
    st = scaled(arena, decoded, found_height, found_width, channels, height, width, ret, err);
    stbi_image_free(decoded);
    return st;
}

bool xpl_image_has_alpha(const void *data, size_t length)
{
    int width, height, channels;

    return length <= INT_MAX && stbi_info_from_memory(data, (int)length, &width, &height, &channels) &&
           channels % 2 == 0; /* grey and alpha, or colours and alpha */
}

/* ---- pictures of clients ---- */

static const uint8_t png_magic[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
static const uint8_t jpeg_magic[] = {0xff, 0xd8, 0xff};

static bool is_png(const uint8_t *data, size_t length)
{
    return length > sizeof png_magic && memcmp(data, png_magic, sizeof png_magic) == 0;
}

static size_t big_endian(const uint8_t *at)
{
    return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
}

/* The library trusts the lengths that chunks declare: none may reach beyond the end. A palette may have fewer colours
 * than an index can name: the library's room for 256 of them is black before it is filled (CMakeLists.txt). */
static bool png_is_sound(const uint8_t *data, size_t length)
{
    bool has_data = false, indexed;
    size_t palette = 0;

    if (length < sizeof png_magic + 25 || memcmp(data + 12, "IHDR", 4) != 0)
        return false;
    indexed = data[25] == 3;
    for (size_t at = sizeof png_magic; at + 12 <= length;) {
        size_t size = big_endian(data + at);

        if (size > length - at - 12)
            return false;
        if (memcmp(data + at + 4, "PLTE", 4) == 0)
            palette = size / 3;
        if (memcmp(data + at + 4, "IDAT", 4) == 0)
            has_data = true;
        at += 12 + size;
    }
    return has_data && (!indexed || palette > 0);
}

static enum xpl_status check_head(const uint8_t *data, size_t length, struct xpl_picture_size *ret,
                                  struct xpl_error *err)
{
    bool png = is_png(data, length);
    bool jpeg = length > sizeof jpeg_magic && memcmp(data, jpeg_magic, sizeof jpeg_magic) == 0;
    int width, height, channels;

    if (!png && !jpeg)
        return xpl_fail(err, XPL_BAD_RECORD, "is neither a PNG nor a JPEG picture");
    if (length > INT_MAX || (png && !png_is_sound(data, length)) ||
        !stbi_info_from_memory(data, (int)length, &width, &height, &channels))
        return xpl_fail(err, XPL_BAD_RECORD, "is a broken %s picture", png ? "PNG" : "JPEG");
    if (width > (int)XPL_IMAGE_MAX_SIDE || height > (int)XPL_IMAGE_MAX_SIDE ||
        (size_t)width * (size_t)height > XPL_PICTURE_MAX_PIXELS)
        return xpl_fail(err, XPL_BAD_RECORD, "is a picture of %d x %d pixels; a side has at most %u, and all %zu",
                        height, width, XPL_IMAGE_MAX_SIDE, XPL_PICTURE_MAX_PIXELS);
    *ret = (struct xpl_picture_size){(uint32_t)height, (uint32_t)width, channels < 3 ? 1 : (uint32_t)channels};
    return XPL_OK;
}

enum xpl_status xpl_picture_read(const void *data, size_t length, struct xpl_picture_size *ret_size, uint8_t **ret,
                                 struct xpl_error *err)
{
    struct xpl_picture_size size;
    enum xpl_status st = check_head(data, length, &size, err);
    int width, height, ignored;
    uint8_t *decoded;

    if (st)
        return st;
    decoded = stbi_load_from_memory(data, (int)length, &width, &height, &ignored, (int)size.channels);
    if (!decoded)
        return xpl_fail(err, XPL_BAD_RECORD, "is a %s picture that cannot be decoded",
                        is_png(data, length) ? "PNG" : "JPEG");
    *ret_size = size;
    *ret = decoded;
    return XPL_OK;
}

void xpl_picture_free(uint8_t *picture)
{
    stbi_image_free(picture);
}

static enum xpl_status decode_in_process(const void *context, struct xpl_arena *arena, const void *data, size_t length,
                                         struct xpl_picture_size *ret_size, uint8_t **ret, struct xpl_error *err)
{
    struct xpl_picture_size size;
    uint8_t *decoded, *copy;
    enum xpl_status st = xpl_picture_read(data, length, &size, &decoded, err);

    (void)context;
    if (st)
        return st;
    copy = xpl_arena_copy(arena, decoded, (size_t)size.height * size.width * size.channels);
    xpl_picture_free(decoded);
    if (!copy)
        return xpl_no_memory(err);
    *ret_size = size;
    *ret = copy;
    return XPL_OK;
}

const struct xpl_picture_decoder xpl_decode_in_process = {NULL, decode_in_process};

static enum xpl_status decode_to_measure(const void *context, struct xpl_arena *arena, const void *data, size_t length,
                                         struct xpl_picture_size *ret_size, uint8_t **ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_arena) scratch = xpl_arena_new(SCRATCH_BYTES);
    const struct xpl_picture_decoder *inner = context;
    uint8_t *pixels;
    enum xpl_status st;

    (void)arena;
    if (!scratch)
        return xpl_no_memory(err);
    st = inner->decode(inner->context, scratch, data, length, ret_size, &pixels, err);
    *ret = NULL;
    return st;
}

struct xpl_picture_decoder xpl_decode_to_measure(const struct xpl_picture_decoder *inner)
{
    return (struct xpl_picture_decoder){inner, decode_to_measure};
}
