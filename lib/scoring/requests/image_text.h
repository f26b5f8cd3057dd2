/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures inside of JSON strings: PNG or JPEG as base64, with or without "data:…;base64," before it. The alphabet may
 * be the usual or the URL-safe one, padding may be missing, and lines may be broken.
 */
#ifndef XPL_SCORING_IMAGE_TEXT_H
#define XPL_SCORING_IMAGE_TEXT_H

#include "lib/base/arena.h"
#include "lib/base/hash.h"
#include "lib/base/status.h"
#include "lib/base/text.h"
#include "lib/image/decode.h"

/** Whether the raw text of a JSON string (without its quotes) begins as such a picture does. */
bool xpl_is_image_text(struct xpl_text raw);

/** Whether a JSON value is a string that holds a picture; `*ret_raw` is what stands between the quotes. */
bool xpl_is_image_string(struct xpl_text value, struct xpl_text *ret_raw);

/** Length of the "data:…;base64," before the picture, in letters of either case; 0 = there is none. */
size_t xpl_image_text_prefix(struct xpl_text raw);

/**
 * The picture: 8-bit values with the channels that it has (1, 3 or 4). XPL_BAD_RECORD when it is no PNG or JPEG, is
 * broken, or is larger than XPL_PICTURE_MAX_BYTES or than the decoder takes; other errors are not its fault.
 */
enum xpl_status xpl_image_text_decode(struct xpl_arena *arena, struct xpl_text raw,
                                      const struct xpl_picture_decoder *decoder, struct xpl_picture_size *ret_size,
                                      enum xpl_base64_kind *ret_kind, uint8_t **ret, struct xpl_error *err);

#endif
