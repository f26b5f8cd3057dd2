/* SPDX-License-Identifier: Apache-2.0 */
/* What became of the calls of models, and how long they took. */
#ifndef XPL_SCORING_CALL_METERS_H
#define XPL_SCORING_CALL_METERS_H

#include "lib/base/meter.h"
#include "lib/base/status.h"

enum xpl_call_result {
    XPL_CALL_ANSWERED,
    XPL_CALL_UNREACHABLE,
    XPL_CALL_TIMEOUT,
    XPL_CALL_REFUSED, /* 4xx */
    XPL_CALL_FAILED,  /* 408, 429, 5xx */
    XPL_CALL_TOO_LONG,
    XPL_CALL_ADDRESS_REFUSED, /* by scoring.allow */
    XPL_CALL_OTHER,
    XPL_CALL_RESULTS
};

/** Zeroed = empty; may be shared by threads. */
struct xpl_call_meters {
    struct xpl_histogram us[XPL_CALL_RESULTS];
};

/** Counts one call that ended with `status` (XPL_OK = an answer). NULL meters are fine. */
void xpl_call_meters_add(struct xpl_call_meters *meters, enum xpl_status status, int64_t us);

/** "answered", "unreachable", … */
const char *xpl_call_result_name(enum xpl_call_result result);

#endif
