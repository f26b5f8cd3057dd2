/* SPDX-License-Identifier: Apache-2.0 */
/* A complete request on its way through the threads: handler, API pool, writer, waiting for tasks. */
#include "api/routes.h"
#include "server/http/http_request.h"

static void resume_as(struct xpl_http_request *r, enum xpl_request_state state)
{
    atomic_store(&r->state, state);
    MHD_resume_connection(r->head.connection);
}

static void resume(struct xpl_http_request *r)
{
    resume_as(r, XPL_REQUEST_ANSWERED);
}

/* ---- waiting for tasks; the connection is suspended ---- */

static struct xpl_http_request *request_of_waiter(struct xpl_waiter *waiter)
{
    return (struct xpl_http_request *)(void *)((char *)waiter - offsetof(struct xpl_http_request, waiter));
}

/* The answer is made already, or the handler runs again. */
static void go_on(struct xpl_http_request *r)
{
    if (r->call.reply.http_status) {
        resume(r);
        return;
    }
    r->runs_again = true;
    atomic_fetch_add(&r->shared->n_running, 1);
    resume_as(r, XPL_REQUEST_BODY);
}

static void on_wake(struct xpl_waiter *waiter, enum xpl_woken why)
{
    struct xpl_http_request *r = request_of_waiter(waiter);

    r->call.wait_over = why != XPL_WOKEN_ENDED;
    go_on(r);
}

static enum xpl_wait begin_wait(struct xpl_http_request *r, uint64_t ends)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->head.connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    r->waiter = (struct xpl_waiter){.task_ids = r->call.awaited_tasks,
                                    .n_tasks = r->call.n_awaited_tasks,
                                    .until_us = r->call.wait_until_us,
                                    .fd = info ? info->connect_fd : -1,
                                    .wake = on_wake};
    return xpl_waiting_add(r->shared->waiting, &r->waiter, ends);
}

static void settle_wait(struct xpl_http_request *r, enum xpl_wait begun)
{
    if (begun == XPL_WAIT_BEGUN)
        return; /* it may be answered by now */
    r->call.wait_refused = begun == XPL_WAIT_REFUSED;
    go_on(r);
}

/* No task of this write can have ended yet: its end would be a later operation of this same thread. Those of others do
 * not matter. */
static void wait_for_new_tasks(struct xpl_http_request *r)
{
    enum xpl_wait begun;

    do
        begun = begin_wait(r, xpl_waiting_ends(r->shared->waiting));
    while (begun == XPL_WAIT_LOOK_AGAIN);
    settle_wait(r, begun);
}

/* ---- writing ---- */

static enum xpl_status run_write(struct xpl_db *db, void *arg, struct xpl_error *err)
{
    struct xpl_http_request *r = arg;

    return xpl_call_run_write(db, &r->call, err);
}

static void on_written(void *arg, enum xpl_status status, const struct xpl_error *err)
{
    struct xpl_http_request *r = arg;

    if (status)
        xpl_call_write_failed(&r->call, status, err);
    else
        xpl_call_written(&r->call);
    if (r->call.n_awaited_tasks > 0)
        wait_for_new_tasks(r);
    else
        resume(r);
}

/* Hands the call's write over; the connection is suspended already. */
static void submit_write(struct xpl_http_request *r)
{
    struct xpl_error err = {0};

    r->write = (struct xpl_write){.run = run_write, .done = on_written, .arg = r, .bytes = r->call.write_bytes};
    if (xpl_writer_submit(r->call.app->writer, &r->write, &err)) {
        xpl_reply_error(&r->call, &err);
        resume(r);
    }
}

/* What comes after the handler; the connection is suspended already. */
static void hand_on(struct xpl_http_request *r, enum xpl_answered answered, uint64_t ends)
{
    switch (answered) {
    case XPL_ANSWERED:
        resume(r);
        return;
    case XPL_ANSWERED_AFTER_COMMIT:
        submit_write(r);
        return;
    case XPL_ANSWERED_AFTER_TASKS:
        settle_wait(r, begin_wait(r, ends));
        return;
    }
}

static void suspend(struct xpl_http_request *r)
{
    atomic_store(&r->state, XPL_REQUEST_SUSPENDED);
    MHD_suspend_connection(r->head.connection);
}

static struct xpl_http_request *request_of(struct xpl_pool_job *job)
{
    return (struct xpl_http_request *)(void *)((char *)job - offsetof(struct xpl_http_request, job));
}

static void run_on_pool(struct xpl_pool_job *job, struct xpl_db *db)
{
    struct xpl_http_request *r = request_of(job);
    uint64_t ends = xpl_waiting_ends(r->shared->waiting);
    struct xpl_error err = {0};

    if (atomic_load(&r->shared->draining)) { /* what was not begun yet may take long */
        xpl_fail(&err, XPL_OVERLOADED, "the daemon is shutting down");
        xpl_reply_error(&r->call, &err);
        resume(r);
        return;
    }
    r->call.db = db;
    hand_on(r, xpl_call_handle(&r->call), ends);
}

struct xpl_api_pool *xpl_http_pool_of(const struct xpl_http_request *r)
{
    return xpl_call_scores(&r->call) ? r->shared->gateway : r->shared->pool;
}

static void run_blocking(struct xpl_http_request *r)
{
    struct xpl_error err = {0};

    r->job.run = run_on_pool;
    r->job.asks_others = xpl_call_asks_others(&r->call);
    suspend(r);
    if (xpl_api_pool_submit(xpl_http_pool_of(r), &r->job, &err)) {
        xpl_reply_error(&r->call, &err);
        resume(r);
    }
}

static void run(struct xpl_http_request *r, struct xpl_db *db)
{
    uint64_t ends = xpl_waiting_ends(r->shared->waiting);
    enum xpl_answered answered;

    if (xpl_call_blocks(&r->call)) {
        run_blocking(r);
        return;
    }
    r->call.db = db;
    answered = xpl_call_handle(&r->call);
    if (answered == XPL_ANSWERED) {
        atomic_store(&r->state, XPL_REQUEST_ANSWERED);
        return;
    }
    suspend(r);
    hand_on(r, answered, ends);
}

/* Counted since it was woken, until its handler has run or it ends without. */
static bool is_counted(struct xpl_http_request *r)
{
    bool counted = r->runs_again;

    r->runs_again = false;
    return counted;
}

void xpl_http_request_runs_no_more(struct xpl_http_request *r)
{
    if (is_counted(r))
        atomic_fetch_sub(&r->shared->n_running, 1);
}

/* A body may end after the drain began, when pool and writer are about to go: those who are inside count themselves. */
void xpl_http_request_run(struct xpl_http_request *r, struct xpl_db *db)
{
    struct xpl_error err = {0};

    xpl_http_request_enter(r, XPL_PHASE_WORK);
    if (!is_counted(r))
        atomic_fetch_add(&r->shared->n_running, 1);
    if (!r->answer_known && !r->call.wait_over && atomic_load(&r->shared->draining)) {
        xpl_fail(&err, XPL_OVERLOADED, "the daemon is shutting down");
        xpl_http_request_answer_early(r, &err);
    }
    if (r->answer_known)
        atomic_store(&r->state, XPL_REQUEST_ANSWERED);
    else
        run(r, db);
    atomic_fetch_sub(&r->shared->n_running, 1);
}
