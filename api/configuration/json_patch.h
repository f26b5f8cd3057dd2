/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Patch (RFC 6902) with JSON Pointer (RFC 6901): add, remove, replace, move, copy, test.
 */
#ifndef XPL_API_JSON_PATCH_H
#define XPL_API_JSON_PATCH_H

#include <jansson.h>
#include <stdbool.h>

#include "lib/base/status.h"

#define XPL_PATCH_MAX_OPERATIONS 1000
#define XPL_PATCH_MAX_DEPTH      32
#define XPL_PATCH_MAX_BYTES      ((size_t)256 << 10) /* names, strings and one for each value */

/** What a patch must leave alone. */
struct xpl_patch_rules {
    const char *const *read_only; /* members of the top level that must not be written; ended by NULL */
    const char *const *secrets;   /* pointers to what must not be copied, moved or compared; ended by NULL */
};

/**
 * Applies `patch` (an array of operations) to `*document` in place. On an error the document may be half patched: throw
 * it away. Errors name the operation. XPL_TOO_LARGE when the result, or all that is copied on the way, exceeds the
 * bounds above: a few copies of copies would fill the memory.
 */
enum xpl_status xpl_json_patch(json_t **document, const json_t *patch, const struct xpl_patch_rules *rules,
                               struct xpl_error *err);

/** Whether pointer `inner` is `outer` or leads below it. */
bool xpl_pointer_within(const char *inner, const char *outer);

#endif
