/* SPDX-License-Identifier: Apache-2.0 */
#include "server/background/leases.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/errors.h"
#include "lib/base/log.h"
#include "lib/base/time.h"

#define BEATS_PER_LEASE 6

struct held {
    char task_id[XPL_UUID_SIZE]; /* "" = free */
    int64_t attempt;
    atomic_bool *cancel;
};

struct xpl_leases {
    struct xpl_app *app;
    void (*on_taken_back)(void *context);
    void *context;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wakeup;
    bool stopping;
    struct held held[XPL_MAX_LEASES]; /* under the lock */
};

int64_t xpl_lease_until(const struct xpl_app *app)
{
    return xpl_now_us() + app->settings.explain_lease_ms * 1000;
}

static struct held *find(struct xpl_leases *leases, const char *task_id)
{
    for (size_t i = 0; i < XPL_MAX_LEASES; i++)
        if (strcmp(leases->held[i].task_id, task_id) == 0)
            return &leases->held[i];
    return NULL;
}

void xpl_lease_hold(struct xpl_leases *leases, const struct xpl_task *task, atomic_bool *cancel)
{
    struct held *held;

    pthread_mutex_lock(&leases->lock);
    held = find(leases, "");
    if (held) {
        snprintf(held->task_id, sizeof held->task_id, "%s", task->id);
        held->attempt = task->attempt;
        held->cancel = cancel;
    }
    pthread_mutex_unlock(&leases->lock);
}

void xpl_lease_drop(struct xpl_leases *leases, const struct xpl_task *task)
{
    struct held *held;

    pthread_mutex_lock(&leases->lock);
    held = find(leases, task->id);
    if (held)
        *held = (struct held){0};
    pthread_mutex_unlock(&leases->lock);
}

/* ---- the beat ---- */

struct beat {
    const struct xpl_app *app;
    struct held held[XPL_MAX_LEASES]; /* as it was when the beat began */
    bool lost[XPL_MAX_LEASES];
    struct xpl_tasks_taken_back taken;
};

static enum xpl_status run_beat(struct xpl_db *db, void *arg, struct xpl_error *err)
{
    struct beat *beat = arg;
    int64_t until = xpl_lease_until(beat->app), now = xpl_now_us();

    for (size_t i = 0; i < XPL_MAX_LEASES; i++) {
        struct xpl_error gone = {0};
        enum xpl_status st = XPL_OK;

        if (*beat->held[i].task_id)
            st = xpl_task_renew(db, beat->held[i].task_id, beat->held[i].attempt, until, &gone);
        if (st && st != XPL_CONFLICT)
            return xpl_fail(err, st, "%s", gone.message);
        beat->lost[i] = st == XPL_CONFLICT;
    }
    return xpl_tasks_take_back(db, now, now, xpl_error_meaning(XPL_CRASHED)->code, &beat->taken, err);
}

/* A lease that was dropped meanwhile is nobody's business; its task has ended. */
static void cancel_lost(struct xpl_leases *leases, const struct beat *beat)
{
    pthread_mutex_lock(&leases->lock);
    for (size_t i = 0; i < XPL_MAX_LEASES; i++) {
        struct held *now = &leases->held[i];

        if (beat->lost[i] && now->attempt == beat->held[i].attempt && strcmp(now->task_id, beat->held[i].task_id) == 0)
            atomic_store(now->cancel, true);
    }
    pthread_mutex_unlock(&leases->lock);
}

static void log_taken_back(const struct xpl_tasks_taken_back *taken)
{
    char requeued[24], ended[24];

    snprintf(requeued, sizeof requeued, "%lld", (long long)taken->requeued);
    snprintf(ended, sizeof ended, "%lld", (long long)taken->ended);
    xpl_log(XPL_LOG_WARN, "leases ran out", "queued_again", requeued, "given_up", ended, NULL);
}

static void beat_once(struct xpl_leases *leases)
{
    struct beat beat = {.app = leases->app};
    struct xpl_error err = {0};

    pthread_mutex_lock(&leases->lock);
    memcpy(beat.held, leases->held, sizeof beat.held);
    pthread_mutex_unlock(&leases->lock);
    if (xpl_writer_run(leases->app->writer, run_beat, &beat, 256, &err)) {
        xpl_log(XPL_LOG_ERROR, "leases not renewed", "message", err.message, NULL);
        return;
    }
    cancel_lost(leases, &beat);
    if (beat.taken.requeued + beat.taken.ended == 0)
        return;
    log_taken_back(&beat.taken);
    leases->on_taken_back(leases->context);
}

/* False when it is time to stop. */
static bool wait_for_beat(struct xpl_leases *leases)
{
    int64_t wait_ms = leases->app->settings.explain_lease_ms / BEATS_PER_LEASE;
    struct timespec until;
    bool stopping;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&leases->lock);
    while (!leases->stopping && pthread_cond_timedwait(&leases->wakeup, &leases->lock, &until) == 0)
        ;
    stopping = leases->stopping;
    pthread_mutex_unlock(&leases->lock);
    return !stopping;
}

static void *beat_main(void *arg)
{
    while (wait_for_beat(arg))
        beat_once(arg);
    return NULL;
}

enum xpl_status xpl_leases_start(struct xpl_app *app, void (*on_taken_back)(void *context), void *context,
                                 struct xpl_leases **ret, struct xpl_error *err)
{
    struct xpl_leases *leases = calloc(1, sizeof *leases);
    pthread_condattr_t monotonic;

    if (!leases)
        return xpl_no_memory(err);
    *leases = (struct xpl_leases){.app = app, .on_taken_back = on_taken_back, .context = context};
    pthread_mutex_init(&leases->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&leases->wakeup, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&leases->thread, NULL, beat_main, leases) != 0) {
        free(leases);
        return xpl_fail(err, XPL_NO_MEMORY, "the thread of the leases cannot be started");
    }
    *ret = leases;
    return XPL_OK;
}

void xpl_leases_stop(struct xpl_leases *leases)
{
    if (!leases)
        return;
    pthread_mutex_lock(&leases->lock);
    leases->stopping = true;
    pthread_cond_signal(&leases->wakeup);
    pthread_mutex_unlock(&leases->lock);
    pthread_join(leases->thread, NULL);
    pthread_cond_destroy(&leases->wakeup);
    pthread_mutex_destroy(&leases->lock);
    free(leases);
}
