/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/streams.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "db/task_events.h"
#include "lib/base/log.h"

#define EVENTS_AT_ONCE 256
#define ARENA_BYTES    ((size_t)4 << 20)

struct xpl_streams {
    struct xpl_waiting *waiting;
    size_t max;
    atomic_size_t n;
    int64_t last; /* event that was told; of the writer's thread, -1 before the first look */
};

static void tell(struct xpl_streams *s, const struct xpl_task_event *event)
{
    xpl_waiting_ended(s->waiting, event->task_id);
    xpl_waiting_ended(s->waiting, event->subscription_id);
    s->last = event->seq;
}

static enum xpl_status tell_new(struct xpl_streams *s, struct xpl_db *db, struct xpl_error *err)
{
    size_t n = EVENTS_AT_ONCE;
    enum xpl_status st = XPL_OK;

    while (!st && n == EVENTS_AT_ONCE) {
        XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);
        struct xpl_task_event *events;

        if (!arena)
            return xpl_no_memory(err);
        st = xpl_task_events_all(db, arena, s->last, EVENTS_AT_ONCE, &events, &n, err);
        for (size_t i = 0; !st && i < n; i++)
            tell(s, &events[i]);
    }
    return st;
}

/* On the writer. Nobody follows what was written before there were streams. */
static void on_stored(void *context, struct xpl_db *db)
{
    struct xpl_streams *s = context;
    struct xpl_error err = {0};
    int64_t newest;
    enum xpl_status st = xpl_task_events_newest(db, &newest, &err);

    if (st || newest == s->last)
        return;
    if (atomic_load(&s->n) == 0)
        s->last = newest;
    else if (tell_new(s, db, &err))
        xpl_log(XPL_LOG_ERROR, "events not told", "message", err.message, NULL);
}

enum xpl_status xpl_streams_start(struct xpl_writer *writer, size_t max, struct xpl_streams **ret,
                                  struct xpl_error *err)
{
    struct xpl_streams *s = calloc(1, sizeof *s);
    enum xpl_status st;

    if (!s)
        return xpl_no_memory(err);
    s->max = max;
    if ((st = xpl_waiting_start(max, &s->waiting, err))) {
        free(s);
        return st;
    }
    *ret = s;
    return xpl_writer_tell(writer, on_stored, s, err);
}

void xpl_streams_drain(struct xpl_streams *s)
{
    if (s)
        xpl_waiting_drain(s->waiting);
}

void xpl_streams_free(struct xpl_streams *s)
{
    if (!s)
        return;
    xpl_waiting_free(s->waiting);
    free(s);
}

bool xpl_streams_enter(struct xpl_streams *s)
{
    if (atomic_fetch_add(&s->n, 1) < s->max)
        return true;
    xpl_streams_leave(s);
    return false;
}

void xpl_streams_leave(struct xpl_streams *s)
{
    atomic_fetch_sub(&s->n, 1);
}

uint64_t xpl_streams_news(struct xpl_streams *s)
{
    return xpl_waiting_ends(s->waiting);
}

enum xpl_wait xpl_streams_wait(struct xpl_streams *s, struct xpl_waiter *waiter, uint64_t news)
{
    return xpl_waiting_add(s->waiting, waiter, news);
}
