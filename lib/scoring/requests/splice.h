/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building the body of a scoring call by copying: the logged request is the template.
 *
 * The text of the image and of the filled image are written once, cut into runs of one superpixel, and a body for a
 * mask is a sequence of memcpy. Parts that are switched on are byte-identical to what the client logged. Encoded
 * pictures are sent as PNG without compression, their pixels copied in the same way.
 */
#ifndef XPL_SCORING_SPLICE_H
#define XPL_SCORING_SPLICE_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/scoring/requests/request.h"

/** What a deployment expects around the images, when the request was logged as {"fields"?,"values"} or as WML v4. */
enum xpl_wire_format {
    XPL_WIRE_AS_LOGGED,
    XPL_WIRE_WML_V4,    /* {"input_data":[{…}]} */
    XPL_WIRE_VALUES,    /* {"values":[…]} */
    XPL_WIRE_INSTANCES, /* {"instances":[…]} */
    XPL_WIRE_TENSOR     /* Open Inference Protocol V2, one tensor with nested data */
};

/** What a body is. */
enum xpl_body_form {
    XPL_BODY_JSON,
    XPL_BODY_TENSOR,  /* JSON and behind it a raw tensor (Open Inference Protocol V2) */
    XPL_BODY_NPY,     /* a NumPy file with all images */
    XPL_BODY_PNG,     /* one picture */
    XPL_BODY_JPEG,    /* likewise */
    XPL_BODY_X_IMAGE, /* one picture, a PNG, by the name that SageMaker's own algorithms give it */
    XPL_BODY_FILE     /* the same, by no name */
};

/** "application/json", "application/octet-stream", "application/x-npy", "image/png", "image/jpeg",
 * "application/x-image", "application/octet-stream". */
const char *xpl_body_form_type(enum xpl_body_form form);

/** When tensors are sent raw. */
enum xpl_raw_use {
    XPL_RAW_IF_SMALLER, /* and the model gives the same answer */
    XPL_RAW_NEVER,
    XPL_RAW_ALWAYS
};

struct xpl_wire {
    enum xpl_wire_format format;
    const char *input_name, *datatype; /* of a tensor; NULL = "input-0", "FP32" */
    enum xpl_body_form body;           /* XPL_BODY_NPY or a picture; else `format` and `raw` tell */
    struct xpl_text form;              /* JSON (form_data.h): the file is sent inside of it; {0} = as it is */
    enum xpl_raw_use raw;
};

struct xpl_splicer;

#define XPL_ROW_SEPARATOR ","
#define XPL_COUNT_DIGITS  10u

/**
 * `labels`: height x width, values below n_segments (<= 64). `fill`: the picture of all segments switched off, same
 * shape as the image. `wire` NULL = as logged. Other images of the request are left out; every other byte is kept. A
 * body for several masks has one row each, what stands beside the image repeated.
 */
enum xpl_status xpl_splicer_new(struct xpl_arena *arena, const struct xpl_request *request, uint32_t image,
                                const struct xpl_wire *wire, const uint16_t *labels, uint32_t n_segments,
                                const struct xpl_pixels *fill, struct xpl_splicer **ret, struct xpl_error *err);

/** The form of the first body, and one that is worth a trial when that was answered: smaller, or the same. */
enum xpl_body_form xpl_splice_form(const struct xpl_splicer *splicer);
enum xpl_body_form xpl_splice_better_form(const struct xpl_splicer *splicer);

/** The Content-Type of bodies of one of these forms. */
const char *xpl_splice_content_type(const struct xpl_splicer *splicer, enum xpl_body_form form);

/** How many images a body may hold at most: 1 for pictures and for requests with other data that has rows. */
uint32_t xpl_splice_max_rows(const struct xpl_splicer *splicer);

/** Bytes of the longest body with `n` images (>= 1), and of the body for these masks. */
size_t xpl_splice_max(const struct xpl_splicer *splicer, size_t n);
size_t xpl_splice_length(const struct xpl_splicer *splicer, const uint64_t *masks, size_t n);

/**
 * Writes the JSON body with one row a mask; `out` holds xpl_splice_max bytes. Returns its length. Allocates nothing;
 * one thread at a time.
 */
size_t xpl_splice(const struct xpl_splicer *splicer, const uint64_t *masks, size_t n, char *out);

/** A JSON body on its way: written piece by piece, so that nobody needs to hold all of it. */
struct xpl_splice_stream {
    const struct xpl_splicer *splicer;
    const uint64_t *masks;
    size_t n, row, run;
    int step;
    struct xpl_text piece; /* what is left of it */
    char count[XPL_COUNT_DIGITS + 1];
};

/** Whether bodies of this form can be read side by side in this way: pictures are made in one piece. */
bool xpl_splice_streams(const struct xpl_splicer *splicer, enum xpl_body_form form);

/** The body of xpl_splice from its beginning; `masks` stay the caller's. */
void xpl_splice_begin(struct xpl_splice_stream *stream, const struct xpl_splicer *splicer, const uint64_t *masks,
                      size_t n);

/** Its next `size` bytes, fewer at its end only. */
size_t xpl_splice_read(struct xpl_splice_stream *stream, char *out, size_t size);

/** The same as the two of whole bodies in one of the splicer's forms. `*ret_head`: bytes of JSON in front of a raw
 * tensor, else 0. */
size_t xpl_splice_form_max(const struct xpl_splicer *splicer, enum xpl_body_form form, size_t n);
size_t xpl_splice_as(const struct xpl_splicer *splicer, enum xpl_body_form form, const uint64_t *masks, size_t n,
                     char *out, size_t *ret_head);

#endif
