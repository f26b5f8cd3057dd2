/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of scoring calls with raw numbers: the Open Inference Protocol V2 with its tensor behind the JSON text, and
 * NumPy files. Inside of the splicer: others ask for them through xpl_splice_as (splice.h).
 */
#ifndef XPL_SCORING_SPLICE_RAW_H
#define XPL_SCORING_SPLICE_RAW_H

#include "lib/scoring/requests/splice.h"
#include "lib/scoring/requests/splice_rows.h"

struct xpl_splice_raw;

/**
 * The tensor of a V2 request behind its text. `*ret` is NULL when the request cannot be sent so: pictures, types such
 * as BYTES, parameters of its own. `plain` = the request is no V2 request, and a new frame is made as `wire` says.
 */
enum xpl_status xpl_splice_raw_tensor(const struct xpl_splice_source *source, const struct xpl_wire *wire, bool plain,
                                      struct xpl_splice_raw **ret, struct xpl_error *err);

/**
 * A NumPy file (npy 1.0) of n x the image, uint8 when its numbers are whole ones from 0 to 255, else float32, unless
 * `wire` says the type. The image itself when it was logged as a NumPy file without an axis for several.
 */
enum xpl_status xpl_splice_raw_npy(const struct xpl_splice_source *source, const struct xpl_wire *wire,
                                   struct xpl_splice_raw **ret, struct xpl_error *err);

/** Whether it is a NumPy file of the image itself, without an axis for several. */
bool xpl_splice_raw_is_alone(const struct xpl_splice_raw *raw);

/** Bytes of the longest body with `n` images. */
size_t xpl_splice_raw_max(const struct xpl_splice_raw *raw, size_t n);

/** Writes the body with one row a mask. `*ret_head`: bytes of JSON in front of the tensor, 0 for NumPy. */
size_t xpl_splice_raw_put(const struct xpl_splice_raw *raw, const uint64_t *masks, size_t n, char *out,
                          size_t *ret_head);

#endif
