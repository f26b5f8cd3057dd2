/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far the linear picture can be trusted, from the samples already there.
 */
#ifndef XPL_EXPLAIN_QUALITY_H
#define XPL_EXPLAIN_QUALITY_H

#include "lib/explain/design.h"
#include "lib/explain/explain.h"

/** Level and plain reason of a class whose fit is filled in. */
void xpl_judge(struct xpl_arena *arena, struct xpl_class_explanation *c, uint32_t n_segments);

/**
 * Deletion and insertion curves (Petsiuk et al. 2018) along the order of the weights: mean probability while segments are taken
 * away, most positive first, or added. NAN when a mask on the way was not scored. `scores`: one a mask of the design, `stride`
 * apart.
 */
void xpl_curves(const struct xpl_design *design, const double *scores, size_t stride, const double *weights,
                double *ret_deletion, double *ret_insertion);

#endif
