/* SPDX-License-Identifier: Apache-2.0 */
#include "server/background/webhook_sender.h"

#include <pthread.h>
#include <stdlib.h>

#include "api/notifications/webhooks.h"
#include "lib/base/log.h"
#include "lib/base/time.h"
#include "lib/scoring/transport/forward.h"
#include "server/background/webhook_retry.h"

#define ARENA_BYTES      ((size_t)1 << 20)
#define MAX_ANSWER_BYTES ((size_t)64 << 10)
#define LOOK_EVERY_US    60000000 /* whatever happens */
#define FAILURE_WAIT_US  1000000  /* after something could not be read or stored */

struct sending {
    struct xpl_webhook_sender *all;
    pthread_t thread;
    struct xpl_db *db;
    const char *webhook_id; /* under `picking`; NULL = idle */
};

struct xpl_webhook_sender {
    struct xpl_app *app;
    struct xpl_forwarder *forwarder;
    atomic_bool stopping;
    pthread_mutex_t picking; /* two threads must not pick the same webhook */
    pthread_mutex_t lock;    /* never held for long: the writer takes it */
    pthread_cond_t wakeup;
    uint64_t wakeups;
    size_t n;
    struct sending sending[];
};

/* ---- waiting for something to send ---- */

static void wake_one(struct xpl_webhook_sender *all)
{
    pthread_mutex_lock(&all->lock);
    all->wakeups++;
    pthread_cond_signal(&all->wakeup);
    pthread_mutex_unlock(&all->lock);
}

/* On the writer: what was stored may be a delivery. */
static void on_stored(void *context, struct xpl_db *db)
{
    (void)db;
    wake_one(context);
}

static uint64_t wakeups_so_far(struct xpl_webhook_sender *all)
{
    uint64_t wakeups;

    pthread_mutex_lock(&all->lock);
    wakeups = all->wakeups;
    pthread_mutex_unlock(&all->lock);
    return wakeups;
}

static void wait_for_news(struct xpl_webhook_sender *all, uint64_t seen, int64_t until_us)
{
    struct timespec until = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};

    pthread_mutex_lock(&all->lock);
    while (!atomic_load(&all->stopping) && all->wakeups == seen)
        if (pthread_cond_timedwait(&all->wakeup, &all->lock, &until) != 0)
            break;
    pthread_mutex_unlock(&all->lock);
}

static size_t list_busy(const struct xpl_webhook_sender *all, const char *ret[XPL_MAX_BUSY_WEBHOOKS])
{
    size_t n = 0;

    for (size_t i = 0; i < all->n; i++)
        if (all->sending[i].webhook_id)
            ret[n++] = all->sending[i].webhook_id;
    return n;
}

/* Takes the delivery whose time has come; else false, and when to look again. */
static bool pick(struct sending *s, struct xpl_arena *arena, struct xpl_delivery *ret, int64_t *ret_look_at)
{
    const char *busy[XPL_MAX_BUSY_WEBHOOKS];
    struct xpl_error err = {0};
    int64_t now = xpl_now_us();
    enum xpl_status st;

    pthread_mutex_lock(&s->all->picking);
    st = xpl_delivery_next(s->db, arena, busy, list_busy(s->all, busy), ret, &err);
    if (!st && ret->next_at <= now)
        s->webhook_id = ret->webhook_id;
    pthread_mutex_unlock(&s->all->picking);
    if (st && st != XPL_NOT_FOUND)
        xpl_log(XPL_LOG_ERROR, "deliveries not readable", "message", err.message, NULL);
    *ret_look_at = now + (st && st != XPL_NOT_FOUND ? FAILURE_WAIT_US : LOOK_EVERY_US);
    if (!st && ret->next_at < *ret_look_at)
        *ret_look_at = ret->next_at;
    return s->webhook_id != NULL;
}

static void put_back(struct sending *s)
{
    pthread_mutex_lock(&s->all->picking);
    s->webhook_id = NULL;
    pthread_mutex_unlock(&s->all->picking);
}

/* ---- a delivery ---- */

struct outcome {
    const struct xpl_delivery *delivery;
    bool made, gone;
    int64_t next_at; /* of a failed one; 0 = dead */
    const char *reason;
};

static enum xpl_status run_outcome(struct xpl_db *db, void *arg, struct xpl_error *err)
{
    const struct outcome *o = arg;
    int64_t now = xpl_now_us();
    enum xpl_status st;

    if (o->made)
        return xpl_delivery_made(db, o->delivery->seq, err);
    if (o->gone && (st = xpl_webhook_disable(db, o->delivery->webhook_id, now, err)))
        return st;
    return xpl_delivery_failed(db, o->delivery->seq, now, o->next_at, o->reason, err);
}

static void tell(struct xpl_app_meters *meters, const struct outcome *o)
{
    if (o->made) {
        xpl_count(&meters->webhooks_delivered);
        return;
    }
    xpl_count(o->next_at ? &meters->webhooks_failed : &meters->webhooks_dead);
    xpl_log(XPL_LOG_WARN, o->next_at ? "webhook failed, to be tried again" : "webhook failed for good", "webhook",
            o->delivery->webhook_id, "delivery", o->delivery->id, "task", o->delivery->event.task_id, "reason",
            o->reason, NULL);
}

static bool is_stopping(void *context)
{
    struct xpl_webhook_sender *all = context;

    return atomic_load(&all->stopping);
}

