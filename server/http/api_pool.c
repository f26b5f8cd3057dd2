/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/api_pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/base/time.h"

struct pool_thread {
    struct xpl_api_pool *pool;
    struct xpl_db *db;
    pthread_t thread;
};

struct xpl_api_pool {
    pthread_mutex_t lock;
    pthread_cond_t wakeup;
    struct xpl_pool_job *first, *last;
    size_t n_waiting, max_waiting;
    int64_t patience_us;
    size_t n_asking; /* threads that ask other servers */
    bool stopping;
    size_t n_threads;
    struct pool_thread threads[];
};

/* The first job that may be done now, with the link to it; NULL when there is none. */
static struct xpl_pool_job **find_next(struct xpl_api_pool *pool)
{
    bool may_ask = pool->n_asking + 1 < pool->n_threads || pool->n_threads == 1 || pool->stopping;
    struct xpl_pool_job **link = &pool->first;

    while (*link && (*link)->asks_others && !may_ask)
        link = &(*link)->next;
    return link;
}

/* Called with the lock held. */
static struct xpl_pool_job *unlink_next(struct xpl_api_pool *pool)
{
    struct xpl_pool_job **link = find_next(pool), *job = *link;

    if (!job)
        return NULL;
    *link = job->next;
    if (pool->last == job) {
        pool->last = pool->first;
        while (pool->last && pool->last->next)
            pool->last = pool->last->next;
    }
    pool->n_waiting--;
    pool->n_asking += job->asks_others;
    return job;
}

static struct xpl_pool_job *take(struct xpl_api_pool *pool)
{
    struct xpl_pool_job *job;

    pthread_mutex_lock(&pool->lock);
    while (!(job = unlink_next(pool)) && !pool->stopping)
        pthread_cond_wait(&pool->wakeup, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    return job;
}

/* A job that waited for its turn to ask may go on now. The job itself is gone by now. */
static void asked(struct xpl_api_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->n_asking--;
    pthread_cond_broadcast(&pool->wakeup);
    pthread_mutex_unlock(&pool->lock);
}

static void *pool_main(void *arg)
{
    struct pool_thread *self = arg;
    struct xpl_pool_job *job;

    while ((job = take(self->pool))) {
        bool asks_others = job->asks_others;

        job->run(job, self->db);
        if (asks_others)
            asked(self->pool);
    }
    return NULL;
}

static enum xpl_status add_thread(struct xpl_api_pool *pool, const char *db_path, struct xpl_error *err)
{
    struct pool_thread *self = &pool->threads[pool->n_threads];
    enum xpl_status st = xpl_db_open(db_path, XPL_DB_READER, &self->db, err);

    if (st)
        return st;
    self->pool = pool;
    if (pthread_create(&self->thread, NULL, pool_main, self) != 0) {
        xpl_db_close(self->db);
        return xpl_fail(err, XPL_NO_MEMORY, "an API thread cannot be started");
    }
    pthread_mutex_lock(&pool->lock); /* those that run already look at it */
    pool->n_threads++;
    pthread_mutex_unlock(&pool->lock);
    return XPL_OK;
}

enum xpl_status xpl_api_pool_start(const char *db_path, size_t n_threads, size_t max_waiting, int64_t patience_ms,
                                   struct xpl_api_pool **ret, struct xpl_error *err)
{
    struct xpl_api_pool *pool = calloc(1, sizeof *pool + n_threads * sizeof *pool->threads);
    enum xpl_status st = XPL_OK;

    if (!pool)
        return xpl_no_memory(err);
    pool->max_waiting = max_waiting;
    pool->patience_us = patience_ms * 1000;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wakeup, NULL);
    while (!st && pool->n_threads < n_threads)
        st = add_thread(pool, db_path, err);
    if (st) {
        xpl_api_pool_stop(pool);
        return st;
    }
    *ret = pool;
    return XPL_OK;
}

/* Called with the lock held. */
static bool has_room(const struct xpl_api_pool *pool, const struct xpl_pool_job *job)
{
    return job->admitted || pool->n_waiting < pool->max_waiting ||
           job->since_us - pool->first->since_us < pool->patience_us;
}

enum xpl_status xpl_api_pool_submit(struct xpl_api_pool *pool, struct xpl_pool_job *job, struct xpl_error *err)
{
    bool accepted;

    job->since_us = xpl_monotonic_us();
    pthread_mutex_lock(&pool->lock);
    accepted = !pool->stopping && has_room(pool, job);
    if (accepted) {
        job->next = NULL;
        if (pool->last)
            pool->last->next = job;
        else
            pool->first = job;
        pool->last = job;
        pool->n_waiting++;
        pthread_cond_signal(&pool->wakeup);
    }
    pthread_mutex_unlock(&pool->lock);
    return accepted ? XPL_OK : xpl_fail(err, XPL_OVERLOADED, "too many calls of this kind are waiting");
}

void xpl_api_pool_stop(struct xpl_api_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->wakeup);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->n_threads; i++) {
        pthread_join(pool->threads[i].thread, NULL);
        xpl_db_close(pool->threads[i].db);
    }
    pthread_cond_destroy(&pool->wakeup);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}
