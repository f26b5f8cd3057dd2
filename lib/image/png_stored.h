/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PNG without compression (RFC 2083 with stored blocks of RFC 1951): for pictures that are read once on the other side
 * of a connection, where compressing would take longer than sending. The size depends on the shape alone.
 */
#ifndef XPL_IMAGE_PNG_STORED_H
#define XPL_IMAGE_PNG_STORED_H

#include <stddef.h>
#include <stdint.h>

struct xpl_png_shape {
    uint32_t height, width, channels; /* 1, 3 or 4 */
};

/** Bytes of the scanlines: each row has one byte, the filter 0, and its pixels. */
size_t xpl_png_scanline_bytes(const struct xpl_png_shape *shape);

/** Bytes of the file. */
size_t xpl_png_stored_size(const struct xpl_png_shape *shape);

/** Writes the file; `scanlines` has xpl_png_scanline_bytes, `out` xpl_png_stored_size bytes. Allocates nothing. */
void xpl_png_stored_write(const struct xpl_png_shape *shape, const uint8_t *scanlines, uint8_t *out);

#endif
