/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapley values of superpixels from scored masks: how the difference between "all on" and "all off" is shared out
 * among them when each is switched on in every possible order.
 *
 * With all 2^d masks they are exact (Shapley 1953). With fewer they are the weighted least squares of KernelSHAP
 * (Lundberg & Lee 2017) on those masks, held to add up.
 */
#ifndef XPL_EXPLAIN_SHAPLEY_H
#define XPL_EXPLAIN_SHAPLEY_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/explain/designs/mask.h"

/**
 * n distinct masks with their scores, "all on" and "all off" among them; 2 <= n_segments <= XPL_MAX_SEGMENTS. Writes
 * n_segments values, whose sum is f(all on) - f(all off), and f(all off). XPL_NOT_AVAILABLE: one of these two is
 * missing, or the masks do not determine the values.
 */
enum xpl_status xpl_shapley_values(struct xpl_arena *arena, const xpl_mask *masks, const double *scores, size_t n,
                                   uint32_t n_segments, double *ret_values, double *ret_base, bool *ret_exact,
                                   struct xpl_error *err);

#endif
