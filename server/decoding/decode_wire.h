/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon and its decoding process say to each other over one socket: a question is its head and the file of a
 * picture, an answer its head and pixels, or a reason in words. The first answer comes without a question, when the
 * process has locked itself in. Both are the same program, so that structs are sent as they are.
 */
#ifndef XPL_SERVER_DECODE_WIRE_H
#define XPL_SERVER_DECODE_WIRE_H

#include <stdint.h>

#include "lib/base/status.h"
#include "lib/image/decode.h"

#define XPL_DECODE_COMMAND "decode-helper"

struct xpl_decode_question {
    uint32_t length; /* 1 to XPL_PICTURE_MAX_BYTES */
};

struct xpl_decode_answer {
    uint32_t refused;                /* 0: pixels follow, else a reason */
    struct xpl_picture_size picture; /* of the pixels */
    uint32_t length;                 /* of what follows; a reason has at most XPL_ERROR_MESSAGE_MAX - 1 bytes */
    uint32_t memory_used;            /* bytes the decoder touched */
};

#endif
