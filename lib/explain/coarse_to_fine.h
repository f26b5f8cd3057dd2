/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From coarse to fine: first the image is explained with few superpixels, then those that matter are split into the
 * finer ones they were merged from, and everything is explained again. What does not matter stays coarse, so that calls
 * go to where there is something to see.
 */
#ifndef XPL_EXPLAIN_COARSE_TO_FINE_H
#define XPL_EXPLAIN_COARSE_TO_FINE_H

#include "lib/explain/explain.h"

/** From now on masks are those of these segments. */
typedef enum xpl_status (*xpl_use_segments_fn)(void *model, const struct xpl_segments *segments, struct xpl_error *err);

/** How many superpixels the first one of two explanations has at most. */
uint32_t xpl_coarse_segments(const struct xpl_explain_params *params);

/**
 * Explains with in->segments, the fine ones; with params.segmentation.refine from coarse to fine. *ret_segments are
 * those of the answer: in->segments, or others in the arena. `use` is called before segments other than in->segments
 * are scored. The budget holds for both explanations together, without one the first has 512 calls; when the deadline
 * comes in the second, the first is the answer. When the image does not give what was asked for, a warning says so.
 * Errors as of xpl_explain.
 */
enum xpl_status xpl_explain_coarse_to_fine(struct xpl_arena *arena, const struct xpl_explain_input *in,
                                           xpl_use_segments_fn use, const struct xpl_segments **ret_segments,
                                           struct xpl_explanation **ret, struct xpl_error *err);

/**
 * How many model calls to expect at most: the budget, or what the largest design for these parameters has. Repeated
 * calls of a noisy model come on top. XPL_BAD_FIELD: there is no design for them. What is made meanwhile lives in
 * `arena`.
 */
enum xpl_status xpl_explain_expected_calls(struct xpl_arena *arena, const struct xpl_explain_params *params,
                                           size_t *ret, struct xpl_error *err);

/**
 * XPL_BAD_FIELD: the budget is too small to explain so many superpixels. 0 = their number is not known, which is fine.
 */
enum xpl_status xpl_explain_check_budget(const struct xpl_explain_params *params, uint32_t n_segments,
                                         struct xpl_error *err);

/** The superpixels of an image of this size, where the parameters tell their number: a grid, a label map. Else 0. */
uint32_t xpl_explain_known_segments(const struct xpl_explain_params *params, uint32_t height, uint32_t width);

#endif
