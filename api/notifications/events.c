/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server-sent events: what happens to one explanation, or to all of a subscription.
 *
 * A stream is read off the log of events in the database, from the number the client names in Last-Event-ID: whoever
 * made the explanation, and whether the client or the daemon was away meanwhile, makes no difference. Progress is not
 * in the log; it is shown without a number.
 */
#include <string.h>

#include "api/configuration/resource.h"
#include "api/explanations/explanation_tasks.h"
#include "api/handlers.h"
#include "api/json_text.h"
#include "api/notifications/event_view.h"
#include "db/task_events.h"
#include "lib/base/time.h"

#define EVENTS_AT_ONCE 16
#define PROGRESS_US    900000 /* streams are asked about once a second */
#define RECONNECT_MS   2000   /* how long a client is to wait before it comes again */
#define UNKNOWN        (-1)

struct feed {
    const char *id; /* of the task or subscription */
    int64_t last;   /* number of the last event that was sent, or need not be */
    bool said_last; /* the client named it */
    bool begun, ended;
    bool spoke;          /* an event of a task was sent */
    int64_t spoke_us;    /* when anything was sent; monotonic */
    int64_t progress_us; /* when progress was sent */
    size_t progress_done;
};

/* ---- writing ---- */

/* `seq` UNKNOWN: an event that the client cannot come back to. */
static void write_event(struct feed *feed, const char *name, int64_t seq, json_t *view, struct xpl_arena *scratch,
                        struct xpl_buf *out)
{
    const char *text = view ? xpl_json_text(scratch, view) : NULL;

    json_decref(view);
    if (seq != UNKNOWN)
        xpl_buf_printf(out, "id: %lld\n", (long long)seq);
    if (text)
        xpl_buf_printf(out, "event: %s\ndata: %s\n\n", name, text);
    else
        out->failed = true;
    feed->spoke_us = xpl_monotonic_us();
}

static bool progress_of(const struct xpl_call *call, const char *task_id, struct xpl_task_progress *ret)
{
    return call->app->workers.progress(call->app->workers.context, task_id, ret);
}

static void write_logged(struct xpl_call *call, struct feed *feed, const struct xpl_task_event *event,
                         struct xpl_arena *scratch, struct xpl_buf *out)
{
    struct xpl_task_progress progress;
    bool running = strcmp(event->state, "in_progress") == 0 && progress_of(call, event->task_id, &progress);

    write_event(feed, event->state, event->seq, xpl_event_view(event, running ? &progress : NULL), scratch, out);
    feed->last = event->seq;
    feed->spoke = true;
}

/* With the number of the newest event: a client that comes back later has missed nothing. */
static void write_heartbeat(const struct xpl_call *call, struct feed *feed, struct xpl_buf *out)
{
    int64_t now = xpl_monotonic_us();

    if (now - feed->spoke_us < call->app->settings.http_stream_heartbeat_ms * 1000)
        return;
    xpl_buf_printf(out, ": still here\nid: %lld\n\n", (long long)feed->last);
    feed->spoke_us = now;
}

static void begin(struct feed *feed, struct xpl_buf *out)
{
    feed->begun = true;
    feed->spoke_us = xpl_monotonic_us();
    xpl_buf_printf(out, "retry: %d\n\n", RECONNECT_MS);
}

/* A stream that cannot be read on ends; the client comes back to where it was. */
static enum xpl_streaming verdict(const struct feed *feed, enum xpl_status st, const struct xpl_buf *out)
{
    return st || out->failed || feed->ended ? XPL_STREAM_ENDS : XPL_STREAM_GOES_ON;
}

/* ---- of a task ---- */

static void write_progress(struct xpl_call *call, struct feed *feed, const struct xpl_task *task,
                           struct xpl_arena *scratch, struct xpl_buf *out)
{
    const struct xpl_task_event event = {.subscription_id = task->subscription_id,
                                         .task_id = task->id,
                                         .scoring_id = task->scoring_id,
                                         .state = "in_progress",
                                         .at = xpl_now_us()};
    int64_t now = xpl_monotonic_us();
    struct xpl_task_progress progress;

