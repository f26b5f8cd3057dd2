/* SPDX-License-Identifier: Apache-2.0 */
/* How a camera was held: what a JPEG file says beside its pixels. */
#ifndef XPL_IMAGE_EXIF_H
#define XPL_IMAGE_EXIF_H

#include <stddef.h>
#include <stdint.h>

/** The EXIF orientation of a JPEG file, 1 to 8; 1, which is as stored, when it has none or is no JPEG. */
uint32_t xpl_jpeg_orientation(const uint8_t *data, size_t length);

#endif
