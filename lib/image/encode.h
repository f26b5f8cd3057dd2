/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XPL_IMAGE_ENCODE_H
#define XPL_IMAGE_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/status.h"

/** An 8-bit RGB PNG of height x width x 3 bytes. The same pixels always give the same bytes. */
enum xpl_status xpl_encode_png(struct xpl_arena *arena, const uint8_t *rgb, uint32_t height, uint32_t width,
                               uint8_t **ret_png, size_t *ret_length, struct xpl_error *err);

/** The same with an alpha channel of height x width bytes, 0 = transparent. */
enum xpl_status xpl_encode_png_alpha(struct xpl_arena *arena, const uint8_t *rgb, const uint8_t *alpha, uint32_t height,
                                     uint32_t width, uint8_t **ret_png, size_t *ret_length, struct xpl_error *err);

/** Bytes that no JPEG of this size is longer than. */
size_t xpl_jpeg_max(uint32_t height, uint32_t width);

/**
 * A JPEG as near to the pixels as the format goes: quality 100, colours not thinned out. `channels` 1, 3 or 4, of which
 * the fourth is left out. `out` has xpl_jpeg_max bytes. Returns the length. Allocates nothing.
 */
size_t xpl_jpeg_write(const uint8_t *pixels, uint32_t height, uint32_t width, uint32_t channels, uint8_t *out);

#endif
