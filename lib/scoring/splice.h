/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building the body of a scoring call by copying text: the logged request is the template.
 *
 * The text of the image and of the filled image are written once, cut into runs of one superpixel, and a body for a
 * mask is a sequence of memcpy. Parts that are switched on are byte-identical to what the client logged.
 */
#ifndef XPL_SCORING_SPLICE_H
#define XPL_SCORING_SPLICE_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/scoring/request.h"

/** What a deployment expects around the image when the logged request was a plain {"fields","values"}. */
enum xpl_wire_format {
    XPL_WIRE_AS_LOGGED,
    XPL_WIRE_WML_V4 /* wrap a plain request as {"input_data":[…]} */
};

struct xpl_splicer;

/**
 * `labels`: height x width, values below n_segments (<= 64). `fill`: the picture of all segments switched off, same
 * shape as the image. Other images of the request are left out; every other byte is kept. A body for several masks has
 * one row each, the cells beside the image repeated.
 */
enum xpl_status xpl_splicer_new(struct xpl_arena *arena, const struct xpl_request *request, uint32_t image,
                                enum xpl_wire_format wire, const uint16_t *labels, uint32_t n_segments,
                                const struct xpl_pixels *fill, struct xpl_splicer **ret, struct xpl_error *err);

/** Bytes of the longest body with `n` images (>= 1), and of the body for these masks. */
size_t xpl_splice_max(const struct xpl_splicer *splicer, size_t n);
size_t xpl_splice_length(const struct xpl_splicer *splicer, const uint64_t *masks, size_t n);

/** Writes the body with one row a mask; `out` holds xpl_splice_max bytes. Returns its length. Allocates nothing. */
size_t xpl_splice(const struct xpl_splicer *splicer, const uint64_t *masks, size_t n, char *out);

#endif
