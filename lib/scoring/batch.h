/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many images a deployment takes in one request: what is known, and which number is worth a trial. Pure.
 *
 * The number grows by doubling while requests are answered as they should be, and is halved when one is not. What was
 * found is kept per deployment, so that the next explanation begins with it.
 */
#ifndef XPL_SCORING_BATCH_H
#define XPL_SCORING_BATCH_H

#include <stdint.h>

#define XPL_MAX_BATCH 64u

/** All zero = nothing is known. */
struct xpl_batch {
    uint32_t accepted; /* images in a request that was answered; 0 counts as 1 */
    uint32_t refused;  /* the smallest number that failed or took too long; 0 = none */
};

/** Images to put into a request, at most `limit` (>= 1). */
uint32_t xpl_batch_size(const struct xpl_batch *batch, uint32_t limit);

/** The number to try next, at most `limit`; 0 = no trial is worth it. */
uint32_t xpl_batch_next(const struct xpl_batch *batch, uint32_t limit);

/** A request with `n` images was answered, or was not. */
void xpl_batch_accept(struct xpl_batch *batch, uint32_t n);
void xpl_batch_refuse(struct xpl_batch *batch, uint32_t n);

#endif
