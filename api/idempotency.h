/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idempotency-Key: a request that comes again with its key, because its answer was lost, gets the first answer again
 * and changes nothing. The answer is stored in the transaction of what it answers. Keys are those of a data mart, and
 * live for 24 hours. Errors are not stored: nothing was changed, and the same request may be tried again.
 *
 * For the POST operations of editors: what they answer holds no secrets.
 */
#ifndef XPL_API_IDEMPOTENCY_H
#define XPL_API_IDEMPOTENCY_H

#include "api/call.h"

/**
 * Before the handler: reads the key, and gives the answer that there may be (`ret_answered`). XPL_BAD_FIELD: no usable
 * key; XPL_KEY_REUSED: it belongs to another request.
 */
enum xpl_status xpl_idempotency_begin(struct xpl_call *call, bool *ret_answered, struct xpl_error *err);

/** On the writer: runs the call's write and keeps its answer, unless the same request was written since. */
enum xpl_status xpl_idempotency_write(struct xpl_db *db, struct xpl_call *call, struct xpl_error *err);

#endif
