/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pieces of an answer that is streamed as there is news. They are made on the HTTP thread; when there is nothing to
 * send the connection is suspended until there is news, or a second has passed. Such a stream holds no thread.
 */
#include "lib/base/time.h"
#include "server/http/http_request.h"

#define LOOK_EVERY_US 1000000
#define SCRATCH_BYTES ((size_t)4 << 20)

enum xpl_status xpl_http_news_begin(struct xpl_http_request *r, struct xpl_error *err)
{
    r->stream.entered = xpl_streams_enter(r->shared->streams);
    r->stream.until_us = xpl_monotonic_us() + r->call.app->settings.http_stream_timeout_ms * 1000;
    if (r->stream.entered)
        return XPL_OK;
    return xpl_fail(err, XPL_OVERLOADED, "there are %lld streams of events already, the limit (http.streams)",
                    (long long)r->call.app->settings.http_streams);
}

static struct xpl_http_request *request_of_waiter(struct xpl_waiter *waiter)
{
    return (struct xpl_http_request *)(void *)((char *)waiter - offsetof(struct xpl_http_request, waiter));
}

static void on_wake(struct xpl_waiter *waiter, enum xpl_woken why)
{
    struct xpl_http_request *r = request_of_waiter(waiter);

    if (why == XPL_WOKEN_GONE)
        r->stream.state = XPL_STREAM_BREAKS;
    else if (why == XPL_WOKEN_STOP)
        r->stream.state = XPL_STREAM_ENDS;
    MHD_resume_connection(r->head.connection);
}

/* Suspends first: it may be woken before the wait has begun here. */
static void wait_for_news(struct xpl_http_request *r, uint64_t news)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->head.connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    enum xpl_wait begun;

    r->stream.subject = r->call.stream.subject;
    r->waiter = (struct xpl_waiter){.task_ids = &r->stream.subject,
                                    .n_tasks = 1,
                                    .until_us = xpl_monotonic_us() + LOOK_EVERY_US,
                                    .fd = info ? info->connect_fd : -1,
                                    .wake = on_wake};
    xpl_http_request_enter(r, XPL_PHASE_WORK);
    MHD_suspend_connection(r->head.connection);
    begun = xpl_streams_wait(r->shared->streams, &r->waiter, news);
    if (begun == XPL_WAIT_BEGUN)
        return;
    if (begun == XPL_WAIT_REFUSED) /* the process stops */
        r->stream.state = XPL_STREAM_ENDS;
    MHD_resume_connection(r->head.connection);
}

static enum xpl_streaming make_piece(struct xpl_http_request *r)
{
    XPL_AUTO(xpl_arena) scratch = xpl_arena_new(SCRATCH_BYTES);
    struct xpl_call *call = &r->call;
    enum xpl_streaming state;

    if (!scratch || xpl_monotonic_us() >= r->stream.until_us)
        return XPL_STREAM_ENDS;
    call->db = r->db; /* the handler may have run with that of another thread */
    xpl_db_begin_read(call->db);
    state = call->stream.next(call, scratch, &call->out);
    xpl_db_end_read(call->db);
    return state;
}

/* What it looks at is about to go once the drain began. */
static enum xpl_streaming make_piece_or_end(struct xpl_http_request *r)
{
    enum xpl_streaming state = XPL_STREAM_ENDS;

    atomic_fetch_add(&r->shared->n_running, 1);
    if (!atomic_load(&r->shared->draining))
        state = make_piece(r);
    atomic_fetch_sub(&r->shared->n_running, 1);
    return state;
}

bool xpl_http_news_next(struct xpl_http_request *r)
{
    uint64_t news = xpl_streams_news(r->shared->streams);

    xpl_buf_clear(&r->call.out);
    r->stream.sent = 0;
    r->stream.state = make_piece_or_end(r);
    if (r->call.out.length > 0 || r->stream.state != XPL_STREAM_GOES_ON)
        return false;
    wait_for_news(r, news);
    return true;
}
