/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Worker threads. Each claims the oldest task whose deployment is not being explained already, works on it and stores
 * the result with the attempt number it was given; the next claim is only made after that. Waiting workers are woken
 * when a task is queued, and when a task ends, since that may free its deployment.
 */
#include "server/background/worker.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/errors.h"
#include "lib/base/log.h"
#include "lib/base/time.h"
#include "lib/base/trace.h"
#include "server/background/explain_job.h"
#include "server/background/leases.h"
#include "server/background/run_again.h"

#define MAX_WORKERS     XPL_MAX_LEASES
#define JOB_ARENA_BYTES ((size_t)2 << 30)
#define FAILURE_WAIT_US 1000000 /* after the queue could not be read */

struct worker {
    struct xpl_workers *all;
    pthread_t thread;
    struct xpl_db *db;
    char name[XPL_UUID_SIZE];
    char task_id[XPL_UUID_SIZE]; /* under the lock; "" = idle */
    struct xpl_job_progress progress;
};

struct xpl_workers {
    struct xpl_app *app;
    struct xpl_waiting *waiting;
    struct xpl_leases *leases;
    pthread_mutex_t lock;
    pthread_cond_t wakeup;
    uint64_t wakeups; /* counted, so that none is lost between a look at the queue and the wait */
    bool stopping;
    size_t n;
    struct worker workers[];
};

/* ---- hooks: called from other threads ---- */

static void wake(void *context)
{
    struct xpl_workers *all = context;

    pthread_mutex_lock(&all->lock);
    all->wakeups++;
    pthread_cond_broadcast(&all->wakeup);
    pthread_mutex_unlock(&all->lock);
}

static struct worker *find(struct xpl_workers *all, const char *task_id)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->workers[i].task_id, task_id) == 0)
            return &all->workers[i];
    return NULL;
}

static void deleted(void *context, const char *task_id)
{
    struct xpl_workers *all = context;
    struct worker *worker;

    pthread_mutex_lock(&all->lock);
    worker = find(all, task_id);
    if (worker)
        atomic_store(&worker->progress.scoring.cancel, true);
    pthread_mutex_unlock(&all->lock);
    xpl_waiting_ended(all->waiting, task_id);
}

/* Tasks of processes that are no more. */
static void taken_back(void *context)
{
    struct xpl_workers *all = context;

    wake(all);
    xpl_waiting_ended(all->waiting, NULL);
}

static void read_progress(const struct xpl_job_progress *from, struct xpl_task_progress *to)
{
    int64_t elapsed_us = xpl_monotonic_us() - atomic_load(&from->scoring_started_us);

    to->phase = atomic_load(&from->phase);
    to->done = atomic_load(&from->scoring.done);
    to->total = atomic_load(&from->scoring.planned);
    if (to->total < to->done)
        to->total = to->done;
    to->eta_ms = -1;
    if (strcmp(to->phase, "scoring") == 0 && to->done > 0)
        to->eta_ms = elapsed_us / 1000 * (int64_t)(to->total - to->done) / (int64_t)to->done;
}

static bool progress(void *context, const char *task_id, struct xpl_task_progress *ret)
{
    struct xpl_workers *all = context;
    struct worker *worker;

    pthread_mutex_lock(&all->lock);
    worker = find(all, task_id);
    if (worker)
        read_progress(&worker->progress, ret);
    pthread_mutex_unlock(&all->lock);
    return worker != NULL;
}

/* ---- writes ---- */

struct claim {
    struct xpl_arena *arena;
    const char *owner;
    int64_t lease_until;
    struct xpl_task *task;
};

static enum xpl_status run_claim(struct xpl_db *db, void *arg, struct xpl_error *err)
{
    struct claim *claim = arg;

    return xpl_task_claim(db, claim->arena, claim->owner, xpl_now_us(), claim->lease_until, claim->task, err);
}

struct ending {
    const struct xpl_task *task;
    const struct xpl_task_result *result; /* NULL = failed */
    const char *error_code, *error_message;
    int64_t run_again_at; /* 0 = it has failed for good */
};

static enum xpl_status run_ending(struct xpl_db *db, void *arg, struct xpl_error *err)
{
    const struct ending *e = arg;

    if (e->result)
        return xpl_task_finish(db, e->task->id, e->task->attempt, xpl_now_us(), e->result, err);
    if (e->run_again_at)
        return xpl_task_requeue(db, e->task->id, e->task->attempt, e->run_again_at, err);
    return xpl_task_fail(db, e->task->id, e->task->attempt, xpl_now_us(), e->error_code, e->error_message, err);
}

static enum xpl_status run_release(struct xpl_db *db, void *arg, struct xpl_error *err)
{
    const struct xpl_task *task = arg;

