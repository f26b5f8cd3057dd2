/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/http.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/time.h"
#include "server/http/acceptor.h"
#include "server/http/http_request.h"

#define POOL_THREADS     2
#define POOL_WAITING     64
#define POOL_PATIENCE_MS 1000
#define GATEWAY_WAITING  256
#define PATIENCE_US      10000000
#define FLUSH_STEPS      200 /* of 10 ms: how long answers may take to leave at the end */

/* One microhttpd daemon: plain or TLS. */
struct side {
    struct MHD_Daemon *daemon;
    struct xpl_db *db; /* the reader of its thread */
    struct xpl_http_shared *shared;
};

struct xpl_http {
    struct xpl_http_shared shared;
    struct side plain, tls;
    struct xpl_acceptor *acceptor;
    const char *db_path;
};

/* Paths and queries stay as sent: they are split first and decoded then. */
static size_t leave_encoded(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    return strlen(text);
}

static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct side *side = context;

    return xpl_http_request_new(side->shared, connection, side->db, target);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **per_request)
{
    struct side *side = context;
    struct xpl_http_request *request = *per_request;

    (void)connection;
    if (!request)
        return MHD_NO; /* no memory */
    if (atomic_load(&request->state) == XPL_REQUEST_HEAD) {
        xpl_http_request_head(request, url, method, version);
        return atomic_load(&request->state) == XPL_REQUEST_ANSWERED ? xpl_http_request_reply(request) : MHD_YES;
    }
    if (*upload_size > 0) {
        bool keep = xpl_http_request_body(request, upload, *upload_size);

        *upload_size = 0;
        if (keep && request->held.length == 0)
            xpl_http_upload_next(request);
        return keep ? MHD_YES : MHD_NO;
    }
    xpl_http_request_body_ends(request);
    if (!request->whole) {
        request->whole = true;
        return MHD_YES; /* called again, no longer as who reads: a resumed reader would take a half-close for the end */
    }
    if (atomic_load(&request->state) == XPL_REQUEST_BODY)
        xpl_http_request_run(request, side->db);
    if (atomic_load(&request->state) != XPL_REQUEST_ANSWERED)
        return MHD_YES; /* suspended: called again when it is resumed */
    return xpl_http_request_reply(request);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **per_request,
                         enum MHD_RequestTerminationCode why)
{
    (void)context, (void)connection, (void)why;
    xpl_http_request_free(*per_request);
    *per_request = NULL;
}

/* Its end is told before the socket is closed, so the register never holds a descriptor that is another file's. */
static void on_connection_change(void *context, struct MHD_Connection *connection, void **entry,
                                 enum MHD_ConnectionNotificationCode what)
{
    struct xpl_connections *connections = ((struct side *)context)->shared->connections;
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED)
        xpl_connections_remove(connections, *entry);
    else if (!(*entry = xpl_connections_taken(connections, fd)))
        shutdown(fd, SHUT_RDWR); /* it waited too long to be taken: nobody would count it or end it */
}

static void on_log(void *context, const char *format, va_list arguments)
{
    char text[512];
    size_t length;

    (void)context;
    vsnprintf(text, sizeof text, format, arguments);
    length = strlen(text);
    while (length && text[length - 1] == '\n')
        text[--length] = '\0';
    xpl_log(XPL_LOG_DEBUG, "http", "message", text, NULL);
}

static void on_connection(void *context, struct xpl_connection *entry, int fd, const struct sockaddr *address,
                          socklen_t length, bool tls)
{
    struct xpl_http *http = context;

    /* On failure microhttpd has closed the socket. */
    if (MHD_add_connection(tls ? http->tls.daemon : http->plain.daemon, fd, address, length) != MHD_YES)
        xpl_connections_remove(http->shared.connections, entry);
}

static enum xpl_status start_side(struct xpl_http *http, struct side *side, const char *db_path,
                                  const struct xpl_tls *tls, struct xpl_error *err)
{
    const struct xpl_settings *settings = &http->shared.app->settings;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_ERROR_LOG | (tls ? MHD_USE_TLS : 0);
    const struct MHD_OptionItem tls_options[] = {
        {tls ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, tls ? (void *)(uintptr_t)tls->certificate : NULL},
        {tls ? MHD_OPTION_HTTPS_MEM_KEY : MHD_OPTION_END, 0, tls ? (void *)(uintptr_t)tls->key : NULL},
        {MHD_OPTION_END, 0, NULL}};
    enum xpl_status st = xpl_db_open(db_path, XPL_DB_READER, &side->db, err);

    if (st)
        return st;
    side->shared = &http->shared;
    side->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, side, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_ARRAY, tls_options,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection_change, side,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, side, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK,
        leave_encoded, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT, XPL_HTTP_CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)settings->http_connections, MHD_OPTION_END);
    return side->daemon ? XPL_OK : xpl_fail(err, XPL_INTERNAL, "the %s server cannot be started", tls ? "TLS" : "HTTP");
}

