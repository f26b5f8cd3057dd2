/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/http_request.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/body_encoding.h"
#include "api/cors.h"
#include "api/routes.h"
#include "lib/base/log.h"
#include "lib/base/time.h"

#define ARENA_BYTES      ((size_t)512 << 20)
#define MAX_ANSWER_BYTES ((size_t)96 << 20)
#define MAX_THROWN_AWAY  ((size_t)64 << 20) /* of a body nobody wants, before the connection is dropped */
#define MAX_PAIRS        256u

/* ---- the head ---- */

struct collecting {
    struct xpl_call *call;
    struct xpl_pair *pairs;
    size_t n, max;
    bool failed;
};

static enum MHD_Result take_pair(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct collecting *c = arg;

    (void)kind;
    if (c->n == c->max) {
        c->failed = true;
        return MHD_NO;
    }
    c->pairs[c->n].name = xpl_arena_string(c->call->arena, name);
    c->pairs[c->n].value = xpl_arena_string(c->call->arena, value ? value : "");
    c->failed |= !c->pairs[c->n].name || !c->pairs[c->n].value;
    c->n++;
    return MHD_YES;
}

static struct collecting collect(struct xpl_http_request *r, enum MHD_ValueKind kind)
{
    int n = MHD_get_connection_values(r->head.connection, kind, NULL, NULL);
    struct collecting c = {.call = &r->call, .max = n < 0 ? 0 : (size_t)n, .failed = n < 0 || n > (int)MAX_PAIRS};

    if (!c.failed && n > 0 && !(c.pairs = XPL_NEW_ARRAY(r->call.arena, struct xpl_pair, c.max)))
        c.failed = true;
    if (!c.failed)
        MHD_get_connection_values(r->head.connection, kind, take_pair, &c);
    return c;
}

static bool decode_query(struct xpl_call *call)
{
    for (size_t i = 0; i < call->n_query; i++) {
        char *name = (char *)(uintptr_t)call->query[i].name, *value = (char *)(uintptr_t)call->query[i].value;

        if (!xpl_percent_decode(name, true) || !xpl_percent_decode(value, true) || !xpl_is_utf8(name, strlen(name)) ||
            !xpl_is_utf8(value, strlen(value)))
            return false;
    }
    return true;
}

static enum xpl_method method_of(const char *name)
{
    static const char *const names[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

    if (strcmp(name, "HEAD") == 0)
        return XPL_GET;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return (enum xpl_method)i;
    return XPL_OTHER_METHOD;
}

/* The client's own transaction id when it is a sane one, so that it finds its request in the log. */
static void choose_request_id(struct xpl_call *call)
{
    const char *given = xpl_call_header(call, "X-Global-Transaction-Id");
    size_t length = given ? strlen(given) : 0;

    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)given[i]) && !strchr("-_.", given[i]))
            length = 0;
    if (length > 0 && length < sizeof call->request_id)
        memcpy(call->request_id, given, length + 1);
    else
        xpl_uuid(call->request_id);
}

void xpl_http_request_answer_early(struct xpl_http_request *r, const struct xpl_error *err)
{
    xpl_reply_error(&r->call, err);
    r->answer_known = true;
    r->close = true;
}

void xpl_http_request_enter(struct xpl_http_request *r, enum xpl_connection_phase phase)
{
    xpl_connection_enter(r->shared->connections, r->entry, phase);
}

static void take_head(struct xpl_http_request *r, const char *method)
{
    struct xpl_call *call = &r->call;
    struct collecting headers = collect(r, MHD_HEADER_KIND), query = collect(r, MHD_GET_ARGUMENT_KIND);
    struct xpl_error err = {0};

    call->method = method_of(method);
    call->headers = headers.pairs;
    call->n_headers = headers.n;
    call->query = query.pairs;
    call->n_query = query.n;
    choose_request_id(call);
    if (headers.failed || query.failed)
        xpl_fail(&err, XPL_HEADER_TOO_LARGE, "the request has more than %u headers or parameters", MAX_PAIRS);
    else if (!xpl_http_head_check(&r->head, call, &err) && !decode_query(call))
        xpl_fail(&err, XPL_BAD_REQUEST, "the query has a broken percent-encoding");
    if (!err.status && atomic_load(&r->shared->draining))
        xpl_fail(&err, XPL_OVERLOADED, "the daemon is shutting down");
    if (err.status) {
        xpl_http_request_answer_early(r, &err);
        atomic_store(&r->state, XPL_REQUEST_ANSWERED);
    }
}