    return xpl_task_release(db, task->id, task->attempt, err);
}

static enum xpl_status run_recover(struct xpl_db *db, void *arg, struct xpl_error *err)
{
    return xpl_tasks_take_back(db, INT64_MAX, xpl_now_us(), xpl_error_meaning(XPL_CRASHED)->code, arg, err);
}

/* ---- a worker's life ---- */

static bool is_stopping(struct xpl_workers *all)
{
    bool stopping;

    pthread_mutex_lock(&all->lock);
    stopping = all->stopping;
    pthread_mutex_unlock(&all->lock);
    return stopping;
}

static void set_task(struct worker *worker, const char *task_id)
{
    struct xpl_workers *all = worker->all;

    pthread_mutex_lock(&all->lock);
    snprintf(worker->task_id, sizeof worker->task_id, "%s", task_id);
    atomic_store(&worker->progress.scoring.done, 0);
    atomic_store(&worker->progress.scoring.planned, 0);
    atomic_store(&worker->progress.scoring.cancel, all->stopping);
    atomic_store(&worker->progress.phase, "starting");
    pthread_mutex_unlock(&all->lock);
}

static void log_end(const struct xpl_task *task, const struct ending *ending, int64_t started_us)
{
    bool failed = !ending->result;
    const char *event = failed ? "explanation failed" : "explanation finished";
    char ms[32];

    snprintf(ms, sizeof ms, "%.1f", (double)(xpl_monotonic_us() - started_us) / 1000);
    xpl_log(failed ? XPL_LOG_WARN : XPL_LOG_INFO, ending->run_again_at ? "explanation to be tried again" : event,
            "trace", task->trace_id, "traceparent", task->traceparent, "task", task->id, "scoring_id", task->scoring_id,
            "ms", ms, "code", failed ? ending->error_code : NULL, "message", failed ? ending->error_message : NULL,
            NULL);
}

static void store_end(struct worker *worker, const struct ending *ending, size_t bytes)
{
    struct xpl_error err = {0};
    enum xpl_status st = xpl_writer_run(worker->all->app->writer, run_ending, (void *)(uintptr_t)ending, bytes, &err);

    if (!st && !ending->run_again_at)
        xpl_count(ending->result ? &worker->all->app->meters.tasks_finished : &worker->all->app->meters.tasks_failed);
    /* XPL_CONFLICT: the task was deleted meanwhile, or is another worker's; its result is of no use. */
    if (st && st != XPL_CONFLICT)
        xpl_log(XPL_LOG_ERROR, "explanation not stored", "task", ending->task->id, "message", err.message, NULL);
    if (!st && !ending->run_again_at)
        xpl_waiting_ended(worker->all->waiting, ending->task->id);
}

static void work_on(struct worker *worker, struct xpl_arena *arena, struct xpl_task *task)
{
    struct xpl_app *app = worker->all->app;
    struct xpl_task_result result = {0};
    struct xpl_error err = {0}, ignored = {0};
    int64_t started_us = xpl_monotonic_us();
    enum xpl_status st = xpl_explain_job(app, worker->db, arena, task, &worker->progress, &result, &err);
    struct ending ending = {.task = task, .result = st ? NULL : &result};

    if (st == XPL_CANCELLED) {
        /* the process stops; XPL_CONFLICT when the task was deleted, or taken by another process */
        xpl_writer_run(app->writer, run_release, task, 256, &ignored);
        return;
    }
    if (st)
        ending.run_again_at = xpl_explain_run_again_at(&app->settings, task, st, xpl_now_us());
    ending.error_code = xpl_error_meaning(st)->code;
    ending.error_message = *err.message ? err.message : xpl_error_meaning(st)->text;
    if (*err.field) /* the texts of model calls name no field */
        ending.error_message = xpl_arena_printf(arena, "%s: %s", err.field, ending.error_message);
    store_end(worker, &ending, st ? 512 : strlen(result.answer) + strlen(result.attributions) + result.scores.length);
    log_end(task, &ending, started_us);
}

/* Claims one task and works on it; XPL_NOT_FOUND when there is none. */
static enum xpl_status work_once(struct worker *worker)
{
    struct xpl_arena *arena = xpl_arena_new(JOB_ARENA_BYTES);
    struct xpl_task task = {0};
    struct claim claim = {arena, worker->name, xpl_lease_until(worker->all->app), &task};
    struct xpl_error err = {0};
    enum xpl_status st;