static enum xpl_status send_message(struct xpl_webhook_sender *all, const struct xpl_webhook_message *message,
                                    struct xpl_forward_answer *ret, struct xpl_error *err)
{
    const struct xpl_settings *settings = &all->app->settings;
    const struct xpl_endpoint endpoint = {.url = message->url,
                                          .headers = message->headers,
                                          .n_headers = XPL_WEBHOOK_HEADERS,
                                          .policy = all->app->scoring_policy};
    const struct xpl_call_options options = {.connect_timeout_ms = (uint32_t)settings->webhooks_timeout_ms,
                                             .call_timeout_ms = (uint32_t)settings->webhooks_timeout_ms,
                                             .max_answer_bytes = MAX_ANSWER_BYTES};
    const struct xpl_forward_call call = {.endpoint = &endpoint,
                                          .options = &options,
                                          .content_type = "application/json",
                                          .accept = "*/*",
                                          .body = xpl_text_of(message->body),
                                          .given_up = is_stopping,
                                          .context = all};

    return xpl_forward(all->forwarder, &call, ret, err);
}

/* False when nothing is known of what came of it: the process stops. */
static bool try(struct sending *s, struct xpl_arena *arena, struct outcome *o)
{
    const struct xpl_app *app = s->all->app;
    struct xpl_forward_answer answer = {0};
    struct xpl_webhook_message message;
    struct xpl_error err = {0};
    enum xpl_status st = xpl_webhook_message_make(app, s->db, arena, o->delivery, xpl_now_us(), &message, &err);

    if (!st)
        st = send_message(s->all, &message, &answer, &err);
    xpl_buf_release(&answer.body);
    o->made = !st && answer.status >= 200 && answer.status < 300;
    o->gone = !st && answer.status == 410;
    o->reason = xpl_webhook_reason(arena, st, answer.status);
    if (!o->gone)
        o->next_at =
            xpl_webhook_retry_at(&app->settings, o->delivery->attempts + 1, xpl_now_us(), answer.retry_after_ms);
    return st != XPL_CANCELLED;
}

/* False when it could not be stored: it will be made again, but not at once. */
static bool deliver(struct sending *s, struct xpl_arena *arena, const struct xpl_delivery *delivery)
{
    struct outcome outcome = {.delivery = delivery};
    struct xpl_app *app = s->all->app;
    struct xpl_error err = {0};

    if (!try(s, arena, &outcome))
        return true;
    if (xpl_writer_run(app->writer, run_outcome, &outcome, 256, &err)) {
        xpl_log(XPL_LOG_ERROR, "delivery not stored", "delivery", delivery->id, "message", err.message, NULL);
        return false;
    }
    tell(&app->meters, &outcome);
    return true;
}

static void *sender_main(void *arg)
{
    struct sending *s = arg;

    while (!atomic_load(&s->all->stopping)) {
        XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);
        uint64_t seen = wakeups_so_far(s->all);
        int64_t look_at = xpl_now_us() + FAILURE_WAIT_US;
        struct xpl_delivery delivery;
        bool stored;

        if (!arena || !pick(s, arena, &delivery, &look_at)) {
            wait_for_news(s->all, seen, look_at);
            continue;
        }
        wake_one(s->all); /* what was stored may be more than one, and this one may take its time */
        stored = deliver(s, arena, &delivery);
        put_back(s);
        if (!stored)
            wait_for_news(s->all, wakeups_so_far(s->all), xpl_now_us() + FAILURE_WAIT_US);
    }
    return NULL;
}

/* ---- start and stop ---- */

static enum xpl_status start_one(struct xpl_webhook_sender *all, const char *db_path, struct xpl_error *err)
{
    struct sending *s = &all->sending[all->n];
    enum xpl_status st = xpl_db_open(db_path, XPL_DB_READER, &s->db, err);

    if (st)
        return st;
    s->all = all;
    if (pthread_create(&s->thread, NULL, sender_main, s) != 0) {
        xpl_db_close(s->db);
        return xpl_fail(err, XPL_NO_MEMORY, "a thread for webhooks cannot be started");
    }
    pthread_mutex_lock(&all->picking);
    all->n++;
    pthread_mutex_unlock(&all->picking);
    return XPL_OK;
}

enum xpl_status xpl_webhook_sender_start(struct xpl_app *app, const char *db_path, struct xpl_webhook_sender **ret,
                                         struct xpl_error *err)
{
    size_t wanted = (size_t)app->settings.webhooks_threads;
    struct xpl_webhook_sender *all;
    enum xpl_status st;

    if (wanted == 0)
        return XPL_OK;
    if (!(all = calloc(1, sizeof *all + wanted * sizeof *all->sending)))
        return xpl_no_memory(err);
    *ret = all;
    all->app = app;
    pthread_mutex_init(&all->picking, NULL);
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->wakeup, NULL);
    st = xpl_forwarder_new(&all->forwarder, err);
    while (!st && all->n < wanted)
        st = start_one(all, db_path, err);
    if (!st)
        st = xpl_writer_tell(app->writer, on_stored, all, err);
    return st;
}

void xpl_webhook_sender_stop(struct xpl_webhook_sender *all)
{
    if (!all)
        return;
    pthread_mutex_lock(&all->lock);
    atomic_store(&all->stopping, true);
    pthread_cond_broadcast(&all->wakeup);
    pthread_mutex_unlock(&all->lock);
    for (size_t i = 0; i < all->n; i++) {
        pthread_join(all->sending[i].thread, NULL);
        xpl_db_close(all->sending[i].db);
    }
    all->n = 0;
}

void xpl_webhook_sender_free(struct xpl_webhook_sender *all)
{
    if (!all)
        return;
    xpl_forwarder_free(all->forwarder);
    pthread_cond_destroy(&all->wakeup);
    pthread_mutex_destroy(&all->lock);
    pthread_mutex_destroy(&all->picking);
    free(all);
}
