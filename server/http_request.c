/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http_request.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/routes.h"
#include "lib/base/log.h"
#include "lib/base/time.h"

#define ARENA_BYTES      ((size_t)512 << 20)
#define MAX_ANSWER_BYTES ((size_t)96 << 20)
#define MAX_HEADER_BYTES 32768u
#define MAX_THROWN_AWAY  ((size_t)64 << 20) /* of a body nobody wants, before the connection is dropped */
#define MAX_PAIRS        256u

/* ---- the head ---- */

struct collecting {
    struct xpl_call *call;
    struct xpl_pair *pairs;
    size_t n, max, bytes;
    bool failed;
};

static enum MHD_Result take_pair(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct collecting *c = arg;

    (void)kind;
    c->bytes += strlen(name) + (value ? strlen(value) : 0) + 4;
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
    int n = MHD_get_connection_values(r->connection, kind, NULL, NULL);
    struct collecting c = {.call = &r->call, .max = n < 0 ? 0 : (size_t)n, .failed = n < 0 || n > (int)MAX_PAIRS};

    if (!c.failed && n > 0 && !(c.pairs = XPL_NEW_ARRAY(r->call.arena, struct xpl_pair, c.max)))
        c.failed = true;
    if (!c.failed)
        MHD_get_connection_values(r->connection, kind, take_pair, &c);
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

static size_t count_header(const struct xpl_call *call, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < call->n_headers; i++)
        n += strcasecmp(call->headers[i].name, name) == 0;
    return n;
}

/* Requests that two servers could understand differently are refused. */
static enum xpl_status check_head(const struct xpl_call *call, size_t header_bytes, struct xpl_error *err)
{
    const char *encoding = xpl_call_header(call, "Content-Encoding");

    if (header_bytes > MAX_HEADER_BYTES)
        return xpl_fail(err, XPL_HEADER_TOO_LARGE, "the headers have %zu bytes; the limit is %u", header_bytes,
                        MAX_HEADER_BYTES);
    for (size_t i = 0; i < call->n_headers; i++)
        if (strpbrk(call->headers[i].name, " \t"))
            return xpl_fail(err, XPL_BAD_REQUEST, "a header name contains a blank");
    if (count_header(call, "Content-Length") > 1)
        return xpl_fail(err, XPL_BAD_REQUEST, "Content-Length comes twice");
    if (count_header(call, "Content-Length") && count_header(call, "Transfer-Encoding"))
        return xpl_fail(err, XPL_BAD_REQUEST, "Content-Length and Transfer-Encoding exclude each other");
    if (count_header(call, "Host") > 1)
        return xpl_fail(err, XPL_BAD_REQUEST, "Host comes twice");
    if (encoding && *encoding && strcasecmp(encoding, "identity") != 0)
        return xpl_fail(err, XPL_BAD_MEDIA_TYPE, "a body with Content-Encoding %.40s is not accepted; send it plain",
                        encoding);
    return XPL_OK;
}

static enum xpl_method method_of(const char *name)
{
    static const char *const names[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

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

static void answer_early(struct xpl_http_request *r, const struct xpl_error *err, bool close)
{
    xpl_reply_error(&r->call, err);
    r->answer_known = true;
    r->close |= close;
}

static void read_head(struct xpl_http_request *r, const char *url, const char *method)
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
    else if (!check_head(call, headers.bytes, &err) && !decode_query(call))
        xpl_fail(&err, XPL_BAD_REQUEST, "the query has a broken percent-encoding");
    if (!err.status && atomic_load(&r->shared->draining))
        xpl_fail(&err, XPL_OVERLOADED, "the daemon is shutting down");
    if (err.status)
        answer_early(r, &err, true);
    else if (!xpl_call_route(call, url))
        r->answer_known = true;
}

struct xpl_http_request *xpl_http_request_new(struct xpl_http_shared *shared, struct MHD_Connection *connection,
                                              const char *url, const char *method)
{
    struct xpl_http_request *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    atomic_fetch_add(&shared->n_requests, 1);
    r->shared = shared;
    r->connection = connection;
    r->call.app = shared->app;
    r->call.user = "admin";
    r->call.arena = xpl_arena_new(ARENA_BYTES);
    xpl_buf_init(&r->call.out, MAX_ANSWER_BYTES);
    if (!r->call.arena) {
        xpl_http_request_free(r);
        return NULL;
    }
    read_head(r, url, method);
    xpl_buf_init(&r->call.body, r->answer_known ? 0 : xpl_call_body_limit(&r->call));
    return r;
}

void xpl_http_request_free(struct xpl_http_request *r)
{
    if (!r)
        return;
    atomic_fetch_sub(&r->shared->body_bytes, r->counted_bytes);
    atomic_fetch_sub(&r->shared->n_requests, 1);
    xpl_buf_release(&r->call.body);
    xpl_buf_release(&r->call.out);
    xpl_arena_free(r->call.arena);
    free(r);
}

/* ---- the body ---- */

static bool count_bytes(struct xpl_http_request *r, size_t length)
{
    size_t limit = (size_t)r->call.app->settings.limits_bodies_total;

    if (atomic_fetch_add(&r->shared->body_bytes, length) + length > limit) {
        atomic_fetch_sub(&r->shared->body_bytes, length);
        return false;
    }
    r->counted_bytes += length;
    return true;
}

bool xpl_http_request_body(struct xpl_http_request *r, const char *data, size_t length)
{
    struct xpl_error err = {0};

    if (r->answer_known) {
        r->thrown_away += length;
        return r->thrown_away <= MAX_THROWN_AWAY;
    }
    if (r->call.body.length + length > r->call.body.max) {
        xpl_fail(&err, XPL_TOO_LARGE, "the body is longer than %zu bytes, the limit of this operation",
                 r->call.body.max);
        answer_early(r, &err, true);
        return true;
    }
    if (!count_bytes(r, length)) {
        xpl_fail(&err, XPL_OVERLOADED, "all request bodies together exceed limits.bodies_total; try again");
        answer_early(r, &err, true);
        return true;
    }
    if (!xpl_buf_append(&r->call.body, data, length)) {
        xpl_no_memory(&err);
        answer_early(r, &err, true);
    }
    return true;
}

/* ---- the answer ---- */

static void log_request(const struct xpl_http_request *r)
{
    char status[16];

    snprintf(status, sizeof status, "%u", r->call.reply.http_status);
    xpl_log(XPL_LOG_DEBUG, "request", "trace", r->call.request_id, "operation",
            r->call.route ? r->call.route->operation : "", "status", status, NULL);
}

enum MHD_Result xpl_http_request_reply(struct xpl_http_request *r)
{
    const struct xpl_reply *reply = &r->call.reply;
    struct MHD_Response *response;
    enum MHD_Result queued;

    xpl_reply_preference(&r->call);
    /* The bytes live as long as the request, which is freed when the answer has left. */
    response =
        MHD_create_response_from_buffer(reply->body.length, (void *)(uintptr_t)reply->body.ptr, MHD_RESPMEM_PERSISTENT);
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
    queued = MHD_queue_response(r->connection, reply->http_status, response);
    MHD_destroy_response(response);
    log_request(r);
    return queued;
}
