/* SPDX-License-Identifier: Apache-2.0 */
/* A mask, and what scores masks: all that the engine knows of a model. */
#ifndef XPL_EXPLAIN_MASK_H
#define XPL_EXPLAIN_MASK_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/status.h"

#define XPL_MAX_SEGMENTS 63u /* the designs reach this far, and a mask has 64 bits */

/** Bit j = superpixel j is shown. */
typedef uint64_t xpl_mask;

/**
 * Scores masks: for each of n masks the probabilities of all classes into ret_scores, n x n_classes, row-major, where
 * n_classes is what struct xpl_explain_input says. Called with few large batches, in design order; the implementation
 * decides on requests and concurrency. Non-finite or missing scores are its errors (XPL_MODEL_*). XPL_DEADLINE and
 * XPL_CANCELLED end the explanation early.
 */
typedef enum xpl_status (*xpl_score_fn)(void *model, const xpl_mask *masks, size_t n, double *ret_scores,
                                        struct xpl_error *err);

#endif
