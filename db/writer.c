/* SPDX-License-Identifier: Apache-2.0 */
#include "db/writer.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "db/upkeep.h"
#include "lib/base/time.h"

#define MAX_WAITING     4096
#define MAX_GROUP       256
#define MAX_GROUP_BYTES ((size_t)8 << 20)

struct xpl_writer {
    struct xpl_db *db;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wakeup;
    struct xpl_write *first, *last; /* under the lock */
    size_t n_waiting;
    bool stopping;
    struct told {
        xpl_stored_fn stored;
        void *context;
    } told[XPL_WRITER_MAX_TOLD]; /* under the lock */
    size_t n_told;
    bool stored; /* something that was not told; of the thread */
    struct xpl_writer_meters meters;
    struct xpl_version_clock versions;
};

/* Takes the next group off the queue: a list of at most MAX_GROUP operations. Called with the lock held. */
static struct xpl_write *take_group(struct xpl_writer *writer)
{
    struct xpl_write *group = writer->first, *end = NULL;
    size_t n = 0, bytes = 0;

    for (struct xpl_write *op = writer->first;
         op && n < MAX_GROUP && (n == 0 || (bytes <= MAX_GROUP_BYTES && op->bytes <= MAX_GROUP_BYTES - bytes));
         op = op->next) {
        bytes += op->bytes;
        end = op;
        n++;
    }
    if (end) {
        writer->first = end->next;
        end->next = NULL;
        writer->n_waiting -= n;
    }
    if (!writer->first)
        writer->last = NULL;
    return group;
}

/* An operation that failed without saying why. */
static void describe(struct xpl_write *op)
{
    if (op->err.status == XPL_OK)
        xpl_fail(&op->err, op->status, "the write failed");
}

/* Statements that run for every operation are compiled once. */
static enum xpl_status execute(struct xpl_db *db, const char *sql, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) stmt = xpl_db_query(db, sql);

    return xpl_run(stmt, NULL, err);
}

/* Runs one operation inside a savepoint, so that it rolls back alone. False when the transaction itself is broken. */
static bool run_one(struct xpl_db *db, struct xpl_write *op)
{
    struct xpl_error err = {0};

    op->err = (struct xpl_error){0};
    if ((op->status = execute(db, "SAVEPOINT operation", &op->err)))
        return false;
    op->status = op->run(db, op->arg, &op->err);
    if (op->status == XPL_OK)
        return execute(db, "RELEASE operation", &err) == XPL_OK;
    describe(op);
    return execute(db, "ROLLBACK TO operation", &err) == XPL_OK && execute(db, "RELEASE operation", &err) == XPL_OK;
}

/* A transaction in which every operation failed stores nothing, and tells nothing about the disk. */
static enum xpl_status commit(struct xpl_writer *writer, size_t n_operations, struct xpl_error *err)
{
    int64_t started_us = xpl_monotonic_us(), ended_us;
    enum xpl_status st = execute(writer->db, "COMMIT", err);

    if (st) {
        xpl_count(&writer->meters.failed);
        xpl_db_exec(writer->db, "ROLLBACK", NULL);
        return st;
    }
    if (n_operations == 0)
        return XPL_OK;
    ended_us = xpl_monotonic_us();
    xpl_histogram_add(&writer->meters.commit_us, &xpl_scale_seconds, ended_us - started_us);
    xpl_histogram_add(&writer->meters.group, &xpl_scale_counts, (int64_t)n_operations);
    atomic_store(&writer->meters.stored_us, ended_us);
    writer->stored = true;
    return XPL_OK;
}

/* One transaction for the whole group, begun already. False when it failed as a whole and nothing of it was stored. */
static bool run_group(struct xpl_writer *writer, struct xpl_write *group)
{
    size_t n = 0;

    for (struct xpl_write *op = group; op; op = op->next) {
        if (!run_one(writer->db, op)) {
            xpl_db_exec(writer->db, "ROLLBACK", NULL);
            return false;
        }
        n += op->status == XPL_OK;
    }
    return commit(writer, n, NULL) == XPL_OK;
}

/* After a failed group: an operation in a transaction of its own, so that each caller gets its own answer. */
static void run_alone(struct xpl_writer *writer, struct xpl_write *op)
{
    struct xpl_db *db = writer->db;

    op->err = (struct xpl_error){0};
    if ((op->status = execute(db, "BEGIN IMMEDIATE", &op->err)))
        return;
    if ((op->status = op->run(db, op->arg, &op->err)) == XPL_OK) {
        op->err = (struct xpl_error){0};
        op->status = commit(writer, 1, &op->err);
        return;
    }
    describe(op);
    xpl_db_exec(db, "ROLLBACK", NULL);
}

static void run_all(struct xpl_writer *writer, struct xpl_write *group)
{
    struct xpl_error err = {0};
    enum xpl_status st = execute(writer->db, "BEGIN IMMEDIATE", &err);

    if (st == XPL_OK && run_group(writer, group))
        return;
    for (struct xpl_write *op = group; op; op = op->next) {
        if (st == XPL_OK) {
            run_alone(writer, op);
            continue;
        }
        /* no transaction to be had: it would not be for any of them, and each try may wait for a lock */
        op->status = st;
        op->err = err;
    }
}

/* What requests may have to undo is of about their size, and kept in memory: half of the time of a batch otherwise. */
static void run_bounded_or_not(struct xpl_writer *writer, struct xpl_write *group)
{
    bool in_file = group->bytes == XPL_WRITE_UNBOUNDED;

    if (in_file)
        xpl_db_undo_in_memory(writer->db, false, NULL);
    run_all(writer, group);
    if (in_file)
        xpl_db_undo_in_memory(writer->db, true, NULL);
}