/*
 * A buffer for the body that never gets larger than the body says it is; one that says that it is too long need not be
 * kept until it is.
 */
static enum xpl_status prepare_body(struct xpl_call *call, struct xpl_error *err)
{
    size_t limit = xpl_call_body_limit(call);
    const char *text = xpl_call_header(call, "Content-Length");
    int64_t length = (int64_t)limit;

    if (text && (!xpl_parse_int(text, 0, INT64_MAX, &length) || (size_t)length > limit))
        return xpl_call_body_too_long(call, "the body", err);
    xpl_buf_init(&call->body, (size_t)length);
    return XPL_OK;
}

static void route(struct xpl_http_request *r, const char *url)
{
    const char *path = xpl_http_path_of(url);
    struct xpl_error err = {0};

    if (!path)
        xpl_fail(&err, XPL_BAD_REQUEST, "the target of the request is not a path");
    else if (!xpl_call_route(&r->call, path) || !xpl_call_admit(&r->call, false))
        r->answer_known = true;
    else if (!xpl_body_encoding_check(&r->call, &err))
        prepare_body(&r->call, &err);
    if (err.status)
        xpl_http_request_answer_early(r, &err);
}

/* Who has not begun to send the body is told at once that nobody wants it. */
static bool waits_to_be_asked(const struct xpl_call *call)
{
    const char *expected = xpl_call_header(call, "Expect");

    return expected && strcasecmp(expected, "100-continue") == 0;
}

void xpl_http_request_head(struct xpl_http_request *r, const char *url, const char *method, const char *version)
{
    atomic_fetch_add(&r->shared->n_requests, 1);
    r->head.method = method;
    r->head.version = version;
    atomic_store(&r->state, XPL_REQUEST_BODY);
    xpl_http_request_enter(r, XPL_PHASE_BODY);
    take_head(r, method);
    if (!r->answer_known)
        route(r, url);
    if (r->answer_known && waits_to_be_asked(&r->call)) {
        r->close = true;
        atomic_store(&r->state, XPL_REQUEST_ANSWERED);
    }
}

/* An answer that has begun ends with the process at once; one that is still to come, in a while. */
static enum xpl_abandoned abandoned(const struct xpl_call *call)
{
    const struct xpl_http_request *r = (const struct xpl_http_request *)(const void *)call;
    const struct xpl_http_shared *shared = r->shared;

    if (xpl_http_client_is_gone(r))
        return XPL_CLIENT_IS_GONE;
    if (!atomic_load(&shared->draining))
        return XPL_NOT_ABANDONED;
    return r->stream.begun || xpl_monotonic_us() >= atomic_load(&shared->patient_until_us) ? XPL_PROCESS_ENDS
                                                                                           : XPL_NOT_ABANDONED;
}

struct xpl_http_request *xpl_http_request_new(struct xpl_http_shared *shared, struct MHD_Connection *connection,
                                              struct xpl_db *db, const char *target)
{
    struct xpl_http_request *r = calloc(1, sizeof *r);
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    if (!r)
        return NULL;
    r->shared = shared;
    r->head = xpl_http_head_start(connection, target);
    r->entry = info ? info->socket_context : NULL;
    r->started_us = xpl_monotonic_us();
    r->call.app = shared->app;
    r->call.db = r->db = db;
    r->call.user = "";
    r->call.abandoned = abandoned;
    r->call.client = xpl_connection_source(r->entry);
    r->call.local = xpl_connection_is_local(r->entry);
    r->call.loopback = xpl_connection_is_loopback(r->entry);
    r->call.arena = xpl_arena_new(ARENA_BYTES);
    xpl_buf_init(&r->call.out, MAX_ANSWER_BYTES);
    xpl_buf_init(&r->held, XPL_HTTP_CONNECTION_MEMORY);
    if (!r->call.arena) {
        free(r);
        return NULL;
    }
    xpl_http_request_enter(r, XPL_PHASE_HEAD);
    return r;
}

/* ---- the body ---- */

/* What the buffer takes up, not what is in it, counts for all bodies together. */
static bool count_buffer(struct xpl_http_request *r)
{
    size_t more = r->call.body.capacity - r->counted_bytes;
    size_t all = atomic_fetch_add(&r->shared->body_bytes, more) + more;

    r->counted_bytes += more;
    return all <= (size_t)r->call.app->settings.limits_bodies_total;
}

