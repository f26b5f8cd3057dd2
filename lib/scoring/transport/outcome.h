/* SPDX-License-Identifier: Apache-2.0 */
/* What came of one request: an answer, something worth another try, or a failure with its reason. */
#ifndef XPL_SCORING_OUTCOME_H
#define XPL_SCORING_OUTCOME_H

#include <curl/curl.h>
#include <stdint.h>

#include "lib/base/status.h"

struct xpl_slot;

enum xpl_outcome {
    XPL_OUTCOME_ANSWER, /* an answer with a status below 300 is in the slot's buffer */
    XPL_OUTCOME_AGAIN,  /* worth another try after `retry_after_ms` */
    XPL_OUTCOME_FAILED  /* `err` says why */
};

/**
 * Judges a request that ended with `code`, and notes in the slot how far it came. Texts name the class of the failure,
 * never the address or what was answered.
 */
enum xpl_outcome xpl_outcome_judge(struct xpl_slot *slot, CURLcode code, int64_t *ret_retry_after_ms,
                                   struct xpl_error *err);

#endif
