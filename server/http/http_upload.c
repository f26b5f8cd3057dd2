/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A body that is passed on while it comes. Whenever a part of it is there that is worth it, the connection is suspended
 * and an API thread passes on what there is; then more is taken. So it is one thread's at any time, and a model that
 * takes its time holds up the client.
 */
#include "api/handlers.h"
#include "lib/base/text.h"
#include "server/http/http_request.h"

#define PART_BYTES ((size_t)128 << 10) /* shorter bodies are passed on when they are there */

static void resume(struct xpl_http_request *r)
{
    xpl_http_request_enter(r, XPL_PHASE_BODY);
    atomic_store(&r->state, XPL_REQUEST_BODY);
    MHD_resume_connection(r->head.connection);
}

/* What the rest of the body is thrown away for. */
static void refuse(struct xpl_http_request *r, const struct xpl_error *err)
{
    xpl_http_request_answer_early(r, err);
    resume(r);
}

static void pass_on(struct xpl_pool_job *job, struct xpl_db *db)
{
    struct xpl_http_request *r =
        (struct xpl_http_request *)(void *)((char *)job - offsetof(struct xpl_http_request, job));
    struct xpl_error err = {0};

    r->call.db = db;
    if (atomic_load(&r->shared->draining))
        xpl_fail(&err, XPL_OVERLOADED, "the daemon is shutting down");
    else
        xpl_predictions_part(&r->call, r->call.body.max, &err);
    if (err.status)
        refuse(r, &err);
    else
        resume(r);
}

/* Suspended before it is handed over: the job may be done at once. */
static void hand_over(struct xpl_http_request *r)
{
    struct xpl_error err = {0};

    r->job = (struct xpl_pool_job){.run = pass_on, .admitted = r->passed_on > 0};
    r->passed_on = r->call.body.length;
    xpl_http_request_enter(r, XPL_PHASE_WORK);
    atomic_store(&r->state, XPL_REQUEST_SUSPENDED);
    MHD_suspend_connection(r->head.connection);
    if (xpl_api_pool_submit(xpl_http_pool_of(r), &r->job, &err))
        refuse(r, &err);
}

/* The buffer has room for exactly what the head says that comes, or for the longest body. */
static bool is_worth_it(const struct xpl_http_request *r)
{
    const struct xpl_buf *body = &r->call.body;

    return !r->answer_known && body->length - r->passed_on >= PART_BYTES && body->length < body->max &&
           xpl_call_passes_parts(&r->call);
}

void xpl_http_upload_next(struct xpl_http_request *r)
{
    if (!is_worth_it(r))
        return;
    atomic_fetch_add(&r->shared->n_running, 1);
    if (!atomic_load(&r->shared->draining))
        hand_over(r);
    atomic_fetch_sub(&r->shared->n_running, 1);
}
