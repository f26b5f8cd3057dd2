/* SPDX-License-Identifier: Apache-2.0 */
/* What a text of nested arrays is as an image: the part of reading a request that looks at every number. */
#ifndef XPL_SCORING_REQUEST_SHAPE_H
#define XPL_SCORING_REQUEST_SHAPE_H

#include "lib/scoring/request.h"

/** How many arrays are nested at the start of a text. */
unsigned xpl_shape_depth(struct xpl_text text);

/** 1, 3 or 4. */
bool xpl_shape_channels_usable(size_t channels);

/**
 * Checks that `text` is an image, H x W x C or H x W numbers that all fit a double, and writes its height, width,
 * channels and flat_channel. XPL_BAD_RECORD says what it is instead.
 */
enum xpl_status xpl_shape_measure(struct xpl_text text, struct xpl_request_image *image, struct xpl_error *err);

#endif
