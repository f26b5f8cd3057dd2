/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values as text; numbers with as many digits as bring the same number back, not with all of them. */
#ifndef XPL_API_JSON_TEXT_H
#define XPL_API_JSON_TEXT_H

#include <jansson.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"

/** Appends the compact text. False without room or memory, then `out` may hold a part of it. */
bool xpl_json_append(struct xpl_buf *out, const json_t *json);

/** The same in lines, for people; the last has an end, too. */
bool xpl_json_append_lines(struct xpl_buf *out, const json_t *json);

/** The compact text in the arena, terminated with a zero; NULL without memory. */
const char *xpl_json_text(struct xpl_arena *arena, const json_t *json);

#endif
