/* SPDX-License-Identifier: Apache-2.0 */
/* What a text of nested arrays is as an image: the part of reading a request that looks at every number. */
#ifndef XPL_SCORING_REQUEST_SHAPE_H
#define XPL_SCORING_REQUEST_SHAPE_H

#include "lib/scoring/requests/request.h"

/** How many arrays are nested at the start of a text. */
unsigned xpl_shape_depth(struct xpl_text text);

/** 1, 3 or 4. */
bool xpl_shape_channels_usable(size_t channels);

/** Elements of the first array at that nesting; 1 = the text itself. 0 when there is none. */
size_t xpl_shape_length(struct xpl_text text, unsigned nesting);

/**
 * Checks that `text` is an image, H x W x C, C x H x W or H x W numbers that all fit a double, or a flat list as long
 * as the hints say, and writes its height, width, channels and form. XPL_BAD_RECORD says what it is instead.
 */
enum xpl_status xpl_shape_measure(struct xpl_text text, const struct xpl_request_hints *hints,
                                  struct xpl_request_image *image, struct xpl_error *err);

/** Decides which of three axes are what and writes height, width, channels and form. XPL_BAD_RECORD: no image. */
enum xpl_status xpl_shape_of_axes(const uint32_t axes[3], const struct xpl_request_hints *hints,
                                  struct xpl_request_image *image, struct xpl_error *err);

/** Checks the numbers of a flat list and counts them. XPL_BAD_RECORD: something else is among them. */
enum xpl_status xpl_shape_count_flat(struct xpl_text list, size_t *ret_n, struct xpl_error *err);

#endif
