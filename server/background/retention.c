/* SPDX-License-Identifier: Apache-2.0 */
#include "server/background/retention.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "db/idempotency.h"
#include "db/inference_events.h"
#include "db/purges.h"
#include "db/retention.h"
#include "lib/base/log.h"
#include "lib/base/time.h"

#define DAY_US        ((int64_t)24 * 3600 * 1000000)
#define MIN_PAUSE_MS  2                 /* between two steps */
#define MIN_EVENTS_US ((int64_t)500000) /* between two looks at halves that wait */
#define STEP_BYTES    ((size_t)1 << 20)
#define ARENA_BYTES   ((size_t)16 << 20)

struct xpl_retention {
    struct xpl_app *app;
    struct xpl_db *db; /* a reader, for the rules */
    int64_t events_us; /* when to look at halves of inference logs, in monotonic time */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wakeup;
    bool stopping, woken; /* under the lock */
};

/* Waits, until woken if `may_wake`; false when the thread is to end. */
static bool pause_for(struct xpl_retention *r, int64_t ms, bool may_wake)
{
    struct timespec until;
    int64_t ns;
    bool stopping;

    clock_gettime(CLOCK_MONOTONIC, &until);
    ns = until.tv_nsec + ms % 1000 * 1000000;
    until.tv_sec += ms / 1000 + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&r->lock);
    while (!r->stopping && !(may_wake && r->woken) && pthread_cond_timedwait(&r->wakeup, &r->lock, &until) == 0)
        ;
    if (may_wake)
        r->woken = false;
    stopping = r->stopping;
    pthread_mutex_unlock(&r->lock);
    return !stopping;
}

/* ---- steps ---- */

/* One step on the writer, and what its run functions fill. */
struct step {
    struct xpl_arena *arena;
    enum {
        STEP_RECORDS,
        STEP_PIXELS,
        STEP_EVENTS,
        STEP_KEYS,
        STEP_PURGE
    } kind;
    struct xpl_retention_step records;
    struct xpl_pixel_step pixels;
    struct {
        int64_t before, n;
    } events;
    int64_t n_keys;
    struct xpl_purge_step purge;
    int64_t worked_us; /* without waiting for the writer */
};

static enum xpl_status run_kind(struct xpl_db *db, struct step *s, struct xpl_error *err)
{
    switch (s->kind) {
    case STEP_RECORDS:
        return xpl_retention_run(db, s->arena, &s->records, err);
    case STEP_PIXELS:
        return xpl_pixel_retention_run(db, s->arena, &s->pixels, err);
    case STEP_EVENTS:
        return xpl_events_expire(db, s->events.before, xpl_now_us(), &s->events.n, err);
    case STEP_KEYS:
        return xpl_keyed_answers_expire(db, xpl_now_us(), &s->n_keys, err);
    case STEP_PURGE:
        break;
    }
    return xpl_purge_run(db, s->arena, &s->purge, err);
}

static enum xpl_status run_step(struct xpl_db *db, void *arg, struct xpl_error *err)
{
    struct step *s = arg;
    int64_t started_us = xpl_monotonic_us();
    enum xpl_status st = run_kind(db, s, err);

    s->worked_us = xpl_monotonic_us() - started_us;
    return st;
}

static void tell_workers(struct xpl_app *app, const struct xpl_purge_step *purge)
{
    for (size_t i = 0; i < purge->n_tasks; i++)
        app->workers.deleted(app->workers.context, purge->task_ids[i]);
}

/* Runs a step, then waits as long as it worked: whoever logs has the writer at least half of the time. */
static enum xpl_status do_step(struct xpl_retention *r, struct step *s, struct xpl_error *err)
{
    int64_t pause_ms;
    enum xpl_status st;

    if (!(s->arena = xpl_arena_new(ARENA_BYTES)))
        return xpl_no_memory(err);
    st = xpl_writer_run(r->app->writer, run_step, s, STEP_BYTES, err);
    if (!st && s->kind == STEP_PURGE) {
        tell_workers(r->app, &s->purge);
        atomic_fetch_add(&r->app->meters.purged_records, (uint64_t)s->purge.n_records);
    }
    xpl_arena_free(s->arena);
    pause_ms = s->worked_us / 1000;
    if (!st && !pause_for(r, pause_ms > MIN_PAUSE_MS ? pause_ms : MIN_PAUSE_MS, false))
        return xpl_fail(err, XPL_CANCELLED, "the process ends");
    return st;
}

/* ---- halves of inference logs whose other half never came ---- */

