/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The weights of a function known at all 2^d masks, as the weighted least squares over all of them give: linear in the
 * function, in closed form (Garreau & Mardaoui 2021, "What does LIME really see in images?").
 */
#ifndef XPL_EXPLAIN_FIELD_H
#define XPL_EXPLAIN_FIELD_H

#include "lib/explain/fitting/fit.h"

/** What the kernel makes of d superpixels. The Gram matrix of all masks is (v - c) I + c J. */
struct xpl_field_kernel {
    uint32_t d;
    double share[XPL_FIT_MAX_SIZE]; /* probability of one mask of so many superpixels */
    double mean, variance, covariance;
};

void xpl_field_kernel_init(struct xpl_field_kernel *kernel, uint32_t n_segments, double width);

/**
 * What a weight takes of the function's value at `mask`: the first when its superpixel is shown, less the second in any
 * case.
 */
double xpl_field_take_shown(const struct xpl_field_kernel *kernel, xpl_mask mask);
double xpl_field_take_always(const struct xpl_field_kernel *kernel, xpl_mask mask);

/** coefficients[0 .. d] of `field`, which has 2^d values; n_segments <= XPL_FIELD_SEGMENTS. */
void xpl_field_weights(const double *field, uint32_t n_segments, double kernel_width, double *ret_coefficients);

#endif
