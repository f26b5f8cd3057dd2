/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Patch (RFC 6902) with JSON Pointer (RFC 6901): add, remove, replace, move, copy, test.
 */
#ifndef XPL_API_JSON_PATCH_H
#define XPL_API_JSON_PATCH_H

#include <jansson.h>

#include "lib/base/status.h"

#define XPL_PATCH_MAX_OPERATIONS 1000

/**
 * Applies `patch` (an array of operations) to `*document` in place. Members of the top level named in `read_only`
 * (ended by NULL) must not be written. On an error the document may be half patched: throw it away. Errors name the
 * operation.
 */
enum xpl_status xpl_json_patch(json_t **document, const json_t *patch, const char *const *read_only,
                               struct xpl_error *err);

#endif
