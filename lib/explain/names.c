/* SPDX-License-Identifier: Apache-2.0 */
/* What the API calls them. */
#include "lib/explain/explain.h"

const char *xpl_decision_name(enum xpl_decision decision)
{
    switch (decision) {
    case XPL_POSITIVE:
        return "positive";
    case XPL_NEGATIVE:
        return "negative";
    case XPL_NEGLIGIBLE:
        return "negligible";
    case XPL_OPEN:
        return "open";
    }
    return "";
}

const char *xpl_verdict_name(enum xpl_verdict_level level)
{
    switch (level) {
    case XPL_VERDICT_HIGH:
        return "high";
    case XPL_VERDICT_MEDIUM:
        return "medium";
    case XPL_VERDICT_LOW:
        return "low";
    }
    return "";
}

const char *xpl_stop_reason_name(enum xpl_stop_reason reason)
{
    switch (reason) {
    case XPL_STOPPED_COMPLETE:
        return "complete";
    case XPL_STOPPED_CONFIDENT:
        return "confident";
    case XPL_STOPPED_BUDGET:
        return "budget";
    case XPL_STOPPED_DEADLINE:
        return "deadline";
    }
    return "";
}
