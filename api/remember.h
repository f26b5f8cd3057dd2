/* SPDX-License-Identifier: Apache-2.0 */
/* What a call read goes on being true for others as long as nobody changes what it was made of: app->cache. */
#ifndef XPL_API_REMEMBER_H
#define XPL_API_REMEMBER_H

#include "api/call.h"

/** Reads what `id` names into the value at `ret`; all it points at lies in `arena`, and is not written again. */
typedef enum xpl_status xpl_read_fn(struct xpl_call *call, struct xpl_arena *arena, const char *id, void *ret,
                                    struct xpl_error *err);

/** How a kind of value is read. */
struct xpl_remembered {
    const char *kind; /* what keys begin with: one for each reader */
    xpl_read_fn *read;
    size_t size;      /* of the value */
    size_t max_bytes; /* of it and all it points at */
};

/**
 * The value that `id` names in the call's data mart: the one that is kept of this version (of call->seen), else read,
 * and then kept. Lent to the call's arena and not to be written. Errors are the reader's; what failed is not kept.
 */
enum xpl_status xpl_remember(struct xpl_call *call, const struct xpl_remembered *what, const char *id, uint64_t version,
                             const void **ret, struct xpl_error *err);

#endif
