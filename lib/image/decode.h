/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures that come from outside: their head is looked at before anything is decoded. */
#ifndef XPL_IMAGE_DECODE_H
#define XPL_IMAGE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/status.h"

#define XPL_PICTURE_MAX_PIXELS ((size_t)4 << 20)
#define XPL_PICTURE_MAX_BYTES  ((size_t)4 << 20) /* of its file */

struct xpl_picture_size {
    uint32_t height, width, channels; /* 1, 3 or 4 */
};

/**
 * Decodes `length` bytes and scales them to height x width (0, 0 = as they are), `channels` 1 or 3. 8-bit values,
 * row-major. PNG, JPEG and what else stb_image reads, for images that a user names at a shell. XPL_BAD_FIELD "image":
 * no picture, or a side above XPL_IMAGE_MAX_SIDE; when it is scaled, above the 16384 of the library (stb_read.h).
 */
enum xpl_status xpl_decode_image(struct xpl_arena *arena, const void *data, size_t length, uint32_t channels,
                                 uint32_t *height, uint32_t *width, uint8_t **ret, struct xpl_error *err);

/** Whether a picture that can be read has an alpha channel, which xpl_decode_image leaves out. */
bool xpl_image_has_alpha(const void *data, size_t length);

/**
 * Decodes a PNG or JPEG as it is, for pictures that clients send: 8-bit values, row-major, to be freed with
 * xpl_picture_free. XPL_BAD_RECORD: neither, a side above XPL_IMAGE_MAX_SIDE, more than XPL_PICTURE_MAX_PIXELS, or
 * broken.
 */
enum xpl_status xpl_picture_read(const void *data, size_t length, struct xpl_picture_size *ret_size, uint8_t **ret,
                                 struct xpl_error *err);
void xpl_picture_free(uint8_t *picture);

/** Whatever decodes the pictures of clients: this process, or one that has nothing to lose. Any thread may ask it. */
struct xpl_picture_decoder {
    const void *context;
    /* As xpl_picture_read, into an arena. Any status but XPL_BAD_RECORD is not the picture's fault. */
    enum xpl_status (*decode)(const void *context, struct xpl_arena *arena, const void *data, size_t length,
                              struct xpl_picture_size *ret_size, uint8_t **ret, struct xpl_error *err);
};

/** One that decodes as `inner` does, for the size alone: it keeps no pixels, `*ret` is NULL. */
struct xpl_picture_decoder xpl_decode_to_measure(const struct xpl_picture_decoder *inner);

/** For programs at a shell, whose pictures are their user's own. */
extern const struct xpl_picture_decoder xpl_decode_in_process;

#endif
