/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer: one thread, one read-write connection, one transaction for all who wait.
 *
 * Callers hand in an operation and a completion. The thread takes everything that is queued (at most 256 operations or
 * 8 MiB), runs each inside a savepoint, commits once, then completes all of them; an operation that fails rolls back
 * alone. If the whole transaction fails (disk full, I/O error), every operation is run again by itself, so that each
 * caller gets its own answer. Nobody else writes or checkpoints: SQLite before 3.51.3 can corrupt a WAL when two
 * connections do.
 */
#ifndef XPL_DB_WRITER_H
#define XPL_DB_WRITER_H

#include "db/db.h"
#include "db/versions.h"
#include "lib/base/meter.h"

struct xpl_writer;

/** Runs on the writer inside its transaction. May run twice (see above): it must not change what it cannot set again.
 */
typedef enum xpl_status (*xpl_write_fn)(struct xpl_db *db, void *arg, struct xpl_error *err);

/** Runs on the writer after the commit; with the operation's own status, or that of the failed commit. Must not block.
 */
typedef void (*xpl_written_fn)(void *arg, enum xpl_status status, const struct xpl_error *err);

/** It may change any number of rows, as a deletion does: it runs by itself, and what it may have to undo is in a file.
 */
#define XPL_WRITE_UNBOUNDED SIZE_MAX

/** One operation. Owned by the caller and left alone by it from submit until `done` was called. */
struct xpl_write {
    xpl_write_fn run;
    xpl_written_fn done;
    void *arg;
    size_t bytes; /* about how much it writes, for the size of a group; or XPL_WRITE_UNBOUNDED */

    /* the writer's */
    struct xpl_write *next;
    enum xpl_status status;
    struct xpl_error err;
};

/** What the writer counts, for any thread to read. */
struct xpl_writer_meters {
    struct xpl_histogram commit_us; /* of COMMIT alone: what the disk takes */
    struct xpl_histogram group;     /* operations in a transaction */
    xpl_counter failed;             /* transactions that could not be stored */
    _Atomic(int64_t) stored_us;     /* monotonic: the last one that was; 0 = none yet */
};
const struct xpl_writer_meters *xpl_writer_meters(const struct xpl_writer *writer);

/** Grown already when anybody learns of what was stored. From any thread. */
struct xpl_versions xpl_writer_versions(struct xpl_writer *writer);

/** Opens `path`, migrates it and starts the thread. */
enum xpl_status xpl_writer_start(const char *path, struct xpl_writer **ret, struct xpl_error *err);

/**
 * Whom the writer tells that something was stored: on its thread, after the commit and before those who wait are
 * completed, with its connection outside of a transaction. Must not block, and not write. Until the writer stops; of a
 * few.
 */
#define XPL_WRITER_MAX_TOLD 4
typedef void (*xpl_stored_fn)(void *context, struct xpl_db *db);
enum xpl_status xpl_writer_tell(struct xpl_writer *writer, xpl_stored_fn stored, void *context, struct xpl_error *err);

/** XPL_OVERLOADED when 4096 operations wait or the writer stops; then `done` is not called. */
enum xpl_status xpl_writer_submit(struct xpl_writer *writer, struct xpl_write *write, struct xpl_error *err);

/** Submits and waits: for threads that may block (workers, the api pool). */
enum xpl_status xpl_writer_run(struct xpl_writer *writer, xpl_write_fn run, void *arg, size_t bytes,
                               struct xpl_error *err);

/** Completes what is queued, checkpoints, closes. NULL is fine. */
void xpl_writer_stop(struct xpl_writer *writer);

#endif
