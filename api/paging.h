/* SPDX-License-Identifier: Apache-2.0 */
/* The page behind the one that is answered: {"href", "after"}, where `after` is the key of the last row. */
#ifndef XPL_API_PAGING_H
#define XPL_API_PAGING_H

#include "api/call.h"
#include "db/record_query.h"

/**
 * The call's own path and query, with `after` in the place of `offset`. `after` NULL: no index gives the order, so the
 * page is found by `offset`. JSON text in the arena; NULL without memory.
 */
const char *xpl_next_page(struct xpl_call *call, const char *after, int64_t offset);

/** The key of `last` as `after` has it; NULL when the order has none (or without memory). */
const char *xpl_record_key_text(struct xpl_call *call, const struct xpl_record_query *query,
                                const struct xpl_record *last);

/** Reads the query parameter `after` into the query, whose order is known. */
enum xpl_status xpl_record_key_read(struct xpl_call *call, struct xpl_record_query *query, struct xpl_error *err);

#endif
