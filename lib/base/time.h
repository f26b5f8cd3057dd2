/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instants are microseconds since 1970-01-01 UTC.
 */
#ifndef XPL_BASE_TIME_H
#define XPL_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#define XPL_TIME_TEXT_SIZE 28 /* "2024-03-21T11:45:41.419630Z" */

/** The wall clock. */
int64_t xpl_now_us(void);

/** A clock that never goes back, for durations. */
int64_t xpl_monotonic_us(void);

/** Writes `instant_us` as ISO 8601 UTC with microseconds. Returns `out`. */
char *xpl_time_format(int64_t instant_us, char out[XPL_TIME_TEXT_SIZE]);

/**
 * Reads ISO 8601 ("2021-06-10T09:43:00[.fraction][Z|+hh:mm]") or "2021-06-10 09:43:00[.fraction]", which IBM's SDK
 * sends for a Python datetime; without a zone it is UTC. A date alone is its midnight. In UTC the year must lie within
 * 1 and 9999, so that xpl_time_format can say it.
 */
bool xpl_time_parse(const char *text, int64_t *ret_instant_us);

#endif
