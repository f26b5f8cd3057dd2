/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pieces of an answer that is made as fast as it is taken: a long list, or what a model answers through the
 * gateway. A piece is made on an API thread while the connection is suspended. The time to take the answer counts for
 * each piece. How many lists there may be bounds the memory of all of them.
 */
#include "server/http/http_request.h"

#define SCRATCH_BYTES ((size_t)128 << 20)

enum xpl_status xpl_http_pieces_begin(struct xpl_http_request *r, struct xpl_error *err)
{
    long long max = (long long)r->call.app->settings.http_exports;

    r->stream.exporting = !xpl_call_scores(&r->call);
    if (!r->stream.exporting || (long long)atomic_fetch_add(&r->shared->n_exports, 1) < max)
        return XPL_OK;
    return xpl_fail(err, XPL_OVERLOADED,
                    "there are %lld lists being streamed already, the limit (http.exports); try again", max);
}

/* On an API thread; the connection is suspended. What waited for the thread until the drain began is not made. */
static void make_piece(struct xpl_pool_job *job, struct xpl_db *db)
{
    struct xpl_http_request *r =
        (struct xpl_http_request *)(void *)((char *)job - offsetof(struct xpl_http_request, job));
    struct xpl_arena *scratch = atomic_load(&r->shared->draining) ? NULL : xpl_arena_new(SCRATCH_BYTES);

    r->call.db = db;
    r->stream.state = scratch ? r->call.stream.next(&r->call, scratch, &r->call.out) : XPL_STREAM_BREAKS;
    xpl_arena_free(scratch);
    MHD_resume_connection(r->head.connection);
}

/* Suspended before it is handed over: the job may be done at once. */
static bool hand_over(struct xpl_http_request *r)
{
    struct xpl_error err = {0};

    r->job = (struct xpl_pool_job){.run = make_piece, .admitted = true};
    xpl_http_request_enter(r, XPL_PHASE_WORK);
    MHD_suspend_connection(r->head.connection);
    if (!xpl_api_pool_submit(xpl_http_pool_of(r), &r->job, &err))
        return true;
    r->stream.state = XPL_STREAM_BREAKS;
    MHD_resume_connection(r->head.connection);
    return true;
}

/* A peer's end shows when bytes are sent; while there are none to send, it is looked for. */
bool xpl_http_pieces_next(struct xpl_http_request *r)
{
    bool suspended = false;

    atomic_fetch_add(&r->shared->n_running, 1);
    if (atomic_load(&r->shared->draining)) {
        r->stream.state = XPL_STREAM_BREAKS;
    } else {
        xpl_buf_clear(&r->call.out);
        r->stream.sent = 0;
        r->stream.made = true;
        suspended = hand_over(r);
    }
    atomic_fetch_sub(&r->shared->n_running, 1);
    return suspended;
}
