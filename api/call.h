/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request on its way through the API, from the route table to the answer.
 *
 * The HTTP adapter makes a call, fills what the client sent, finds the route, collects the body and has it handled. A
 * call belongs to one thread at a time: HTTP thread, api pool, writer, HTTP thread again. Everything of it lives in its
 * arena (and its two buffers) and goes with it.
 */
#ifndef XPL_API_CALL_H
#define XPL_API_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "api/app.h"
#include "db/db.h"
#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/hash.h"
#include "lib/base/status.h"
#include "lib/base/text.h"

struct xpl_call;
struct xpl_route;

enum xpl_method {
    XPL_GET,
    XPL_POST,
    XPL_PUT,
    XPL_PATCH,
    XPL_DELETE,
    XPL_OPTIONS, /* in no route: see cors.h */
    XPL_OTHER_METHOD
};

/**
 * What a handler returns. Only the reply helpers below make one, so that a handler cannot forget to answer.
 */
enum xpl_answered {
    XPL_ANSWERED,
    XPL_ANSWERED_AFTER_COMMIT /* a write was handed over; its answer is made on the writer */
};

struct xpl_pair {
    const char *name, *value;
};

#define XPL_MAX_PATH_PARAMS   4
#define XPL_MAX_REPLY_HEADERS 12

/** What goes back to the client. */
struct xpl_reply {
    unsigned http_status;
    const char *content_type;
    struct xpl_text body; /* lives as long as the call */
    struct xpl_pair headers[XPL_MAX_REPLY_HEADERS];
    size_t n_headers;
    enum xpl_status error; /* XPL_OK unless it is an error */
};

/**
 * Runs on the writer, inside its transaction; what it replies is sent after the commit. Returning an error rolls back
 * and becomes the answer. May run twice, as every xpl_write_fn.
 */
typedef enum xpl_status (*xpl_call_write_fn)(struct xpl_db *db, struct xpl_call *call, void *arg,
                                             struct xpl_error *err);

struct xpl_call {
    struct xpl_app *app;
    struct xpl_arena *arena;
    struct xpl_db *db; /* the reader of the thread that runs the handler */

    /* what the client sent */
    enum xpl_method method;
    char *path;             /* as in the route table: without /openscale prefix, not yet percent-decoded */
    struct xpl_pair *query; /* decoded */
    size_t n_query;
    struct xpl_pair *headers; /* names as sent; look them up without regard to case */
    size_t n_headers;
    struct xpl_buf body; /* complete when the handler runs */

    /* what the API made of it */
    const struct xpl_route *route;
    const char *path_params[XPL_MAX_PATH_PARAMS]; /* decoded, in the order of the template */
    const char *data_mart_id;                     /* the tenant: every query takes it from here */
    const char *user;
    char request_id[XPL_UUID_SIZE + 28]; /* the client's X-Global-Transaction-Id when it is usable, else made here */

    struct xpl_reply reply;
    struct xpl_buf out; /* the bytes of a JSON answer */

    /* a write that was handed over */
    xpl_call_write_fn write_run;
    void *write_arg;
    size_t write_bytes;
    enum xpl_status write_failure; /* what the client is told when it fails, whatever failed; XPL_OK = what failed */
};

/* ---- for the adapter ---- */

/**
 * Finds route, path parameters and tenant of `raw_path` (without the query string). False when there is none: then the
 * answer (404, 405 with Allow) is already made.
 */
bool xpl_call_route(struct xpl_call *call, const char *raw_path);

/** Body limit of the call's route, from the settings. */
size_t xpl_call_body_limit(const struct xpl_call *call);

/** Runs the handler. */
enum xpl_answered xpl_call_handle(struct xpl_call *call);

/** Runs the handed-over write: called on the writer. */
enum xpl_status xpl_call_run_write(struct xpl_db *db, void *call, struct xpl_error *err);

/** Makes the answer of a write that failed. */
void xpl_call_write_failed(struct xpl_call *call, enum xpl_status status, const struct xpl_error *err);

/* ---- reading ---- */

/** Header or query value; NULL when absent. Query names are case-sensitive. */
const char *xpl_call_header(const struct xpl_call *call, const char *name);
const char *xpl_call_query(const struct xpl_call *call, const char *name);

/** The traceparent the client sent (W3C Trace Context); NULL when it sent none that is valid. */
const char *xpl_call_traceparent(const struct xpl_call *call);

/** Query values with their checks: absent gives the default; a bad value is XPL_BAD_FIELD naming the parameter and
 * limits. */
enum xpl_status xpl_query_int(const struct xpl_call *call, const char *name, int64_t min, int64_t max,
                              int64_t default_value, int64_t *ret, struct xpl_error *err);
enum xpl_status xpl_query_bool(const struct xpl_call *call, const char *name, bool default_value, bool *ret,
                               struct xpl_error *err);
enum xpl_status xpl_query_time(const struct xpl_call *call, const char *name, int64_t default_value, int64_t *ret,
                               struct xpl_error *err);

/**
 * The body as JSON, within the DOM limits (depth 32, 10 k arrays, 10 k objects, 200 k numbers), duplicate members
 * refused. An empty body is an error. The caller owns the tree: XPL_AUTO_JSON.
 */
enum xpl_status xpl_call_json(struct xpl_call *call, json_t **ret, struct xpl_error *err);

static inline void xpl_auto_json(json_t **json)
{
    json_decref(*json);
}
#define XPL_AUTO_JSON __attribute__((cleanup(xpl_auto_json))) json_t *

/* ---- answering ---- */

/** A JSON answer; takes the reference of `json` (NULL = out of memory: a 500). */
enum xpl_answered xpl_reply_json(struct xpl_call *call, unsigned http_status, json_t *json);

/** JSON text that is already there, in the call's arena or constant. */
enum xpl_answered xpl_reply_json_text(struct xpl_call *call, unsigned http_status, struct xpl_text json);

/** Any other content. `data` lives as long as the call. */
enum xpl_answered xpl_reply_bytes(struct xpl_call *call, unsigned http_status, const char *content_type,
                                  struct xpl_text data);

/** The error envelope {"trace","errors":[{"code","message","parameters"}]} with the status's HTTP code. */
enum xpl_answered xpl_reply_error(struct xpl_call *call, const struct xpl_error *err);

/** Hands a write over. `bytes` is about what it writes. `arg` lives in the call's arena. */
enum xpl_answered xpl_reply_after_commit(struct xpl_call *call, xpl_call_write_fn run, void *arg, size_t bytes);

/** One more header of the answer; value in the call's arena or constant. */
void xpl_reply_header(struct xpl_call *call, const char *name, const char *value);

#endif
