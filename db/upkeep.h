/* SPDX-License-Identifier: Apache-2.0 */
/* What the process asks of the storage as a whole: can it write, how long is the queue, what has become too old. */
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

/** One step of retention: a few of the oldest records. */
struct xpl_retention_step {
    int64_t older_than; /* microseconds; records logged before go; 0 = none */
    int64_t used_bytes; /* while the database holds more, the oldest go; 0 = no bound */
    int64_t after_seq;  /* where the last step ended; 0 = at the oldest */

    /* the result; written anew by every run */
    int64_t next_seq;  /* for `after_seq` of the next step */
    int64_t n_deleted; /* records */
    bool done;         /* nothing else is to go at present */
};

/**
 * Looks at the records behind `after_seq`, oldest first, 20 at most, and deletes those that are to go, with payload and
 * explanations; one with an explanation in progress stays. To be run on the writer.
 */
enum xpl_status xpl_retention_run(struct xpl_db *db, struct xpl_arena *arena, struct xpl_retention_step *step,
                                  struct xpl_error *err);

#endif
