/* SPDX-License-Identifier: Apache-2.0 */
/* The header traceparent of W3C Trace Context, version 00: which trace a request is part of. */
#ifndef XPL_BASE_TRACE_H
#define XPL_BASE_TRACE_H

#include <stdbool.h>

#include "lib/base/arena.h"

/** 00-TRACE-SPAN-FLAGS in lower-case hexadecimal, neither trace nor span all zero. A later version may be longer. */
bool xpl_traceparent_valid(const char *text);

/** The same trace with a new span, version 00. NULL for NULL, or without memory. `parent` is valid. */
char *xpl_traceparent_child(struct xpl_arena *arena, const char *parent);

#endif
