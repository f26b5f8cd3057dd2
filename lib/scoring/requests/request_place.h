/* SPDX-License-Identifier: Apache-2.0 */
/* Where a request has its rows: the part of reading it that knows the families of model servers. */
#ifndef XPL_SCORING_REQUEST_PLACE_H
#define XPL_SCORING_REQUEST_PLACE_H

#include "lib/scoring/requests/request.h"

#define XPL_MAX_DIMS 4u

enum xpl_place_kind {
    XPL_PLACE_ROWS, /* an array with a row for each image */
    XPL_PLACE_ONE,  /* the only image: nested numbers or a string */
    XPL_PLACE_FLAT  /* one list with the numbers of all images, and their shape */
};

struct xpl_request_place {
    enum xpl_request_shape shape;
    enum xpl_place_kind kind;
    struct xpl_text value;
    bool has_fields, one_row;
    uint32_t dims[XPL_MAX_DIMS]; /* of FLAT: images, and three more or, without a channel axis, two */
    unsigned n_dims;
    struct xpl_text count, tensor; /* see struct xpl_request */
    char path[64];                 /* of `value`, for messages */
};

/** Checks the whole text and finds the place. XPL_BAD_JSON, XPL_BAD_RECORD with the field that is wrong. */
enum xpl_status xpl_request_place_find(struct xpl_text text, const struct xpl_request_hints *hints,
                                       struct xpl_request_place *ret, struct xpl_error *err);

/** An image, or a list of images, somewhere inside of a JSON value. */
struct xpl_found_image {
    struct xpl_text value;
    bool rows;    /* a list of them */
    bool is_part; /* of a list of other things, which has no rows */
    bool narrow;  /* one number wide or high: the value of another input, where there is an image beside it */
    unsigned n;   /* places like this; the first is `value` */
};

/**
 * Adds to `found` (zeroed before the first call). Objects are looked into, and arrays of objects: where each of them
 * has an image they are rows; one image in one of several is that image.
 */
void xpl_image_search(struct xpl_text value, struct xpl_found_image *found);

/**
 * The tensors of an Open Inference request: `inputs` is the text of its array. XPL_NOT_FOUND when none of them holds
 * images.
 */
enum xpl_status xpl_request_place_tensor(struct xpl_text inputs, const struct xpl_request_hints *hints,
                                         struct xpl_request_place *ret, struct xpl_error *err);

/** Likewise one tensor with its "values" in a list: Seldon's. `path` names it in messages. */
enum xpl_status xpl_request_place_values(struct xpl_text tensor, const char *path,
                                         const struct xpl_request_hints *hints, struct xpl_request_place *ret,
                                         struct xpl_error *err);

#endif
