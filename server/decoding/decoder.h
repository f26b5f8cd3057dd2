/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding the pictures of clients in a process that has nothing to lose (server/decoding/decode_helper.h): one at a
 * time, with a time limit, everything it says checked. A process that takes too long or lies is killed; that costs the
 * picture it had. One that ends by itself may have been killed by somebody else: the picture is tried once more. The
 * next picture gets a fresh process.
 */
#ifndef XPL_SERVER_DECODER_H
#define XPL_SERVER_DECODER_H

#include <stdint.h>

#include "lib/base/meter.h"
#include "lib/image/decode.h"

struct xpl_decoder;

struct xpl_decoder_options {
    const char *program;   /* NULL = this one */
    int64_t timeout_ms;    /* for one picture */
    xpl_counter *failures; /* counts processes that ended unasked or had to be killed; outlives the decoder */
};

/** Starts the process, before this one has threads or keys, and does not wait until it is there. XPL_NO_MEMORY. */
enum xpl_status xpl_decoder_start(const struct xpl_decoder_options *options, struct xpl_decoder **ret,
                                  struct xpl_error *err);

/** Waits until it is there. When it does not come up that is logged, and tried again with every picture. */
void xpl_decoder_check(struct xpl_decoder *decoder);

/** Ends the process and waits for its end. NULL is fine. */
void xpl_decoder_stop(struct xpl_decoder *decoder);

/** What others ask. XPL_BAD_RECORD and XPL_OVERLOADED. */
const struct xpl_picture_decoder *xpl_decoder_face(const struct xpl_decoder *decoder);
#endif
