/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/fitting/field.h"

/* First and second moments of one superpixel, and of two. */
static void take_moments(struct xpl_field_kernel *k)
{
    double first = 0, second = 0, n_masks = 1;

    for (uint32_t shown = 0; shown <= k->d; shown++) {
        first += n_masks * k->share[shown] * shown;
        second += n_masks * k->share[shown] * shown * (shown - 1.0);
        n_masks = n_masks * (k->d - shown) / (shown + 1);
    }
    k->mean = first / k->d;
    k->variance = k->mean * (1 - k->mean);
    k->covariance = second / k->d / (k->d - 1) - k->mean * k->mean;
}

void xpl_field_kernel_init(struct xpl_field_kernel *k, uint32_t n_segments, double width)
{
    double total = 0, n_masks = 1;

    k->d = n_segments;
    for (uint32_t shown = 0; shown <= k->d; shown++) {
        k->share[shown] = xpl_fit_kernel(shown, k->d, width);
        total += n_masks * k->share[shown];
        n_masks = n_masks * (k->d - shown) / (shown + 1);
    }
    for (uint32_t shown = 0; shown <= k->d; shown++)
        k->share[shown] /= total;
    take_moments(k);
}

void xpl_field_takes(uint32_t n_segments, double kernel_width, struct xpl_field_takes *ret)
{
    struct xpl_field_kernel k;
    double left;

    xpl_field_kernel_init(&k, n_segments, kernel_width);
    left = k.variance - k.covariance;
    *ret = (struct xpl_field_takes){0};
    for (uint32_t shown = 0; shown <= k.d; shown++) {
        double all = k.covariance * (shown - k.d * k.mean) / (left + k.d * k.covariance);

        ret->shown[shown] = k.share[shown] / left;
        ret->always[shown] = k.share[shown] * (k.mean + all) / left;
    }
}

void xpl_field_weights(const double *field, uint32_t n_segments, double kernel_width, double *ret_coefficients)
{
    double sums[XPL_MAX_SEGMENTS] = {0}, total = 0, all = 0;
    uint32_t d = n_segments;
    struct xpl_field_kernel k;

    xpl_field_kernel_init(&k, d, kernel_width);
    for (xpl_mask mask = 0; mask < (xpl_mask)1 << d; mask++) {
        double weighted = k.share[__builtin_popcountll(mask)] * field[mask];

        total += weighted;
        for (xpl_mask left = mask; left; left &= left - 1)
            sums[__builtin_ctzll(left)] += weighted;
    }
    for (uint32_t j = 0; j < d; j++)
        all += sums[j] - k.mean * total;
    ret_coefficients[0] = total;
    for (uint32_t j = 0; j < d; j++) {
        double left = k.variance - k.covariance;

        ret_coefficients[j + 1] = (sums[j] - k.mean * total - k.covariance * all / (left + d * k.covariance)) / left;
        ret_coefficients[0] -= k.mean * ret_coefficients[j + 1];
    }
}
