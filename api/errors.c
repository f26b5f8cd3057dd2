/* SPDX-License-Identifier: Apache-2.0 */
#include "api/errors.h"

/* Code prefixes as the original's: AIQES explain, AIQCS configuration, AIQDT data mart, AISCS its data mart service. */
static const struct xpl_error_meaning meanings[XPL_STATUS_COUNT] = {
    [XPL_OK] = {200, "", "", true},

    [XPL_BAD_REQUEST] = {400, "AIQCS0001E", "The request is malformed", true},
    [XPL_BAD_JSON] = {400, "AIQCS0002E", "The body is not valid JSON", true},
    [XPL_BAD_FIELD] = {400, "AIQCS0003E", "A member of the request is not acceptable", true},
    [XPL_BAD_RECORD] = {400, "AIQDT0001E", "The logged transaction cannot be used for explanations", true},
    [XPL_NOT_AVAILABLE] = {400, "AIQCS0004E", "Not available in this version", true},
    [XPL_NOT_ENABLED] = {400, "AIQES0001E", "Explainability is not enabled for this subscription", true},
    [XPL_UNAUTHORIZED] = {401, "AIQCS0005E", "Valid credentials are needed", true},
    [XPL_FORBIDDEN] = {403, "AIQCS0006E", "Not permitted", true},
    [XPL_NOT_FOUND] = {404, "AIQCS0007E", "Not found", true},
    [XPL_BAD_METHOD] = {405, "AIQCS0008E", "The method is not supported here", true},
    [XPL_CONFLICT] = {409, "AIQCS0009E", "In conflict with what is stored", true},
    [XPL_GONE] = {410, "AIQDT0005E", "Deleted, to keep the numbers only", true},
    [XPL_DATA_MART_EXISTS] = {409, "AISCS0004W", "Data Mart with this id is already defined", true},
    [XPL_KEY_REUSED] = {422, "AIQCS0012E", "The idempotency key was used for another request", true},
    [XPL_TOO_LARGE] = {413, "AIQDT0002E", "Too large", true},
    [XPL_HEADER_TOO_LARGE] = {431, "AIQCS0010E", "The header block is too large", true},
    [XPL_BAD_MEDIA_TYPE] = {415, "AIQCS0011E", "The media type is not supported", true},
    [XPL_TOO_MANY] = {429, "AIQES0002E", "Too many requests", true},

    [XPL_NO_MEMORY] = {503, "AIQCS0020E", "Out of memory", false},
    [XPL_OVERLOADED] = {503, "AIQCS0021E", "Busy, try again", false},
    [XPL_NOT_READY] = {503, "AIQCS0023E", "Not ready", true},
    [XPL_STORAGE_FULL] = {507, "AIQDT0003E", "The storage is full or read-only", false},
    [XPL_STORAGE_FAILED] = {500, "AIQDT0004E", "The storage failed", false},
    [XPL_INTERNAL] = {500, "AIQCS0022E", "Internal error", false},

    [XPL_MODEL_UNREACHABLE] = {502, "AIQES0010E", "The deployed model cannot be reached", false},
    [XPL_MODEL_TIMEOUT] = {504, "AIQES0011E", "The deployed model did not answer in time", false},
    [XPL_MODEL_REFUSED] = {502, "AIQES0012E", "The deployed model refused the scoring request", false},
    [XPL_MODEL_FAILED] = {502, "AIQES0013E", "The deployed model failed", false},
    [XPL_MODEL_BAD_ANSWER] = {502, "AIQES0014E", "The deployed model's answer cannot be used", false},
    [XPL_ADDRESS_REFUSED] = {502, "AIQES0015E", "The address is not allowed by scoring.allow", false},
    [XPL_MODEL_PAUSED] = {503, "AIQES0016E", "The deployed model failed repeatedly and is not asked for a while",
                          false},
    [XPL_UPSTREAM_FAILED] = {502, "AIQES8021E", "Failed to retrieve details from the model engine", false},

    [XPL_CANCELLED] = {409, "AIQES0020W", "Cancelled", true},
    [XPL_DEADLINE] = {504, "AIQES0021E", "The deadline passed before the first stage was complete", false},
    [XPL_CRASHED] = {500, "AIQES0022E", "The explanation was given up after repeated crashes", false},
};

const struct xpl_error_meaning *xpl_error_meaning(enum xpl_status status)
{
    if ((unsigned)status >= XPL_STATUS_COUNT || !meanings[status].http_status)
        return &meanings[XPL_INTERNAL];
    return &meanings[status];
}
