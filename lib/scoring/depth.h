/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many requests are kept in flight: found while scoring, by what they bring. Pure.
 *
 * The depth is doubled as long as that makes at least a sixth more images come back a second, and goes back to the best
 * one and a quarter when it does not: a few have to wait at the model, so that it has the next one at hand, and more
 * only wait longer. A model that says it has too many gets half as many for the rest of the explanation.
 */
#ifndef XPL_SCORING_DEPTH_H
#define XPL_SCORING_DEPTH_H

#include <stdbool.h>
#include <stdint.h>

#define XPL_DEPTH_FIRST 4u /* where an unknown deployment begins */

struct xpl_depth {
    uint32_t now, max;
    bool settled;

    /* of the window that is measured: from an answer on, until two more for each request in flight */
    int64_t started_us; /* 0 = begins with the next answer */
    uint32_t answers;
    uint64_t images;
    /* of the best depth so far */
    uint32_t best;
    double best_rate; /* images a microsecond; 0 = none measured yet */
};

/** `known`: what was found before, 0 = nothing; `max` >= 1. A known depth is measured again, from there on. */
void xpl_depth_start(struct xpl_depth *depth, uint32_t known, uint32_t max);

/** A request with `images` was answered at `now_us`. */
void xpl_depth_answered(struct xpl_depth *depth, uint32_t images, int64_t now_us);

/** The model has too much to do: 429, 503 or a time-out. */
void xpl_depth_refused(struct xpl_depth *depth);

/** Requests began to differ from the ones before, or paused: what is being measured begins anew. */
void xpl_depth_restart(struct xpl_depth *depth);

/** What is worth remembering: the depth that was found, 0 = nothing was measured to its end. */
uint32_t xpl_depth_found(const struct xpl_depth *depth);

#endif
