/* SPDX-License-Identifier: Apache-2.0 */
/* PNG, JPEG and what else stb_image reads, for images that a user names at a shell. */
#ifndef XPL_IMAGE_DECODE_H
#define XPL_IMAGE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/status.h"

/**
 * Decodes `length` bytes and scales them to height x width (0, 0 = as they are), `channels` 1 or 3. 8-bit values,
 * row-major. XPL_BAD_FIELD "image": no picture, or a side above XPL_IMAGE_MAX_SIDE.
 */
enum xpl_status xpl_decode_image(struct xpl_arena *arena, const void *data, size_t length, uint32_t channels,
                                 uint32_t *height, uint32_t *width, uint8_t **ret, struct xpl_error *err);

#endif
