/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/image/decode.h"

#include <limits.h>
#include <string.h>

#include "lib/image/pixels.h"
#include "lib/image/stb_read.h"

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
    if (found_width > (int)XPL_IMAGE_MAX_SIDE || found_height > (int)XPL_IMAGE_MAX_SIDE)
        return xpl_fail_field(err, XPL_BAD_FIELD, "image", "is %d x %d pixels; a side has at most %u", found_height,
                              found_width, XPL_IMAGE_MAX_SIDE);
    decoded = stbi_load_from_memory(data, (int)length, &found_width, &found_height, &ignored, (int)channels);
    if (!decoded)
        return xpl_fail_field(err, XPL_BAD_FIELD, "image", "cannot be decoded: %s", stbi_failure_reason());
    st = scaled(arena, decoded, found_height, found_width, channels, height, width, ret, err);
    stbi_image_free(decoded);
    return st;
}