static void tell(struct xpl_writer *writer)
{
    struct told told[XPL_WRITER_MAX_TOLD];
    size_t n;

    if (!writer->stored)
        return;
    writer->stored = false;
    pthread_mutex_lock(&writer->lock);
    n = writer->n_told;
    memcpy(told, writer->told, sizeof told);
    pthread_mutex_unlock(&writer->lock);
    for (size_t i = 0; i < n; i++)
        told[i].stored(told[i].context, writer->db);
}

static void complete(struct xpl_write *group)
{
    while (group) {
        struct xpl_write *next = group->next; /* `done` may free the operation */

        group->done(group->arg, group->status, &group->err);
        group = next;
    }
}

static void *writer_main(void *arg)
{
    struct xpl_writer *writer = arg;

    for (;;) {
        struct xpl_write *group;

        pthread_mutex_lock(&writer->lock);
        while (!writer->first && !writer->stopping)
            pthread_cond_wait(&writer->wakeup, &writer->lock);
        group = take_group(writer);
        pthread_mutex_unlock(&writer->lock);
        if (!group)
            return NULL;
        run_bounded_or_not(writer, group);
        xpl_versions_publish(&writer->versions);
        tell(writer);
        complete(group);
    }
}

static void destroy(struct xpl_writer *writer)
{
    pthread_cond_destroy(&writer->wakeup);
    pthread_mutex_destroy(&writer->lock);
    xpl_db_close(writer->db);
    free(writer);
}

enum xpl_status xpl_writer_start(const char *path, struct xpl_writer **ret, struct xpl_error *err)
{
    struct xpl_writer *writer = calloc(1, sizeof *writer);
    enum xpl_status st;

    if (!writer)
        return xpl_no_memory(err);
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->wakeup, NULL);
    st = xpl_db_open(path, XPL_DB_WRITER, &writer->db, err);
    if (!st)
        st = xpl_db_migrate(writer->db, err);
    if (!st)
        st = xpl_db_undo_in_memory(writer->db, true, err);
    if (!st)
        xpl_versions_watch(&writer->versions, writer->db);
    if (!st && pthread_create(&writer->thread, NULL, writer_main, writer) != 0)
        st = xpl_fail(err, XPL_NO_MEMORY, "the writer thread cannot be started");
    if (st) {
        destroy(writer);
        return st;
    }
    *ret = writer;
    return XPL_OK;
}

const struct xpl_writer_meters *xpl_writer_meters(const struct xpl_writer *writer)
{
    return &writer->meters;
}

struct xpl_versions xpl_writer_versions(struct xpl_writer *writer)
{
    return xpl_versions_read(&writer->versions);
}

enum xpl_status xpl_writer_tell(struct xpl_writer *writer, xpl_stored_fn stored, void *context, struct xpl_error *err)
{
    bool room;

    pthread_mutex_lock(&writer->lock);
    room = writer->n_told < XPL_WRITER_MAX_TOLD;
    if (room)
        writer->told[writer->n_told++] = (struct told){stored, context};
    pthread_mutex_unlock(&writer->lock);
    return room ? XPL_OK : xpl_fail(err, XPL_INTERNAL, "the writer tells too many already");
}

enum xpl_status xpl_writer_submit(struct xpl_writer *writer, struct xpl_write *write, struct xpl_error *err)
{
    bool accepted;

    pthread_mutex_lock(&writer->lock);
    accepted = !writer->stopping && writer->n_waiting < MAX_WAITING;
    if (accepted) {
        write->next = NULL;
        if (writer->last)
            writer->last->next = write;
        else
            writer->first = write;
        writer->last = write;
        writer->n_waiting++;
        pthread_cond_signal(&writer->wakeup);
    }
    pthread_mutex_unlock(&writer->lock);
    return accepted ? XPL_OK : xpl_fail(err, XPL_OVERLOADED, "too many writes are waiting");
}

struct waiting {
    struct xpl_write write;
    xpl_write_fn run;
    void *arg;
    sem_t done;
};

static enum xpl_status run_waiting(struct xpl_db *db, void *arg, struct xpl_error *err)
{
    struct waiting *waiting = arg;

    return waiting->run(db, waiting->arg, err);
}

static void wake_waiting(void *arg, enum xpl_status status, const struct xpl_error *err)
{
    struct waiting *waiting = arg;

    (void)status, (void)err; /* both stay in `write` */
    sem_post(&waiting->done);
}

enum xpl_status xpl_writer_run(struct xpl_writer *writer, xpl_write_fn run, void *arg, size_t bytes,
                               struct xpl_error *err)
{
    struct waiting waiting = {.run = run, .arg = arg};
    enum xpl_status st;

    waiting.write = (struct xpl_write){.run = run_waiting, .done = wake_waiting, .arg = &waiting, .bytes = bytes};
    sem_init(&waiting.done, 0, 0);
    st = xpl_writer_submit(writer, &waiting.write, err);
    if (!st) {
        while (sem_wait(&waiting.done) != 0)
            ;
        st = waiting.write.status;
        if (st)
            xpl_fail_field(err, st, waiting.write.err.field, "%s", waiting.write.err.message);
    }
    sem_destroy(&waiting.done);
    return st;
}

void xpl_writer_stop(struct xpl_writer *writer)
{
    if (!writer)
        return;
    pthread_mutex_lock(&writer->lock);
    writer->stopping = true;
    pthread_cond_signal(&writer->wakeup);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    xpl_db_exec(writer->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL);
    destroy(writer);
}
