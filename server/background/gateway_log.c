/* SPDX-License-Identifier: Apache-2.0 */
#include "server/background/gateway_log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "api/call.h"
#include "api/records/record_batch.h"
#include "db/writer.h"
#include "lib/base/log.h"
#include "lib/scoring/requests/raw_body.h"
#include "lib/scoring/transport/forward.h"
#include "server/background/gateway_unpack.h"

#define ARENA_BYTES ((size_t)256 << 20)
#define GROUP_MAX   64 /* transactions in a write */
#define GATHER_NS   10000000
#define NICENESS    10

/* A transaction that waits; its texts stand behind it. */
struct entry {
    struct entry *next;
    struct xpl_scored scored;
    size_t bytes;
    char texts[];
};

struct xpl_gateway_log {
    struct xpl_app *app;
    struct xpl_db *db;
    pthread_mutex_t lock;
    pthread_cond_t wakeup;
    struct entry *first, *last;
    size_t bytes, max_bytes; /* of what waits, and of the answers that are still to be logged */
    bool stopping, started;
    pthread_t thread;
};

/* ---- handing over ---- */

static char *put_text(char **at, const char *text, size_t length)
{
    char *start = *at;

    memcpy(start, text, length);
    start[length] = '\0';
    *at += length + 1;
    return start;
}

static char *put_string(char **at, const char *string)
{
    return string ? put_text(at, string, strlen(string)) : NULL;
}

static size_t size_of(const char *string)
{
    return string ? strlen(string) + 1 : 0;
}

static struct entry *copy_of(const struct xpl_scored *s)
{
    size_t bytes = size_of(s->data_mart_id) + size_of(s->subscription_id) + size_of(s->user) +
                   size_of(s->transaction_id) + size_of(s->request_type) + size_of(s->request_head) +
                   size_of(s->response_head) + size_of(s->request_encoding) + size_of(s->response_encoding) +
                   s->request.length + s->response.length + 2;
    struct entry *entry = malloc(sizeof *entry + bytes);
    char *at;

    if (!entry)
        return NULL;
    at = entry->texts;
    *entry = (struct entry){.scored = *s, .bytes = sizeof *entry + bytes};
    entry->scored.data_mart_id = put_string(&at, s->data_mart_id);
    entry->scored.subscription_id = put_string(&at, s->subscription_id);
    entry->scored.user = put_string(&at, s->user);
    entry->scored.transaction_id = put_string(&at, s->transaction_id);
    entry->scored.request_type = put_string(&at, s->request_type);
    entry->scored.request_head = put_string(&at, s->request_head);
    entry->scored.response_head = put_string(&at, s->response_head);
    entry->scored.request_encoding = put_string(&at, s->request_encoding);
    entry->scored.response_encoding = put_string(&at, s->response_encoding);
    entry->scored.request.ptr = put_text(&at, s->request.ptr ? s->request.ptr : "", s->request.length);
    entry->scored.response.ptr = put_text(&at, s->response.ptr ? s->response.ptr : "", s->response.length);
    return entry;
}

static void not_logged(struct xpl_gateway_log *log, const struct xpl_scored *scored, const char *why)
{
    xpl_count(&log->app->meters.gateway_unlogged);
    xpl_log(XPL_LOG_WARN, "scored but not logged", "transaction", scored->transaction_id, "subscription",
            scored->subscription_id, "message", why, NULL);
}

static bool reserve(void *context, size_t bytes)
{
    struct xpl_gateway_log *log = context;
    bool room;

    pthread_mutex_lock(&log->lock);
    room = log->bytes + bytes <= log->max_bytes;
    log->bytes += room ? bytes : 0;
    pthread_mutex_unlock(&log->lock);
    return room;
}

static void release(void *context, size_t bytes)
{
    struct xpl_gateway_log *log = context;

    pthread_mutex_lock(&log->lock);
    log->bytes -= bytes;
    pthread_mutex_unlock(&log->lock);
}