    if (now - feed->progress_us < PROGRESS_US || !progress_of(call, task->id, &progress) ||
        (feed->progress_us && progress.done == feed->progress_done))
        return;
    feed->progress_us = now;
    feed->progress_done = progress.done;
    write_event(feed, event.state, UNKNOWN, xpl_event_view(&event, &progress), scratch, out);
}

/* What a task that the log knows nothing of (it is older than what is kept) has come to. */
static void write_state(struct feed *feed, const struct xpl_task *task, struct xpl_arena *scratch, struct xpl_buf *out)
{
    static const char *const names[] = {"queued", "in_progress", "finished", "error"};
    const struct xpl_task_event event = {.subscription_id = task->subscription_id,
                                         .task_id = task->id,
                                         .scoring_id = task->scoring_id,
                                         .state = names[task->state],
                                         .error_code = task->error_code,
                                         .error_message = task->error_message,
                                         .at = task->updated_at ? task->updated_at : task->created_at};

    write_event(feed, event.state, feed->last, xpl_event_view(&event, NULL), scratch, out);
    feed->spoke = true;
    feed->ended = xpl_task_state_is_last(event.state);
}

/* Nothing of the task is new in the log. */
static enum xpl_status look_at_task(struct xpl_call *call, struct feed *feed, struct xpl_arena *scratch,
                                    struct xpl_buf *out, struct xpl_error *err)
{
    struct xpl_task task;
    enum xpl_status st = xpl_task_get(call->db, scratch, call->data_mart_id, feed->id, &task, err);

    if (st || (st = xpl_task_events_newest(call->db, &feed->last, err)))
        return st; /* it went without a trace, too: with its subscription */
    if (task.state == XPL_TASK_FINISHED || task.state == XPL_TASK_ERROR || !feed->spoke)
        write_state(feed, &task, scratch, out);
    else if (task.state == XPL_TASK_LEASED)
        write_progress(call, feed, &task, scratch, out);
    write_heartbeat(call, feed, out);
    return XPL_OK;
}

static enum xpl_streaming next_of_task(struct xpl_call *call, struct xpl_arena *scratch, struct xpl_buf *out)
{
    struct feed *feed = call->stream.arg;
    struct xpl_task_event *events;
    struct xpl_error err = {0};
    enum xpl_status st;
    size_t n;

    if (!feed->begun)
        begin(feed, out);
    st = xpl_task_events_of_task(call->db, scratch, feed->id, feed->last, EVENTS_AT_ONCE, &events, &n, &err);
    for (size_t i = 0; !st && i < n; i++) {
        write_logged(call, feed, &events[i], scratch, out);
        feed->ended = xpl_task_state_is_last(events[i].state);
    }
    if (!st && n == 0)
        st = look_at_task(call, feed, scratch, out, &err);
    return verdict(feed, st, out);
}

/* ---- of a subscription ---- */

/* A number from another database, or one that is too old: what happened since is not all there. */
static enum xpl_status begin_subscription(struct xpl_call *call, struct feed *feed, struct xpl_arena *scratch,
                                          struct xpl_buf *out, struct xpl_error *err)
{
    int64_t newest;
    enum xpl_status st = xpl_task_events_newest(call->db, &newest, err);

    if (st)
        return st;
    begin(feed, out);
    if (feed->said_last && (feed->last > newest || feed->last < newest - XPL_TASK_EVENTS_KEPT))
        write_event(feed, "missed", UNKNOWN, json_pack("{s:s}", "subscription_id", feed->id), scratch, out);
    if (!feed->said_last || feed->last > newest)
        feed->last = newest;
    xpl_buf_printf(out, "id: %lld\n\n", (long long)feed->last);
    return XPL_OK;
}

static enum xpl_status look_at_subscription(struct xpl_call *call, struct feed *feed, struct xpl_arena *scratch,
                                            struct xpl_buf *out, struct xpl_error *err)
{
    struct xpl_resource subscription;
    enum xpl_status st = xpl_task_events_newest(call->db, &feed->last, err);

    if (!st)
        st = xpl_resource_get(call->db, scratch, &xpl_kind_subscription, call->data_mart_id, feed->id, &subscription,
                              err);
    if (!st)
        write_heartbeat(call, feed, out);
    return st; /* its end is that of the stream */
}

