/* SPDX-License-Identifier: Apache-2.0 */
/* One request between microhttpd and the API. Private to http*.c. */
#ifndef XPL_SERVER_HTTP_REQUEST_H
#define XPL_SERVER_HTTP_REQUEST_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "api/call.h"
#include "db/writer.h"
#include "server/http/api_pool.h"
#include "server/http/connections.h"
#include "server/http/http_head.h"
#include "server/http/streams.h"
#include "server/http/waiting.h"
#include "server/metrics.h"

/** The longest head, and what is noted of it; zeroed for every request. */
#define XPL_HTTP_CONNECTION_MEMORY ((size_t)40 << 10)

/** What all requests of the process share. */
struct xpl_http_shared {
    struct xpl_app *app;
    struct xpl_api_pool *pool;
    struct xpl_api_pool *gateway; /* calls that score through the gateway: a slow model holds up nobody else */
    struct xpl_connections *connections;
    struct xpl_waiting *waiting;
    struct xpl_streams *streams;
    atomic_size_t n_requests; /* that exist */
    atomic_size_t body_bytes; /* of all requests together */
    atomic_size_t n_exports;  /* lists that are streamed */
    atomic_bool draining;
    atomic_llong patient_until_us; /* monotonic: how long a drain waits for models of the gateway */
    atomic_size_t n_running;       /* requests inside of a handler, or on their way back into one */
    struct xpl_metrics metrics;
};

enum xpl_request_state {
    XPL_REQUEST_HEAD,      /* the request line is there */
    XPL_REQUEST_BODY,      /* the body arrives, or is thrown away when the answer is known */
    XPL_REQUEST_SUSPENDED, /* on the writer or an API thread, or waiting for tasks */
    XPL_REQUEST_ANSWERED   /* call.reply is complete */
};

/** How far a streamed answer is. */
struct xpl_http_stream {
    enum xpl_streaming state;
    size_t sent;             /* of the piece in call.out */
    bool begun, made;        /* of pieces: there was one */
    bool entered, exporting; /* it counts as a stream of events, as a list */
    int64_t until_us;        /* of events; monotonic */
    const char *subject;
};

struct xpl_http_request {
    struct xpl_call call;
    struct xpl_http_shared *shared;
    struct xpl_db *db; /* the reader of the HTTP thread */
    struct xpl_http_stream stream;
    struct xpl_http_head head;
    struct xpl_connection *entry; /* of the register of connections */
    struct xpl_write write;
    struct xpl_pool_job job;
    struct xpl_waiter waiter;
    _Atomic(enum xpl_request_state) state;
    bool answer_known;   /* before the body was there: an error */
    bool whole;          /* all of it is there, and microhttpd knows */
    bool close;          /* the connection ends with this answer */
    bool runs_again;     /* it waited, and counts as running until its handler has run once more */
    struct xpl_buf held; /* of the body: what came behind a part that is being passed on */
    size_t thrown_away;
    size_t passed_on;     /* of the body, before it was whole */
    int64_t started_us;   /* monotonic */
    size_t counted_bytes; /* this request's part of shared->body_bytes */
};

/** A request from the target of its request line; `db` is the reader of this thread. NULL without memory. */
struct xpl_http_request *xpl_http_request_new(struct xpl_http_shared *shared, struct MHD_Connection *connection,
                                              struct xpl_db *db, const char *target);

/** The head is there. A malformed one leaves the answer of a request that is to be answered now, without its body. */
void xpl_http_request_head(struct xpl_http_request *request, const char *url, const char *method, const char *version);
void xpl_http_request_free(struct xpl_http_request *request);

/** Takes a part of the body. False when the connection is to be dropped. */
bool xpl_http_request_body(struct xpl_http_request *request, const char *data, size_t length);

/** All of it has come. */
void xpl_http_request_body_ends(struct xpl_http_request *request);

/** Passes on what there is of a body that more will come of, when it is time. May suspend the connection. */
void xpl_http_upload_next(struct xpl_http_request *request);

/** What the connection does from now on: each phase has a time of its own. */
void xpl_http_request_enter(struct xpl_http_request *request, enum xpl_connection_phase phase);

/** Answers at once, without the rest of the request; the connection closes. */
void xpl_http_request_answer_early(struct xpl_http_request *request, const struct xpl_error *err);

/** The whole request is there: handles it here, or suspends the connection and hands it on. */
void xpl_http_request_run(struct xpl_http_request *request, struct xpl_db *db);

/** It ends: if it was to be handled once more, it will not be. */
void xpl_http_request_runs_no_more(struct xpl_http_request *request);

/** The threads a request that blocks runs on. */
struct xpl_api_pool *xpl_http_pool_of(const struct xpl_http_request *request);

/** Whether the client has closed the connection, or its half of it. */
bool xpl_http_client_is_gone(const struct xpl_http_request *request);

/** Counts an answer that is streamed; one too many becomes an error. */
void xpl_http_stream_begin(struct xpl_http_request *request);
void xpl_http_stream_end(struct xpl_http_request *request);

/** The two kinds of it: XPL_OVERLOADED when there are too many. */
enum xpl_status xpl_http_pieces_begin(struct xpl_http_request *request, struct xpl_error *err);
enum xpl_status xpl_http_news_begin(struct xpl_http_request *request, struct xpl_error *err);

/** Makes the next piece, or has it made: true when the connection is suspended and the request another thread's. */
bool xpl_http_pieces_next(struct xpl_http_request *request);
bool xpl_http_news_next(struct xpl_http_request *request);

/** NULL without memory. */
struct MHD_Response *xpl_http_stream_response(struct xpl_http_request *request);

/** Queues the answer. */
enum MHD_Result xpl_http_request_reply(struct xpl_http_request *request);

#endif
