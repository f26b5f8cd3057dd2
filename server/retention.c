/* SPDX-License-Identifier: Apache-2.0 */
#include "server/retention.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "db/upkeep.h"
#include "lib/base/log.h"
#include "lib/base/time.h"

#define DAY_US      ((int64_t)24 * 3600 * 1000000)
#define PAUSE_MS    20 /* between two steps */
#define STEP_BYTES  ((size_t)1 << 20)
#define ARENA_BYTES ((size_t)1 << 20)

struct xpl_retention {
    struct xpl_app *app;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wakeup;
    bool stopping;
};

/* Waits; false when the thread is to end. */
static bool pause_for(struct xpl_retention *r, int64_t ms)
{
    struct timespec until;
    int64_t ns;
    bool stopping;

    clock_gettime(CLOCK_MONOTONIC, &until);
    ns = until.tv_nsec + ms % 1000 * 1000000;
    until.tv_sec += ms / 1000 + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&r->lock);
    while (!r->stopping && pthread_cond_timedwait(&r->wakeup, &r->lock, &until) == 0)
        ;
    stopping = r->stopping;
    pthread_mutex_unlock(&r->lock);
    return !stopping;
}

struct step {
    struct xpl_arena *arena;
    struct xpl_retention_step step;
};

static enum xpl_status run_step(struct xpl_db *db, void *arg, struct xpl_error *err)
{
    struct step *s = arg;

    return xpl_retention_run(db, s->arena, &s->step, err);
}

static enum xpl_status do_step(struct xpl_retention *r, struct xpl_retention_step *step, struct xpl_error *err)
{
    struct step s = {.arena = xpl_arena_new(ARENA_BYTES), .step = *step};
    enum xpl_status st;

    if (!s.arena)
        return xpl_no_memory(err);
    st = xpl_writer_run(r->app->writer, run_step, &s, STEP_BYTES, err);
    xpl_arena_free(s.arena);
    if (!st)
        *step = s.step;
    return st;
}

static void log_round(int64_t n_deleted, const struct xpl_error *err)
{
    char count[24];

    snprintf(count, sizeof count, "%lld", (long long)n_deleted);
    if (err->status)
        xpl_log(XPL_LOG_ERROR, "retention failed", "message", err->message, NULL);
    else if (n_deleted > 0)
        xpl_log(XPL_LOG_INFO, "retention deleted records", "count", count, NULL);
}

/* Everything that is to go at this moment. */
static void do_round(struct xpl_retention *r)
{
    const struct xpl_settings *settings = &r->app->settings;
    struct xpl_retention_step step = {.used_bytes = settings->retention_bytes};
    struct xpl_error err = {0};
    int64_t n_deleted = 0;

    if (settings->retention_days > 0)
        step.older_than = xpl_now_us() - settings->retention_days * DAY_US;
    do {
        if (do_step(r, &step, &err))
            break;
        n_deleted += step.n_deleted;
        atomic_fetch_add(&r->app->meters.retention_records, (uint64_t)step.n_deleted);
        step.after_seq = step.next_seq;
    } while (!step.done && pause_for(r, PAUSE_MS));
    log_round(n_deleted, &err);
}

static void *retention_main(void *arg)
{
    struct xpl_retention *r = arg;

    do
        do_round(r);
    while (pause_for(r, r->app->settings.retention_interval_ms));
    return NULL;
}

static void destroy(struct xpl_retention *r)
{
    pthread_cond_destroy(&r->wakeup);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

enum xpl_status xpl_retention_start(struct xpl_app *app, struct xpl_retention **ret, struct xpl_error *err)
{
    pthread_condattr_t monotonic;
    struct xpl_retention *r;

    if (app->settings.retention_days == 0 && app->settings.retention_bytes == 0)
        return XPL_OK;
    if (!(r = calloc(1, sizeof *r)))
        return xpl_no_memory(err);
    r->app = app;
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&r->wakeup, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&r->thread, NULL, retention_main, r) != 0) {
        destroy(r);
        return xpl_fail(err, XPL_NO_MEMORY, "the retention thread cannot be started");
    }
    *ret = r;
    return XPL_OK;
}

void xpl_retention_stop(struct xpl_retention *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->stopping = true;
    pthread_cond_signal(&r->wakeup);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    destroy(r);
}