static enum xpl_streaming next_of_subscription(struct xpl_call *call, struct xpl_arena *scratch, struct xpl_buf *out)
{
    struct feed *feed = call->stream.arg;
    struct xpl_task_event *events;
    struct xpl_error err = {0};
    enum xpl_status st = XPL_OK;
    size_t n;

    if (!feed->begun)
        st = begin_subscription(call, feed, scratch, out, &err);
    if (!st)
        st =
            xpl_task_events_of_subscription(call->db, scratch, feed->id, feed->last, EVENTS_AT_ONCE, &events, &n, &err);
    for (size_t i = 0; !st && i < n; i++)
        write_logged(call, feed, &events[i], scratch, out);
    if (!st && n == 0)
        st = look_at_subscription(call, feed, scratch, out, &err);
    return verdict(feed, st, out);
}

/* ---- asking for one ---- */

static enum xpl_status make_feed(struct xpl_call *call, struct feed **ret, struct xpl_error *err)
{
    const char *last = xpl_call_header(call, "Last-Event-ID");
    struct feed *feed = XPL_NEW(call->arena, struct feed);

    if (!feed)
        return xpl_no_memory(err);
    *feed = (struct feed){.id = call->path_params[0], .said_last = last && *last};
    if (feed->said_last && !xpl_parse_int(last, 0, INT64_MAX, &feed->last))
        return xpl_fail_field(err, XPL_BAD_FIELD, "Last-Event-ID", "\"%.40s\" is not an id of an event", last);
    *ret = feed;
    return XPL_OK;
}

static enum xpl_answered reply(struct xpl_call *call, struct feed *feed,
                               enum xpl_streaming (*next)(struct xpl_call *, struct xpl_arena *, struct xpl_buf *))
{
    xpl_reply_header(call, "Cache-Control", "no-store");
    xpl_reply_header(call, "X-Accel-Buffering", "no"); /* proxies pass on what is there */
    return xpl_reply_stream(call, 200, "text/event-stream",
                            &(struct xpl_streamed){.next = next, .arg = feed, .subject = feed->id});
}

/* Whether the client knows how the task ended: it would come again and again to see it. */
static enum xpl_status knows_the_end(struct xpl_call *call, const struct feed *feed, const struct xpl_task *task,
                                     bool *ret, struct xpl_error *err)
{
    struct xpl_task_event *events;
    size_t n = 0;
    enum xpl_status st;

    *ret = false;
    if (!feed->said_last || task->state == XPL_TASK_QUEUED || task->state == XPL_TASK_LEASED)
        return XPL_OK;
    st = xpl_task_events_of_task(call->db, call->arena, feed->id, feed->last, 1, &events, &n, err);
    *ret = n == 0;
    return st;
}

enum xpl_answered xpl_explanation_task_events(struct xpl_call *call)
{
    struct xpl_error err = {0};
    struct xpl_task task;
    struct feed *feed;
    bool nothing_to_come;

    if (make_feed(call, &feed, &err) || xpl_task_find(call->db, call, &task, &err) ||
        knows_the_end(call, feed, &task, &nothing_to_come, &err))
        return xpl_reply_error(call, &err);
    feed->spoke = feed->said_last;
    if (nothing_to_come)
        return xpl_reply_bytes(call, 204, NULL, (struct xpl_text){"", 0});
    return reply(call, feed, next_of_task);
}

enum xpl_answered xpl_subscription_events(struct xpl_call *call)
{
    const char *id = call->path_params[0];
    struct xpl_resource subscription;
    struct xpl_error err = {0};
    struct feed *feed;

    if (make_feed(call, &feed, &err))
        return xpl_reply_error(call, &err);
    if (xpl_resource_get(call->db, call->arena, &xpl_kind_subscription, call->data_mart_id, id, &subscription, &err)) {
        if (err.status == XPL_NOT_FOUND)
            xpl_resource_missing("subscription", id, &err);
        return xpl_reply_error(call, &err);
    }
    return reply(call, feed, next_of_subscription);
}
