/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer that is streamed as there is news (lists that are streamed: http_export.c). Whatever the client took last,
 * the next piece is made when microhttpd asks for it, on its thread; when there is nothing to send the connection is
 * suspended until there is news, or a second has passed. A stream holds the piece that is leaving, and no thread.
 */
#include <string.h>

#include "lib/base/time.h"
#include "server/http/http_request.h"

#define LOOK_EVERY_US 1000000
#define SCRATCH_BYTES ((size_t)4 << 20)
#define BLOCK_BYTES   ((size_t)4 << 10)

static struct xpl_http_request *request_of_waiter(struct xpl_waiter *waiter)
{
    return (struct xpl_http_request *)(void *)((char *)waiter - offsetof(struct xpl_http_request, waiter));
}

static void on_wake(struct xpl_waiter *waiter, enum xpl_woken why)
{
    struct xpl_http_request *r = request_of_waiter(waiter);

    r->stream.gone = why == XPL_WOKEN_GONE;
    r->stream.over |= why == XPL_WOKEN_STOP;
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
    r->stream.over |= begun == XPL_WAIT_REFUSED; /* the process stops */
    MHD_resume_connection(r->head.connection);
}

/* Makes the next piece. */
static void make_piece(struct xpl_http_request *r)
{
    XPL_AUTO(xpl_arena) scratch = xpl_arena_new(SCRATCH_BYTES);
    struct xpl_call *call = &r->call;

    xpl_buf_clear(&call->out);
    r->stream.sent = 0;
    if (!scratch || xpl_monotonic_us() >= r->stream.until_us)
        r->stream.over = true;
    if (r->stream.over)
        return;
    call->db = r->db; /* the handler may have run with that of another thread */
    xpl_db_begin_read(call->db);
    r->stream.over = call->stream.next(call, scratch, &call->out) != XPL_STREAM_GOES_ON;
    xpl_db_end_read(call->db);
}

static ssize_t read_stream(void *arg, uint64_t position, char *out, size_t max)
{
    struct xpl_http_request *r = arg;
    const struct xpl_buf *piece = &r->call.out;
    uint64_t news = xpl_streams_news(r->shared->streams);
    size_t n;

    (void)position;
    if (r->stream.gone)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (r->stream.sent == piece->length)
        make_piece(r);
    n = piece->length - r->stream.sent;
    if (n == 0 && r->stream.over)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (n == 0) {
        wait_for_news(r, news);
        return 0;
    }
    if (n > max)
        n = max;
    memcpy(out, piece->data + r->stream.sent, n);
    r->stream.sent += n;
    xpl_http_request_enter(r, XPL_PHASE_ANSWER);
    return (ssize_t)n;
}

void xpl_http_stream_begin(struct xpl_http_request *r)
{
    struct xpl_error err = {0};

    if (!r->call.stream.next)
        return;
    if (!r->call.stream.subject) {
        xpl_http_export_begin(r);
        return;
    }
    r->stream.entered = xpl_streams_enter(r->shared->streams);
    r->stream.until_us = xpl_monotonic_us() + r->call.app->settings.http_stream_timeout_ms * 1000;
    if (r->stream.entered)
        return;
    xpl_fail(&err, XPL_OVERLOADED, "there are %lld streams of events already, the limit (http.streams)",
             (long long)r->call.app->settings.http_streams);
    xpl_reply_error(&r->call, &err);
}

void xpl_http_stream_end(struct xpl_http_request *r)
{
    if (r->stream.exporting)
        atomic_fetch_sub(&r->shared->n_exports, 1);
    if (r->stream.entered)
        xpl_streams_leave(r->shared->streams);
}

struct MHD_Response *xpl_http_stream_response(struct xpl_http_request *r)
{
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES,
                                             r->stream.exporting ? xpl_http_export_read : read_stream, r, NULL);
}
