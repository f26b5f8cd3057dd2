/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into JSON texts that were scanned without an error before (json_scan.h). */
#ifndef XPL_BASE_JSON_LOOK_H
#define XPL_BASE_JSON_LOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/text.h"

static inline bool xpl_json_text_is_array(struct xpl_text text)
{
    return text.length >= 2 && text.ptr[0] == '[';
}

static inline bool xpl_json_text_is_object(struct xpl_text text)
{
    return text.length >= 2 && text.ptr[0] == '{';
}

static inline bool xpl_json_text_is_string(struct xpl_text text)
{
    return text.length >= 2 && text.ptr[0] == '"';
}

static inline bool xpl_json_text_is_number(struct xpl_text text)
{
    return text.length > 0 && (text.ptr[0] == '-' || (text.ptr[0] >= '0' && text.ptr[0] <= '9'));
}

/** The first member of that name; false when `object` is no object or has none. `ret` may be NULL. */
bool xpl_json_member(struct xpl_text object, const char *name, struct xpl_text *ret);

/** 0 when `object` is no object. */
size_t xpl_json_count_members(struct xpl_text object);

/** The element at `index`; false when `array` is no array or is shorter. */
bool xpl_json_element(struct xpl_text array, size_t index, struct xpl_text *ret);

/** 0 when `array` is no array. */
size_t xpl_json_count_elements(struct xpl_text array);

/**
 * Writes where `part`, a value inside of `whole`, stands: "predictions[0][2]"; "" for the whole and for what is not in
 * it. `out` has `size` bytes (>= 1); a path that is longer is cut.
 */
void xpl_json_path(struct xpl_text whole, struct xpl_text part, char *out, size_t size);

#endif