static void release_body(struct xpl_http_request *r)
{
    atomic_fetch_sub(&r->shared->body_bytes, r->counted_bytes);
    r->counted_bytes = 0;
    xpl_buf_release(&r->call.body);
}

void xpl_http_request_free(struct xpl_http_request *r)
{
    if (!r)
        return;
    xpl_http_request_runs_no_more(r);
    release_body(r);
    xpl_buf_release(&r->held);
    xpl_http_stream_end(r);
    if (atomic_load(&r->state) != XPL_REQUEST_HEAD)
        atomic_fetch_sub(&r->shared->n_requests, 1);
    xpl_http_request_enter(r, XPL_PHASE_IDLE);
    xpl_buf_release(&r->call.out);
    xpl_arena_free(r->call.arena);
    free(r);
}

static enum xpl_status take_part(struct xpl_http_request *r, const char *data, size_t length, struct xpl_error *err)
{
    struct xpl_buf *body = &r->call.body;

    if (length > body->max - body->length)
        return xpl_call_body_too_long(&r->call, "the body", err);
    if (!xpl_buf_append(body, data, length))
        return xpl_no_memory(err);
    if (!count_buffer(r))
        return xpl_fail(err, XPL_OVERLOADED, "all request bodies together exceed limits.bodies_total; try again");
    return XPL_OK;
}

static void take(struct xpl_http_request *r, const char *data, size_t length)
{
    struct xpl_error err = {0};

    if (!r->answer_known && take_part(r, data, length, &err)) {
        if (r->call.stream.end) /* what was passed on of it already */
            r->call.stream.end(&r->call);
        release_body(r);
        xpl_http_request_answer_early(r, &err);
    }
    if (r->answer_known)
        r->thrown_away += length;
}

static void take_held(struct xpl_http_request *r)
{
    if (r->held.length == 0)
        return;
    take(r, r->held.data, r->held.length);
    xpl_buf_clear(&r->held);
}

static bool is_suspended(const struct xpl_http_request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->head.connection, MHD_CONNECTION_INFO_CONNECTION_SUSPENDED);

    return info && info->suspended == MHD_YES;
}

/* Chunks that microhttpd has in its memory come one after the other, also when it was suspended by one of them. */
bool xpl_http_request_body(struct xpl_http_request *r, const char *data, size_t length)
{
    if (is_suspended(r))
        return xpl_buf_append(&r->held, data, length);
    take_held(r);
    take(r, data, length);
    return r->thrown_away <= MAX_THROWN_AWAY;
}

void xpl_http_request_body_ends(struct xpl_http_request *r)
{
    take_held(r);
}

/* ---- the answer ---- */

static void log_request(const struct xpl_http_request *r)
{
    char status[16];

    snprintf(status, sizeof status, "%u", r->call.reply.http_status);
    xpl_log(XPL_LOG_DEBUG, "request", "trace", r->call.request_id, "operation",
            r->call.route ? r->call.route->operation : "", "status", status, "traceparent",
            xpl_call_traceparent(&r->call), NULL);
}

/* The bytes live as long as the request, which is freed when the answer has left. */
static struct MHD_Response *make_response(struct xpl_http_request *r)
{
    const struct xpl_text *body = &r->call.reply.body;

    if (r->call.stream.next)
        return xpl_http_stream_response(r);
    return MHD_create_response_from_buffer(body->length, (void *)(uintptr_t)body->ptr, MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result xpl_http_request_reply(struct xpl_http_request *r)
{
    const struct xpl_reply *reply = &r->call.reply;
    struct MHD_Response *response;
    enum MHD_Result queued;

    xpl_http_stream_begin(r);
    response = make_response(r);
    xpl_reply_preference(&r->call);
    xpl_cors_apply(&r->call);
    if (!response)
        return MHD_NO;
    if (reply->content_type)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type);
    MHD_add_response_header(response, "X-Global-Transaction-Id", r->call.request_id);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    for (size_t i = 0; i < reply->n_headers; i++)
        MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    if (r->close)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    xpl_http_request_enter(r, XPL_PHASE_ANSWER);
    queued = MHD_queue_response(r->head.connection, reply->http_status, response);
    MHD_destroy_response(response);
    log_request(r);
    xpl_metrics_count(&r->shared->metrics, &r->call, xpl_monotonic_us() - r->started_us);
    return queued;
}
