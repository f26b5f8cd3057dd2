/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counting what happens: counters and histograms that any thread may add to, without a lock and in a few nanoseconds.
 * Readers may see a value that is a moment old; nothing is ever lost.
 */
#ifndef XPL_BASE_METER_H
#define XPL_BASE_METER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef _Atomic(uint64_t) xpl_counter;

#define XPL_SCALE_MAX 16

/** Upper bounds of a histogram's buckets, ascending, in the unit of what is added; times `unit` they are shown. */
struct xpl_scale {
    double unit;
    size_t n;
    int64_t bounds[XPL_SCALE_MAX];
};

/** Microseconds, shown as seconds: 0.1 ms to a minute. */
extern const struct xpl_scale xpl_scale_seconds;

/** Counts: the powers of two up to 256. */
extern const struct xpl_scale xpl_scale_counts;

/** Zeroed = empty. */
struct xpl_histogram {
    xpl_counter counts[XPL_SCALE_MAX + 1]; /* the last one holds what is above every bound */
    xpl_counter sum;
};

static inline void xpl_count(xpl_counter *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static inline uint64_t xpl_counted(const xpl_counter *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/** Adds one value; negative ones count as 0. */
void xpl_histogram_add(struct xpl_histogram *histogram, const struct xpl_scale *scale, int64_t value);

#endif