static enum xpl_status expire_events(struct xpl_retention *r, int64_t before, struct xpl_error *err)
{
    struct step s = {.kind = STEP_EVENTS, .events.before = before};
    enum xpl_status st;

    do
        st = do_step(r, &s, err);
    while (!st && s.events.n > 0);
    return st;
}

/*
 * Expires what has waited long enough; gives how long nothing else will have. A half that comes meanwhile waits at
 * least as long as that, so nobody has to wake this thread for it.
 */
static enum xpl_status look_at_events(struct xpl_retention *r, int64_t *ret_us, struct xpl_error *err)
{
    int64_t wait_us = r->app->settings.limits_event_wait_ms * 1000, now = xpl_now_us(), oldest;
    enum xpl_status st = xpl_events_oldest(r->db, &oldest, err);

    if (!st && oldest && oldest + wait_us <= now && !(st = expire_events(r, now - wait_us, err)))
        st = xpl_events_oldest(r->db, &oldest, err);
    if (!st)
        *ret_us = (oldest ? oldest : now) + wait_us - xpl_now_us();
    return st;
}

/* Looks at them when it is time to. A failure is tried again with the next round. */
static void expire_due_events(struct xpl_retention *r)
{
    int64_t interval_us = r->app->settings.retention_interval_ms * 1000, left_us = interval_us;
    struct xpl_error err = {0};

    if (xpl_monotonic_us() < r->events_us)
        return;
    if (look_at_events(r, &left_us, &err) && err.status != XPL_CANCELLED)
        xpl_log(XPL_LOG_ERROR, "halves of inference logs could not be expired", "message", err.message, NULL);
    if (left_us > interval_us) /* the clock may be set */
        left_us = interval_us;
    r->events_us = xpl_monotonic_us() + (left_us > MIN_EVENTS_US ? left_us : MIN_EVENTS_US);
}

/* ---- purges ---- */

/* Comes between the steps of everything that may take long: the halves that are due have their turn here, too. */
static enum xpl_status purge_step(struct xpl_retention *r, bool *ret_idle, struct xpl_error *err)
{
    struct step s = {.kind = STEP_PURGE, .purge = {.now = xpl_now_us()}};
    enum xpl_status st;

    expire_due_events(r);
    st = do_step(r, &s, err);
    *ret_idle = s.purge.idle;
    return st;
}

static enum xpl_status do_purges(struct xpl_retention *r, struct xpl_error *err)
{
    enum xpl_status st;
    bool idle = false;

    while (!(st = purge_step(r, &idle, err)) && !idle)
        ;
    return st;
}

/* ---- a round of retention: everything that is to go at this moment ---- */

struct round {
    struct xpl_retention *r;
    int64_t now, n_deleted, n_dropped;
};

static enum xpl_status delete_records(struct round *round, struct xpl_retention_step rule, struct xpl_error *err)
{
    struct step s = {.kind = STEP_RECORDS, .records = rule};
    enum xpl_status st;
    bool idle;

    do {
        if ((st = do_step(round->r, &s, err)) || (st = purge_step(round->r, &idle, err)))
            return st;
        round->n_deleted += s.records.n_deleted;
        atomic_fetch_add(&round->r->app->meters.retention_records, (uint64_t)s.records.n_deleted);
        s.records.after_seq = s.records.next_seq;
    } while (!s.records.done);
    return XPL_OK;
}

static enum xpl_status drop_pixels(struct round *round, const char *data_set_id, int64_t days, struct xpl_error *err)
{
    struct step s = {.kind = STEP_PIXELS,
                     .pixels = {.data_set_id = data_set_id, .older_than = round->now - days * DAY_US}};
    enum xpl_status st;
    bool idle;

    do {
        if ((st = do_step(round->r, &s, err)) || (st = purge_step(round->r, &idle, err)))
            return st;
        round->n_dropped += s.pixels.n_dropped;
    } while (!s.pixels.done);
    return XPL_OK;
}

/* Answers to requests with an Idempotency-Key. */
static enum xpl_status expire_keys(struct round *round, struct xpl_error *err)
{
    struct step s = {.kind = STEP_KEYS};
    enum xpl_status st;

    do
        st = do_step(round->r, &s, err);
    while (!st && s.n_keys > 0);
    return st;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a && (!b || a < b) ? a : b;
}

/* One data set by its subscription's rules, and by the setting for pixels. */
static enum xpl_status apply_rules(struct round *round, const struct xpl_retention_rules *rules, struct xpl_error *err)
{
    int64_t pixel_days = sooner(rules->pixel_days, round->r->app->settings.retention_pixel_days);
    struct xpl_retention_step step = {.data_set_id = rules->data_set_id,
                                      .older_than = rules->days ? round->now - rules->days * DAY_US : 0,
                                      .keep_records = rules->records,
                                      .keep_bytes = rules->bytes};
    enum xpl_status st = XPL_OK;

