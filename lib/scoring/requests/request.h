/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a logged scoring request: where its images are. Passes over the text, no tree.
 *
 * Known shapes: WML v4 {"input_data":[{"fields"?,"values":[IMG,…]}]}; plain {"fields"?,"values":[IMG,…]} as WML v3 and
 * custom engines take it; KServe V1, TensorFlow Serving and SageMaker {"instances":[IMG,…]} and {"inputs":…} in
 * columns; the Open Inference Protocol V2 {"inputs":[{"name","shape","datatype","data"}]}; Azure's
 * {"input_data":{"columns","data":[IMG,…]}} and {"input":[{"image":IMG},…]}; [IMG,…]; and any other JSON text that
 * holds one image, or one list of them.
 *
 * IMG = nested numbers H x W x C, C x H x W or H x W; a flat list of them where the shape is said; a PNG or JPEG in
 * base64; an object or a row of cells that holds one of these ({"b64":…}, {"image_bytes":{"b64":…}}).
 */
#ifndef XPL_SCORING_REQUEST_H
#define XPL_SCORING_REQUEST_H

#include "lib/base/arena.h"
#include "lib/base/hash.h"
#include "lib/base/status.h"
#include "lib/base/text.h"
#include "lib/image/decode.h"
#include "lib/image/pixels.h"
#include "lib/scoring/model_hints.h"

enum xpl_request_shape {
    XPL_REQUEST_WML_V4,    /* whole body with input_data */
    XPL_REQUEST_PLAIN,     /* {"fields"?, "values"} */
    XPL_REQUEST_INSTANCES, /* {"instances":[…]} */
    XPL_REQUEST_COLUMNS,   /* {"inputs":[…]} or {"inputs":{"name":[…]}} */
    XPL_REQUEST_TENSOR,    /* Open Inference Protocol V2 */
    XPL_REQUEST_OTHER
};

/** "wml_v4", "values", "instances", "inputs", "open_inference_v2", "other". */
const char *xpl_request_shape_name(enum xpl_request_shape shape);

enum xpl_image_form {
    XPL_FORM_HWC,    /* numbers, channels last */
    XPL_FORM_CHW,    /* numbers, channels first */
    XPL_FORM_HW,     /* numbers without a channel axis */
    XPL_FORM_ENCODED /* base64 of a PNG or JPEG */
};

/** One image of a request. Offsets are bytes from the start of the request text. */
struct xpl_request_image {
    size_t offset, length;         /* the image's own text: numbers with their brackets, or what a string holds */
    size_t row_offset, row_length; /* the row that holds it: the same unless rows have several cells or members */
    uint32_t height, width, channels;
    enum xpl_image_form form;
    enum xpl_base64_kind base64; /* XPL_FORM_ENCODED: how it is written */
    const uint8_t *picture;      /* XPL_FORM_ENCODED: height x width x channels, unless the decoder only measures */
};

struct xpl_request {
    enum xpl_request_shape shape;
    struct xpl_text text; /* borrowed: the whole request */
    struct xpl_request_hints hints;
    struct xpl_text count;  /* of `text`: the number that says how many images there are; ptr NULL = none does */
    struct xpl_text tensor; /* of a V2 request: the object that has the images; ptr NULL = none */
    bool one_row;           /* a request holds one image: something besides the rows depends on their number */
    struct xpl_request_image *images;
    uint32_t n_images;
    size_t pictures_bytes; /* of the decoded ones */
};

/**
 * Finds every image; `hints` may be NULL. `decoder` decodes the pictures among them. XPL_BAD_RECORD names what was
 * looked for and where (field path relative to the request) when there is none or its shape is not usable (ragged, not
 * 2-D or 3-D, channels other than 1, 3, 4, a side above XPL_IMAGE_MAX_SIDE, a picture that cannot be decoded);
 * XPL_OVERLOADED that nothing can be decoded now.
 */
enum xpl_status xpl_request_read(struct xpl_arena *arena, struct xpl_text text, const struct xpl_request_hints *hints,
                                 const struct xpl_picture_decoder *decoder, struct xpl_request **ret,
                                 struct xpl_error *err);

/** The numbers of one image, channels last. */
enum xpl_status xpl_request_pixels(struct xpl_arena *arena, const struct xpl_request *request, uint32_t image,
                                   struct xpl_pixels **ret, struct xpl_error *err);

#endif
