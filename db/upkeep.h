/* SPDX-License-Identifier: Apache-2.0 */
/* What the process asks of the storage as a whole: can it write, how long is the queue, how much does it hold. */
#ifndef XPL_DB_UPKEEP_H
#define XPL_DB_UPKEEP_H

#include "db/db.h"

/** Writes one row of its own; to be run on the writer. */
enum xpl_status xpl_write_probe(struct xpl_db *db, int64_t now, struct xpl_error *err);

struct xpl_task_queue {
    int64_t queued, leased;
    int64_t oldest_queued_at; /* microseconds; 0 = none waits */
};
enum xpl_status xpl_task_queue_read(struct xpl_db *db, struct xpl_task_queue *ret, struct xpl_error *err);

/** Bytes of the database that hold something: without the pages that deletions left free. */
enum xpl_status xpl_used_bytes(struct xpl_db *db, int64_t *ret, struct xpl_error *err);

/**
 * Where a savepoint keeps what it may have to undo, from the next transaction on: in a file beside the database (as a
 * connection begins), or in memory, which is faster and only for transactions whose size is bounded. Outside of a
 * transaction.
 */
enum xpl_status xpl_db_undo_in_memory(struct xpl_db *db, bool in_memory, struct xpl_error *err);

#endif
