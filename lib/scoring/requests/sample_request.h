/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request that a client of a model would send for one picture: for asking a model that nothing was logged of. Those
 * that are files are written as the gateway logs them (raw_body.h).
 */
#ifndef XPL_SCORING_SAMPLE_REQUEST_H
#define XPL_SCORING_SAMPLE_REQUEST_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/base/text.h"
#include "lib/scoring/model_hints.h"

/** The values that pixels are sent as. */
enum xpl_sample_range {
    XPL_SAMPLE_BYTES, /* 0 to 255, whole numbers */
    XPL_SAMPLE_UNIT,  /* 0 to 1 */
    XPL_SAMPLE_SIGNED /* -1 to 1 */
};

struct xpl_sample_format {
    const char *name;                  /* one of xpl_sample_formats */
    enum xpl_layout layout;            /* XPL_LAYOUT_AUTO = channels last */
    enum xpl_sample_range range;       /* of formats that send numbers */
    const char *input_name, *datatype; /* of a tensor or form; NULL = "input-0", in a form "file", and "FP32" */
};

/** What the image is. */
enum xpl_sample_image {
    XPL_SAMPLE_LISTS,  /* nested lists of numbers */
    XPL_SAMPLE_FLAT,   /* numbers without brackets, */
    XPL_SAMPLE_RAW,    /* which are sent as raw bytes behind the JSON text */
    XPL_SAMPLE_PICTURE /* a PNG in base64 */
};

/** What stands around the image in one format. */
struct xpl_sample_frame {
    const char *name;
    const char *before, *after; /* '$' = the tensor's name, '#' = its shape and datatype */
    enum xpl_sample_image image;
    const char *file_type; /* of formats that are files; else NULL */
    bool in_form;          /* a file in a field of multipart/form-data */
};

/** Ended by one without name; the first is the usual one. */
extern const struct xpl_sample_frame xpl_sample_formats[];

/** NULL: no format of that name. */
const struct xpl_sample_frame *xpl_sample_frame(const char *name);

/** `bytes`: height x width x channels. XPL_BAD_FIELD: no format of that name. */
enum xpl_status xpl_sample_request(struct xpl_arena *arena, const struct xpl_sample_format *format,
                                   const uint8_t *bytes, uint32_t height, uint32_t width, uint32_t channels,
                                   struct xpl_text *ret, struct xpl_error *err);

#endif
