/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went between a client and its model as bytes that are not JSON, as the JSON of a record that says the same: raw
 * tensors of V2 as lists of numbers, a NumPy file (format versions 1 to 3) as {"array":[…]}, a PNG or JPEG file as
 * {"values":["base64"]}; files of a request with {"explaind":{"content_type":"image/png"}} beside it, and with the
 * "form" that they were in (form_data.h), so that variations can be sent as such files again: under the
 * type that a picture had where that was application/x-image or application/octet-stream, on which some servers insist.
 */
#ifndef XPL_SCORING_RAW_BODY_H
#define XPL_SCORING_RAW_BODY_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/status.h"
#include "lib/base/text.h"

#define XPL_RAW_BODY_NOTE "explaind"

struct xpl_raw_body {
    struct xpl_text bytes;
    const char *head_length; /* its header Inference-Header-Content-Length; NULL = none */
    bool is_answer;          /* of the model */
    const char *type;        /* its header Content-Type; NULL = none */
};

/** Appends the rest of an object that says what file a body was, and the JSON text of the form it was in; {0} = none.
 */
void xpl_raw_body_note(struct xpl_buf *out, const char *content_type, const char *datatype, struct xpl_text form);

/** What is not recognised is `*ret` as it is. XPL_BAD_RECORD when it is recognised and broken. */
enum xpl_status xpl_raw_body_as_json(struct xpl_arena *arena, const struct xpl_raw_body *body, struct xpl_text *ret,
                                     struct xpl_error *err);

#endif
