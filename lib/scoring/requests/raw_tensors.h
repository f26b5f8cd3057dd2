/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of the Open Inference Protocol V2 with raw tensors: JSON text, then the numbers of its tensors one after the
 * other, little-endian and row-major (the "binary tensor data extension" of the protocol). A header of the message,
 * Inference-Header-Content-Length, says where the text ends.
 */
#ifndef XPL_SCORING_RAW_TENSORS_H
#define XPL_SCORING_RAW_TENSORS_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/base/text.h"

/**
 * The message as JSON: every raw tensor of numbers has its "data" as a list. Of BYTES, elements are base64 when `list`
 * is "inputs", where they are pictures; in "outputs" their data is left out. `head_length` bytes of `message` are text;
 * `list` names the member that holds the tensors. XPL_MODEL_BAD_ANSWER when sizes, shapes and what is there do not
 * agree.
 */
enum xpl_status xpl_tensors_unpack(struct xpl_arena *arena, struct xpl_text message, size_t head_length,
                                   const char *list, struct xpl_text *ret, struct xpl_error *err);

#endif