    if (rules->days || rules->records || rules->bytes)
        st = delete_records(round, step, err);
    return st || !pixel_days ? st : drop_pixels(round, rules->data_set_id, pixel_days, err);
}

static enum xpl_status apply_all_rules(struct round *round, struct xpl_error *err)
{
    char after[64] = "";
    size_t n = XPL_RETENTION_RULES_PAGE;
    enum xpl_status st = XPL_OK;

    while (!st && n == XPL_RETENTION_RULES_PAGE) {
        struct xpl_arena *arena = xpl_arena_new(ARENA_BYTES);
        struct xpl_retention_rules *rules;

        if (!arena)
            return xpl_no_memory(err);
        st = xpl_retention_rules_list(round->r->db, arena, after, &rules, &n, err);
        for (size_t i = 0; !st && i < n; i++)
            st = apply_rules(round, &rules[i], err);
        if (!st && n > 0)
            snprintf(after, sizeof after, "%s", rules[n - 1].data_set_id);
        xpl_arena_free(arena);
    }
    return st;
}

static void log_round(const struct round *round, const struct xpl_error *err)
{
    char deleted[24], dropped[24];

    snprintf(deleted, sizeof deleted, "%lld", (long long)round->n_deleted);
    snprintf(dropped, sizeof dropped, "%lld", (long long)round->n_dropped);
    if (err->status && err->status != XPL_CANCELLED)
        xpl_log(XPL_LOG_ERROR, "retention failed", "message", err->message, NULL);
    else if (round->n_deleted > 0 || round->n_dropped > 0)
        xpl_log(XPL_LOG_INFO, "retention deleted records", "count", deleted, "pixels", dropped, NULL);
}

static void do_round(struct xpl_retention *r)
{
    const struct xpl_settings *settings = &r->app->settings;
    struct round round = {.r = r, .now = xpl_now_us()};
    struct xpl_retention_step all = {.used_bytes = settings->retention_bytes};
    struct xpl_error err = {0};
    enum xpl_status st = expire_keys(&round, &err);

    if (settings->retention_days > 0)
        all.older_than = round.now - settings->retention_days * DAY_US;
    if (!st && (all.older_than || all.used_bytes))
        st = delete_records(&round, all, &err);
    if (!st)
        apply_all_rules(&round, &err);
    log_round(&round, &err);
}

/* ---- the thread ---- */

static void *retention_main(void *arg)
{
    struct xpl_retention *r = arg;
    int64_t interval_us = r->app->settings.retention_interval_ms * 1000, next_us = 0, left_ms;

    do {
        struct xpl_error err = {0};

        if (do_purges(r, &err) && err.status != XPL_CANCELLED)
            xpl_log(XPL_LOG_ERROR, "purge failed", "message", err.message, NULL);
        if (xpl_monotonic_us() >= next_us) {
            do_round(r);
            next_us = xpl_monotonic_us() + interval_us;
        }
        left_ms = (sooner(next_us, r->events_us) - xpl_monotonic_us()) / 1000 + 1;
    } while (pause_for(r, left_ms > 0 ? left_ms : 1, true));
    return NULL;
}

static void wake(void *context)
{
    struct xpl_retention *r = context;

    pthread_mutex_lock(&r->lock);
    r->woken = true;
    pthread_cond_signal(&r->wakeup);
    pthread_mutex_unlock(&r->lock);
}

void xpl_retention_free(struct xpl_retention *r)
{
    if (!r)
        return;
    xpl_db_close(r->db);
    pthread_cond_destroy(&r->wakeup);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

enum xpl_status xpl_retention_start(struct xpl_app *app, const char *db_path, struct xpl_retention **ret,
                                    struct xpl_error *err)
{
    struct xpl_retention *r = calloc(1, sizeof *r);
    pthread_condattr_t monotonic;
    enum xpl_status st;

    if (!r)
        return xpl_no_memory(err);
    r->app = app;
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&r->wakeup, &monotonic);
    pthread_condattr_destroy(&monotonic);
    st = xpl_db_open(db_path, XPL_DB_READER, &r->db, err);
    if (!st && pthread_create(&r->thread, NULL, retention_main, r) != 0)
        st = xpl_fail(err, XPL_NO_MEMORY, "the retention thread cannot be started");
    if (st) {
        xpl_retention_free(r);
        return st;
    }
    app->upkeep = (struct xpl_upkeep_hooks){r, wake};
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
}