static enum xpl_status start_register(struct xpl_http *http, struct xpl_error *err)
{
    const struct xpl_settings *settings = &http->shared.app->settings;
    const struct xpl_connection_limits limits = {.in_all = (size_t)settings->http_connections,
                                                 .per_address = (size_t)settings->http_connections_per_address,
                                                 .header_ms = settings->http_header_timeout_ms,
                                                 .body_ms = settings->http_body_timeout_ms,
                                                 .answer_ms = settings->http_answer_timeout_ms,
                                                 .idle_ms = settings->http_idle_timeout_ms};

    return xpl_connections_new(&limits, &http->shared.connections, err);
}

static enum xpl_status show_metrics(void *context, struct xpl_db *db, struct xpl_buf *out, struct xpl_error *err)
{
    struct xpl_http *http = context;
    struct xpl_gauges gauges = {.requests = atomic_load(&http->shared.n_requests),
                                .body_bytes = atomic_load(&http->shared.body_bytes),
                                .now_us = xpl_now_us(),
                                .database = http->db_path};
    enum xpl_status st;

    if ((st = xpl_task_queue_read(db, &gauges.queue, err)) ||
        (st = xpl_automatic_total(db, xpl_hour_of(gauges.now_us), &gauges.automatic, err)))
        return st;
    xpl_connections_count(http->shared.connections, &gauges.connections, &gauges.connections_refused);
    xpl_metrics_page(&http->shared.metrics, http->shared.app, &gauges, out);
    return out->failed ? xpl_no_memory(err) : XPL_OK;
}

enum xpl_status xpl_http_start(struct xpl_app *app, struct xpl_waiting *waiting, struct xpl_streams *streams,
                               const char *db_path, const struct xpl_tls *tls, struct xpl_listener *listeners,
                               size_t n_listeners, struct xpl_http **ret, struct xpl_error *err)
{
    struct xpl_http *http = calloc(1, sizeof *http);
    enum xpl_status st;

    if (!http)
        return xpl_no_memory(err);
    http->shared.app = app;
    http->shared.waiting = waiting;
    http->shared.streams = streams;
    http->db_path = db_path;
    app->process = (struct xpl_process_hooks){http, show_metrics};
    if ((st = xpl_metrics_init(&http->shared.metrics, err)) || (st = start_register(http, err)) ||
        (st = xpl_api_pool_start(db_path, POOL_THREADS, POOL_WAITING, POOL_PATIENCE_MS, &http->shared.pool, err)) ||
        (st = xpl_api_pool_start(db_path, (size_t)app->settings.gateway_threads, GATEWAY_WAITING, 0,
                                 &http->shared.gateway, err)) ||
        (st = start_side(http, &http->plain, db_path, NULL, err)) ||
        (st = start_side(http, &http->tls, db_path, tls, err)) ||
        (st = xpl_acceptor_start(listeners, n_listeners, http->shared.connections, on_connection, http, &http->acceptor,
                                 err))) {
        xpl_http_stop(http);
        return st;
    }
    *ret = http;
    return XPL_OK;
}

/* They do not block. */
static void wait_for_handlers(struct xpl_http *http)
{
    const struct timespec step = {.tv_nsec = 1000000};

    while (atomic_load(&http->shared.n_running) > 0)
        nanosleep(&step, NULL);
}

void xpl_http_drain(struct xpl_http *http)
{
    atomic_store(&http->shared.patient_until_us, xpl_monotonic_us() + PATIENCE_US);
    atomic_store(&http->shared.draining, true);
    xpl_acceptor_stop(http->acceptor);
    http->acceptor = NULL;
    wait_for_handlers(http);
    xpl_waiting_drain(http->shared.waiting);
    xpl_streams_drain(http->shared.streams);
    wait_for_handlers(http); /* of those who waited: what they look at is about to go */
    xpl_api_pool_stop(http->shared.pool);
    xpl_api_pool_stop(http->shared.gateway);
    http->shared.pool = http->shared.gateway = NULL;
}

static void stop_side(struct side *side)
{
    if (side->daemon)
        MHD_stop_daemon(side->daemon);
    xpl_db_close(side->db);
}

/* Requests that are being answered leave on their own; idle connections have none. */
static void wait_for_answers(struct xpl_http *http)
{
    const struct timespec step = {.tv_nsec = 10000000};

    for (int i = 0; i < FLUSH_STEPS && atomic_load(&http->shared.n_requests) > 0; i++)
        nanosleep(&step, NULL);
}

void xpl_http_stop(struct xpl_http *http)
{
    if (!http)
        return;
    xpl_acceptor_stop(http->acceptor);
    xpl_api_pool_stop(http->shared.pool);
    xpl_api_pool_stop(http->shared.gateway);
    wait_for_answers(http);
    stop_side(&http->plain);
    stop_side(&http->tls);
    xpl_connections_free(http->shared.connections);
    xpl_metrics_release(&http->shared.metrics);
    free(http);
}
