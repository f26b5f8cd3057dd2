/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/meter.h"

const struct xpl_scale xpl_scale_seconds = {1e-6,
                                            16,
                                            {100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
                                             500000, 1000000, 2500000, 10000000, 60000000}};

const struct xpl_scale xpl_scale_counts = {1, 9, {1, 2, 4, 8, 16, 32, 64, 128, 256}};

void xpl_histogram_add(struct xpl_histogram *histogram, const struct xpl_scale *scale, int64_t value)
{
    size_t bucket = 0;

    value = value < 0 ? 0 : value;
    while (bucket < scale->n && value > scale->bounds[bucket])
        bucket++;
    xpl_count(&histogram->counts[bucket]);
    atomic_fetch_add_explicit(&histogram->sum, (uint64_t)value, memory_order_relaxed);
}
