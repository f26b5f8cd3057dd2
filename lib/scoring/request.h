/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a logged scoring request: where its images are. One pass over the text, no tree.
 *
 * Known shapes (this version): WML v4 {"input_data":[{"fields"?,"values":[IMG,…]}]}, and plain {"fields"?,"values":
 * [IMG,…]} as WML v3 and custom engines take it. IMG = nested numbers H x W x C, or H x W. With "fields", a row holds
 * one cell per field and the image is the cell that is an array; {"values":[[IMG],…]} likewise (a row of one cell).
 * "input_data" must have one element.
 */
#ifndef XPL_SCORING_REQUEST_H
#define XPL_SCORING_REQUEST_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/base/text.h"
#include "lib/image/pixels.h"

enum xpl_request_shape {
    XPL_REQUEST_WML_V4, /* whole body with input_data */
    XPL_REQUEST_PLAIN   /* {"fields"?, "values"} */
};

/** One image of a request. Offsets are bytes from the start of the request text. */
struct xpl_request_image {
    size_t offset, length;         /* the image's own JSON text */
    size_t row_offset, row_length; /* the row that holds it: the same unless rows have several cells */
    uint32_t height, width, channels;
    bool flat_channel; /* written as H x W, without a channel axis */
};

struct xpl_request {
    enum xpl_request_shape shape;
    struct xpl_text text;                /* borrowed: the whole request */
    size_t values_offset, values_length; /* the array "values" that holds the rows */
    struct xpl_request_image *images;
    uint32_t n_images;
};

/**
 * Finds every image. XPL_BAD_RECORD names what was looked for and where (field path relative to the request) when there
 * is none or its shape is not usable (ragged, not 2-D or 3-D, channels other than 1, 3, 4, a side above
 * XPL_IMAGE_MAX_SIDE).
 */
enum xpl_status xpl_request_read(struct xpl_arena *arena, struct xpl_text text, struct xpl_request **ret,
                                 struct xpl_error *err);

/** The numbers of one image. */
enum xpl_status xpl_request_pixels(struct xpl_arena *arena, const struct xpl_request *request, uint32_t image,
                                   struct xpl_pixels **ret, struct xpl_error *err);

#endif
