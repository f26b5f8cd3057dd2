/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the Open Inference Protocol V2 with raw tensors: JSON text, then the numbers of its outputs one after the
 * other, little-endian and row-major (the "binary tensor data extension" of the protocol). A header of the answer,
 * Inference-Header-Content-Length, says where the text ends.
 */
#ifndef XPL_SCORING_ANSWER_BINARY_H
#define XPL_SCORING_ANSWER_BINARY_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/base/text.h"

/**
 * The answer as JSON: every raw tensor of numbers has its "data" as a list; of other raw tensors (BYTES) the data is
 * left out. `head_length` bytes of `answer` are text. XPL_MODEL_BAD_ANSWER when sizes, shapes and what is there do not
 * agree.
 */
enum xpl_status xpl_answer_unpack(struct xpl_arena *arena, struct xpl_text answer, size_t head_length,
                                  struct xpl_text *ret, struct xpl_error *err);

#endif