    if (!arena)
        return XPL_NO_MEMORY;
    st = xpl_writer_run(worker->all->app->writer, run_claim, &claim, 256, &err);
    if (!st) {
        task.traceparent = xpl_traceparent_child(arena, task.traceparent);
        set_task(worker, task.id);
        xpl_lease_hold(worker->all->leases, &task, &worker->progress.scoring.cancel);
        work_on(worker, arena, &task);
        xpl_lease_drop(worker->all->leases, &task);
        set_task(worker, "");
        wake(worker->all);
    } else if (st != XPL_NOT_FOUND) {
        xpl_log(XPL_LOG_ERROR, "queue not readable", "message", err.message, NULL);
    }
    xpl_arena_free(arena);
    return st;
}

/* When to look at the queue even if nobody says that there is something; 0 = never. */
static int64_t look_again_at(struct worker *worker, enum xpl_status why)
{
    struct xpl_error err = {0};
    int64_t now = xpl_now_us(), next = 0;

    if (why != XPL_NOT_FOUND || xpl_tasks_next_run(worker->db, now, &next, &err))
        return now + FAILURE_WAIT_US;
    return next;
}

/* Waits for a wakeup later than `seen`. */
static void wait_for_work(struct xpl_workers *all, uint64_t seen, int64_t until_us)
{
    struct timespec until = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};

    pthread_mutex_lock(&all->lock);
    while (!all->stopping && all->wakeups == seen) {
        if (!until_us)
            pthread_cond_wait(&all->wakeup, &all->lock);
        else if (pthread_cond_timedwait(&all->wakeup, &all->lock, &until) != 0)
            break;
    }
    pthread_mutex_unlock(&all->lock);
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct xpl_workers *all = worker->all;

    while (!is_stopping(all)) {
        enum xpl_status st;
        uint64_t seen;

        pthread_mutex_lock(&all->lock);
        seen = all->wakeups;
        pthread_mutex_unlock(&all->lock);
        if ((st = work_once(worker)))
            wait_for_work(all, seen, look_again_at(worker, st));
    }
    return NULL;
}

/* ---- start and stop ---- */

static enum xpl_status start_one(struct xpl_workers *all, const char *db_path, struct xpl_error *err)
{
    struct worker *worker = &all->workers[all->n];
    enum xpl_status st = xpl_db_open(db_path, XPL_DB_READER, &worker->db, err);

    if (st)
        return st;
    worker->all = all;
    xpl_uuid(worker->name);
    atomic_store(&worker->progress.phase, "starting");
    if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0) {
        xpl_db_close(worker->db);
        return xpl_fail(err, XPL_NO_MEMORY, "a worker thread cannot be started");
    }
    all->n++;
    return XPL_OK;
}

static enum xpl_status recover(struct xpl_app *app, struct xpl_error *err)
{
    struct xpl_tasks_taken_back taken = {0};
    enum xpl_status st = xpl_writer_run(app->writer, run_recover, &taken, 256, err);
    char count[24];

    if (!st && taken.requeued > 0) {
        snprintf(count, sizeof count, "%lld", (long long)taken.requeued);
        xpl_log(XPL_LOG_INFO, "interrupted explanations queued again", "count", count, NULL);
    }
    return st;
}

enum xpl_status xpl_workers_start(struct xpl_app *app, struct xpl_waiting *waiting, const char *db_path,
                                  struct xpl_workers **ret, struct xpl_error *err)
{
    size_t wanted = (size_t)app->settings.explain_workers;
    struct xpl_workers *all = calloc(1, sizeof *all + MAX_WORKERS * sizeof *all->workers);
    enum xpl_status st;

    if (!all)
        return xpl_no_memory(err);
    all->app = app;
    all->waiting = waiting;
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->wakeup, NULL);
    app->workers = (struct xpl_worker_hooks){all, wake, deleted, progress};
    st = recover(app, err);
    if (!st)
        st = xpl_leases_start(app, taken_back, all, &all->leases, err);
    while (!st && all->n < wanted && all->n < MAX_WORKERS)
        st = start_one(all, db_path, err);
    if (st) {
        xpl_workers_stop(all);
        return st;
    }
    *ret = all;
    return XPL_OK;
}

void xpl_workers_stop(struct xpl_workers *all)
{
    if (!all)
        return;
    pthread_mutex_lock(&all->lock);
    all->stopping = true;
    for (size_t i = 0; i < all->n; i++)
        atomic_store(&all->workers[i].progress.scoring.cancel, true);
    pthread_cond_broadcast(&all->wakeup);
    pthread_mutex_unlock(&all->lock);
    for (size_t i = 0; i < all->n; i++) {
        pthread_join(all->workers[i].thread, NULL);
        xpl_db_close(all->workers[i].db);
    }
    xpl_leases_stop(all->leases);
    pthread_cond_destroy(&all->wakeup);
    pthread_mutex_destroy(&all->lock);
    free(all);
}
