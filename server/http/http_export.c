/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists that are streamed. A part is made on an API thread while the connection is suspended, and the next one when the
 * client has taken it all: a stream never holds more than a part, and a client that is slow holds up nobody. The time
 * to take the answer counts for each part. How many there may be bounds the memory of all of them.
 */
#include <poll.h>
#include <string.h>

#include "server/http/http_request.h"

#define SCRATCH_BYTES ((size_t)128 << 20)

void xpl_http_export_begin(struct xpl_http_request *r)
{
    struct xpl_error err = {0};

    r->stream.exporting = true;
    if (atomic_fetch_add(&r->shared->n_exports, 1) < (size_t)r->call.app->settings.http_exports)
        return;
    xpl_fail(&err, XPL_OVERLOADED, "there are %lld lists being streamed already, the limit (http.exports); try again",
             (long long)r->call.app->settings.http_exports);
    xpl_reply_error(&r->call, &err);
}

/* On an API thread; the connection is suspended. */
static void make_part(struct xpl_pool_job *job, struct xpl_db *db)
{
    struct xpl_http_request *r =
        (struct xpl_http_request *)(void *)((char *)job - offsetof(struct xpl_http_request, job));
    struct xpl_arena *scratch = xpl_arena_new(SCRATCH_BYTES);

    xpl_buf_clear(&r->call.out);
    r->stream.sent = 0;
    r->stream.made = true;
    r->call.db = db;
    r->stream.state = scratch ? r->call.stream.next(&r->call, scratch, &r->call.out) : XPL_STREAM_BREAKS;
    xpl_arena_free(scratch);
    MHD_resume_connection(r->head.connection);
}

/* A peer's end shows when bytes are sent; while there are none to send, here. */
static bool client_is_gone(const struct xpl_http_request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->head.connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct pollfd socket = {.fd = info ? info->connect_fd : -1, .events = POLLRDHUP};

    return poll(&socket, 1, 0) > 0;
}

/* Suspended before it is handed over: the job may be done at once. */
static bool ask_for_part(struct xpl_http_request *r)
{
    struct xpl_error err = {0};

    if (atomic_load(&r->shared->draining) || (r->stream.made && client_is_gone(r)))
        return false;
    r->job = (struct xpl_pool_job){.run = make_part, .admitted = true};
    xpl_http_request_enter(r, XPL_PHASE_WORK);
    MHD_suspend_connection(r->head.connection);
    if (!xpl_api_pool_submit(r->shared->pool, &r->job, &err))
        return true;
    MHD_resume_connection(r->head.connection);
    r->stream.state = XPL_STREAM_BREAKS;
    return true;
}

static ssize_t send_some(struct xpl_http_request *r, char *room, size_t size)
{
    const struct xpl_buf *part = &r->call.out;
    size_t n = part->length - r->stream.sent < size ? part->length - r->stream.sent : size;

    if (r->stream.sent == 0)
        xpl_http_request_enter(r, XPL_PHASE_ANSWER);
    memcpy(room, part->data + r->stream.sent, n);
    r->stream.sent += n;
    return (ssize_t)n;
}

ssize_t xpl_http_export_read(void *arg, uint64_t position, char *room, size_t size)
{
    struct xpl_http_request *r = arg;
    bool asked;

    (void)position;
    if (r->stream.sent < r->call.out.length)
        return send_some(r, room, size);
    if (r->stream.state == XPL_STREAM_ENDS)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (r->stream.state == XPL_STREAM_BREAKS)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    atomic_fetch_add(&r->shared->n_running, 1);
    asked = ask_for_part(r);
    atomic_fetch_sub(&r->shared->n_running, 1);
    return asked ? 0 : MHD_CONTENT_READER_END_WITH_ERROR;
}