static void hand_over(void *context, const struct xpl_scored *scored)
{
    struct xpl_gateway_log *log = context;
    struct entry *entry = scored->why_not ? NULL : copy_of(scored);
    bool room;

    if (!entry) {
        not_logged(log, scored, scored->why_not ? scored->why_not : "out of memory");
        return;
    }
    pthread_mutex_lock(&log->lock);
    room = !log->stopping && log->bytes + entry->bytes <= log->max_bytes;
    if (room) {
        log->bytes += entry->bytes;
        if (log->last)
            log->last->next = entry;
        else
            log->first = entry;
        log->last = entry;
        pthread_cond_signal(&log->wakeup);
    }
    pthread_mutex_unlock(&log->lock);
    if (room)
        return;
    not_logged(log, scored, "too many transactions wait to be logged (gateway.log_bytes)");
    free(entry);
}

/* ---- logging ---- */

/* One transaction on its way into the database; as if a client had posted it. */
struct logging {
    struct entry *entry;
    struct xpl_call call;
    struct xpl_record_batch batch;
    struct xpl_write write;
    struct xpl_unpacked plain;
};

/* What is unpacked counts as well: a few bytes may become many, and those of a group are there at the same time. */
static enum xpl_status unpack(struct xpl_gateway_log *log, struct logging *l, struct xpl_error *err)
{
    enum xpl_status st = xpl_gateway_unpack(&log->app->settings, &l->entry->scored, &l->plain, err);
    size_t bytes = xpl_unpacked_bytes(&l->plain);

    if (!st && !reserve(log, bytes)) {
        xpl_unpacked_release(&l->plain);
        return xpl_fail(err, XPL_OVERLOADED, "unpacked, too much waits to be logged (gateway.log_bytes)");
    }
    l->entry->bytes += st ? 0 : bytes;
    return st;
}

static enum xpl_status prepare(struct xpl_gateway_log *log, struct logging *l, struct xpl_error *err)
{
    const struct xpl_scored *s = &l->entry->scored;
    struct xpl_raw_body request = {.head_length = s->request_head, .type = s->request_type};
    struct xpl_raw_body response = {.head_length = s->response_head, .is_answer = true};
    struct xpl_transaction transaction = {.scoring_id = s->transaction_id,
                                          .scoring_timestamp = s->scored_at,
                                          .has_response_time = true,
                                          .response_time = s->response_time_ms};
    enum xpl_status st;

    l->call = (struct xpl_call){.app = log->app,
                                .arena = xpl_arena_new(ARENA_BYTES),
                                .db = log->db,
                                .data_mart_id = s->data_mart_id,
                                .user = s->user};
    if (!l->call.arena)
        return xpl_no_memory(err);
    xpl_call_remember(&l->call);
    if ((st = unpack(log, l, err)))
        return st;
    request.bytes = s->request;
    response.bytes = s->response;
    if ((st = xpl_record_batch_of_subscription(&l->call, s->subscription_id, &l->batch, err)) ||
        (st = xpl_raw_body_as_json(l->call.arena, &request, &transaction.request, err)) ||
        (st = xpl_raw_body_as_json(l->call.arena, &response, &transaction.response, err)))
        return st;
    return xpl_record_batch_prepare(&l->call, &l->batch, &transaction, 1, err);
}

static enum xpl_status run_write(struct xpl_db *db, void *arg, struct xpl_error *err)
{
    struct logging *l = arg;
    const char *request_id;

    return xpl_record_batch_store(db, &l->call, &l->batch, &request_id, err);
}

struct group {
    pthread_mutex_t lock;
    pthread_cond_t done;
    size_t n_open;
    struct xpl_gateway_log *log;
    struct logging members[GROUP_MAX];
};

/* The writer's: only counts. */
static void on_written(void *arg, enum xpl_status status, const struct xpl_error *err)
{
    struct logging *l = arg;
    struct group *group = l->call.write_arg;

    if (status)
        not_logged(group->log, &l->entry->scored, err->message);
    else
        xpl_count(&group->log->app->meters.gateway_logged);
    pthread_mutex_lock(&group->lock);
    group->n_open--;
    pthread_cond_signal(&group->done);
    pthread_mutex_unlock(&group->lock);
}

static void begin(struct group *group, struct logging *l)
{
    struct xpl_error err = {0};
    enum xpl_status st = prepare(group->log, l, &err);

    if (!st) {
        l->call.write_arg = group;
        l->write = (struct xpl_write){.run = run_write, .done = on_written, .arg = l, .bytes = l->entry->bytes};
        pthread_mutex_lock(&group->lock);
        group->n_open++;
        pthread_mutex_unlock(&group->lock);
        if ((st = xpl_writer_submit(group->log->app->writer, &l->write, &err))) {
            pthread_mutex_lock(&group->lock);
            group->n_open--;
            pthread_mutex_unlock(&group->lock);
        }
    }
    if (st)
        not_logged(group->log, &l->entry->scored, err.message);
}

