/* SPDX-License-Identifier: Apache-2.0 */
/* What credentials and request headers must be like when they are set; scoring takes what is there. */
#ifndef XPL_API_CREDENTIAL_RULES_H
#define XPL_API_CREDENTIAL_RULES_H

#include <jansson.h>
#include <stdbool.h>

#include "lib/base/status.h"

#define XPL_MAX_REQUEST_HEADERS 32

/**
 * XPL_BAD_FIELD for members of `holder`'s `credentials` and `request_headers` (either may be missing) that could not be
 * used as they are: of another type, half of a pair, no PEM, with control characters, headers that are made for every
 * request. Members that are not known are nobody's business beside known credentials; alone they are refused, but for
 * those of IBM's payloads. Paths are relative to `holder`. Unsealed.
 */
enum xpl_status xpl_credential_rules_check(const json_t *holder, struct xpl_error *err);

/** Whether a text can stand in a header: no control character. */
bool xpl_is_header_text(const char *text);

#endif
