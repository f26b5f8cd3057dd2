/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures that come from outside: their head is looked at before anything is decoded. */
#ifndef XPL_IMAGE_DECODE_H
#define XPL_IMAGE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/status.h"

#define XPL_PICTURE_MAX_PIXELS ((size_t)4 << 20)

struct xpl_picture_size {
    uint32_t height, width, channels; /* 1, 3 or 4 */
};

/**
 * Decodes `length` bytes and scales them to height x width (0, 0 = as they are), `channels` 1 or 3. 8-bit values,
 * row-major. PNG, JPEG and what else stb_image reads, for images that a user names at a shell. XPL_BAD_FIELD "image":
 * no picture, or a side above XPL_IMAGE_MAX_SIDE.
 */
enum xpl_status xpl_decode_image(struct xpl_arena *arena, const void *data, size_t length, uint32_t channels,
                                 uint32_t *height, uint32_t *width, uint8_t **ret, struct xpl_error *err);

/**
 * Decodes a PNG or JPEG as it is, for pictures that clients send: 8-bit values, row-major. XPL_BAD_RECORD: neither, a
 * side above XPL_IMAGE_MAX_SIDE, more than XPL_PICTURE_MAX_PIXELS, or broken.
 */
enum xpl_status xpl_decode_picture(struct xpl_arena *arena, const void *data, size_t length,
                                   struct xpl_picture_size *ret_size, uint8_t **ret, struct xpl_error *err);

#endif
