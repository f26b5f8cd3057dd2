/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads for calls that would block an HTTP thread: they parse a lot, draw, or ask other servers. Each has its own
 * read connection. Jobs that ask other servers never hold all threads: a server that does not answer would keep logins
 * and everything else waiting.
 */
#ifndef XPL_SERVER_API_POOL_H
#define XPL_SERVER_API_POOL_H

#include "db/db.h"

struct xpl_api_pool;

/** A piece of work; embedded in what it is about. */
struct xpl_pool_job {
    void (*run)(struct xpl_pool_job *job, struct xpl_db *db);
    bool asks_others;
    bool admitted;             /* goes on with a call that was taken on: a full queue does not keep it out */
    struct xpl_pool_job *next; /* the pool's */
    int64_t since_us;          /* monotonic; the pool's */
};

/**
 * `max_waiting` jobs may wait in any case, more as long as the first of them has not waited for `patience_ms`: what
 * goes fast need not be refused only because many come at once. Each belongs to a connection, which bounds them all.
 */
enum xpl_status xpl_api_pool_start(const char *db_path, size_t n_threads, size_t max_waiting, int64_t patience_ms,
                                   struct xpl_api_pool **ret, struct xpl_error *err);

/** XPL_OVERLOADED when the queue is full or the pool stops; then `run` is not called. */
enum xpl_status xpl_api_pool_submit(struct xpl_api_pool *pool, struct xpl_pool_job *job, struct xpl_error *err);

/** Finishes what is queued and ends the threads. NULL is fine. */
void xpl_api_pool_stop(struct xpl_api_pool *pool);

#endif
