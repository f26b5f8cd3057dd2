/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/call_meters.h"

static const struct {
    enum xpl_status status;
    const char *name;
} results[XPL_CALL_RESULTS] = {
    [XPL_CALL_ANSWERED] = {XPL_OK, "answered"},
    [XPL_CALL_UNREACHABLE] = {XPL_MODEL_UNREACHABLE, "unreachable"},
    [XPL_CALL_TIMEOUT] = {XPL_MODEL_TIMEOUT, "timeout"},
    [XPL_CALL_REFUSED] = {XPL_MODEL_REFUSED, "refused"},
    [XPL_CALL_FAILED] = {XPL_MODEL_FAILED, "failed"},
    [XPL_CALL_TOO_LONG] = {XPL_MODEL_BAD_ANSWER, "answer_too_long"},
    [XPL_CALL_ADDRESS_REFUSED] = {XPL_ADDRESS_REFUSED, "address_refused"},
    [XPL_CALL_OTHER] = {XPL_INTERNAL, "other"},
};

void xpl_call_meters_add(struct xpl_call_meters *meters, enum xpl_status status, int64_t us)
{
    size_t result = 0;

    if (!meters)
        return;
    while (result < XPL_CALL_OTHER && results[result].status != status)
        result++;
    xpl_histogram_add(&meters->us[result], &xpl_scale_seconds, us);
}

const char *xpl_call_result_name(enum xpl_call_result result)
{
    return results[result].name;
}
