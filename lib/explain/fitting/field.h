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
 * What a superpixel's value, which is linear in the function, takes of it at a mask of so many superpixels: the first
 * when it is shown there, less the second in any case.
 */
struct xpl_field_takes {
    double shown[XPL_FIT_MAX_SIZE], always[XPL_FIT_MAX_SIZE];
    bool but_scored; /* and nothing at masks that were scored: these are known, what they take is no matter of belief */
};

/** Those of the weights. */
void xpl_field_takes(uint32_t n_segments, double kernel_width, struct xpl_field_takes *ret);

/** coefficients[0 .. d] of `field`, which has 2^d values; n_segments <= XPL_FIELD_SEGMENTS. */
void xpl_field_weights(const double *field, uint32_t n_segments, double kernel_width, double *ret_coefficients);

#endif