static void finish(struct xpl_gateway_log *log, struct group *group, size_t n)
{
    size_t bytes = 0;

    pthread_mutex_lock(&group->lock);
    while (group->n_open > 0)
        pthread_cond_wait(&group->done, &group->lock);
    pthread_mutex_unlock(&group->lock);
    for (size_t i = 0; i < n; i++) {
        bytes += group->members[i].entry->bytes;
        xpl_arena_free(group->members[i].call.arena);
        xpl_unpacked_release(&group->members[i].plain);
        free(group->members[i].entry);
    }
    release(log, bytes);
}

/* What comes within a moment shares a write, and does not wake us again. Called with the lock held. */
static void gather(struct xpl_gateway_log *log)
{
    const struct timespec moment = {.tv_nsec = GATHER_NS};

    pthread_mutex_unlock(&log->lock);
    nanosleep(&moment, NULL);
    pthread_mutex_lock(&log->lock);
}

/* Everything that waits, up to a group; 0 when there is nothing more and the end was asked for. */
static size_t take(struct xpl_gateway_log *log, struct group *group)
{
    size_t n = 0;

    pthread_mutex_lock(&log->lock);
    while (!log->first && !log->stopping)
        pthread_cond_wait(&log->wakeup, &log->lock);
    if (!log->stopping)
        gather(log);
    for (; log->first && n < GROUP_MAX; n++) {
        group->members[n] = (struct logging){.entry = log->first};
        log->first = log->first->next;
    }
    if (!log->first)
        log->last = NULL;
    pthread_mutex_unlock(&log->lock);
    return n;
}

/* Reading and storing a transaction takes longer than passing it on: it is done when scoring leaves time for it. */
static void stand_back(void)
{
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS); /* of this thread, on Linux */
}

static void *log_main(void *arg)
{
    struct xpl_gateway_log *log = arg;
    struct group *group = calloc(1, sizeof *group);
    size_t n;

    if (!group)
        return NULL;
    stand_back();
    group->log = log;
    pthread_mutex_init(&group->lock, NULL);
    pthread_cond_init(&group->done, NULL);
    while ((n = take(log, group)) > 0) {
        for (size_t i = 0; i < n; i++)
            begin(group, &group->members[i]);
        finish(log, group, n);
    }
    pthread_cond_destroy(&group->done);
    pthread_mutex_destroy(&group->lock);
    free(group);
    return NULL;
}

/* ---- start and stop ---- */

enum xpl_status xpl_gateway_log_start(struct xpl_app *app, const char *db_path, struct xpl_gateway_log **ret,
                                      struct xpl_error *err)
{
    struct xpl_gateway_log *log = calloc(1, sizeof *log);
    enum xpl_status st;

    if (!log)
        return xpl_no_memory(err);
    *ret = log;
    log->app = app;
    log->max_bytes = (size_t)app->settings.gateway_log_bytes;
    pthread_mutex_init(&log->lock, NULL);
    pthread_cond_init(&log->wakeup, NULL);
    if ((st = xpl_db_open(db_path, XPL_DB_READER, &log->db, err)) ||
        (st = xpl_forwarder_new(&app->gateway.forwarder, err)))
        return st;
    app->gateway.context = log;
    app->gateway.log = hand_over;
    app->gateway.reserve = reserve;
    app->gateway.release = release;
    if (pthread_create(&log->thread, NULL, log_main, log) != 0)
        return xpl_fail(err, XPL_NO_MEMORY, "the gateway's thread cannot be started");
    log->started = true;
    return XPL_OK;
}

void xpl_gateway_log_stop(struct xpl_gateway_log *log)
{
    if (!log)
        return;
    pthread_mutex_lock(&log->lock);
    log->stopping = true;
    pthread_cond_signal(&log->wakeup);
    pthread_mutex_unlock(&log->lock);
    if (log->started)
        pthread_join(log->thread, NULL);
    xpl_forwarder_free(log->app->gateway.forwarder);
    xpl_db_close(log->db);
    pthread_cond_destroy(&log->wakeup);
    pthread_mutex_destroy(&log->lock);
    free(log);
}
