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
    XPL_ANSWERED_AFTER_COMMIT, /* a write was handed over; its answer is made on the writer */
    XPL_ANSWERED_AFTER_TASKS   /* the handler runs again when the tasks it waits for have ended */
};

/** Why nobody waits for an answer any more. */
enum xpl_abandoned {
    XPL_NOT_ABANDONED,
    XPL_CLIENT_IS_GONE, /* or has only ended its side of the connection: that looks the same */
    XPL_PROCESS_ENDS
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

/** What came of a piece of a streamed answer. */
enum xpl_streaming {
    XPL_STREAM_GOES_ON, /* there may be more, even if this piece is empty */
    XPL_STREAM_ENDS,    /* with what was appended */
    XPL_STREAM_BREAKS   /* it failed: the connection ends, so that nobody takes the answer for a whole one */
};

/**
 * A streamed answer: made piece by piece, each when the client has taken the one before. One with a subject goes on for
 * as long as the client stays; one without is made as fast as it is taken.
 */
struct xpl_streamed {
    /**
     * Appends what there is to send; what is allocated from `scratch` goes with the piece. With a subject on the HTTP
     * thread, with `call->db` at one state of the database: after an empty piece again when there is news, or after
     * about a second. Without one on an API thread. NULL = the answer is not streamed.
     */
    enum xpl_streaming (*next)(struct xpl_call *call, struct xpl_arena *scratch, struct xpl_buf *out);
    void *arg;
    const char *subject; /* id of the task or subscription whose news wake it */
    bool has_length;     /* the answer is `length` bytes long; else nobody knows yet */
    uint64_t length;
    /** When the answer has left, or the client is gone; must not block. NULL = there is nothing to be done. */
    void (*end)(struct xpl_call *call);
};

/** Tasks that a write deletes. */
struct xpl_deleted_tasks {
    const char *const *ids;
    size_t n;
    const struct xpl_deleted_tasks *next;
};

struct xpl_call {
    struct xpl_app *app;
    struct xpl_arena *arena;
    struct xpl_db *db; /* the reader of the thread that runs the handler */

    /* what the client sent */
    enum xpl_method method;
    const char *path;       /* as in the route table: without /openscale prefix, not yet percent-decoded */
    struct xpl_pair *query; /* decoded */
    size_t n_query;
    struct xpl_pair *headers; /* names as sent; look them up without regard to case */
    size_t n_headers;
    struct xpl_buf body; /* complete when the handler runs */
    bool body_encoded;   /* it is still to be decompressed: see body_encoding.h */
    bool body_collected; /* it passes on as a whole, whatever its length */
    const char *client;  /* the address it came from, in some form */
    enum xpl_abandoned (*abandoned)(const struct xpl_call *call); /* NULL = not known */
    bool local;    /* through the socket in the data directory: whoever runs the daemon */
    bool loopback; /* from this machine */

    /* what the API made of it */
    const struct xpl_route *route;
    const char *path_params[XPL_MAX_PATH_PARAMS]; /* decoded, in the order of the template */
    const char *data_mart_id;                     /* the tenant: every query takes it from here */
    bool instance_named;                          /* by the path */
    const char *user;                             /* the caller's name */
    bool password_unchecked;                      /* the caller is still to be identified: that takes long */
    char request_id[XPL_UUID_SIZE + 28]; /* the client's X-Global-Transaction-Id when it is usable, else made here */

    bool remembers;           /* it reads what was committed: it may use and make what app->cache holds */
    struct xpl_versions seen; /* before it read anything */

    struct xpl_reply reply;
    struct xpl_streamed stream;
    struct xpl_buf out; /* the bytes of a JSON answer; of a streamed one, those that leave next */

    struct {
        const char *key; /* NULL = none */
        uint8_t request[XPL_HASH_BYTES];
    } idempotency; /* api/idempotency.h */

    /* a write that was handed over */
    xpl_call_write_fn write_run;
    void *write_arg;
    size_t write_bytes;
    const struct xpl_deleted_tasks *deleted_tasks;

    /* Prefer: wait=s, when the operation has it */
    int64_t wait_s;        /* 0 = not asked for */
    int64_t wait_until_us; /* monotonic */
    bool wait_refused;     /* too many wait already: answered at once */
    bool wait_over;
    const char **awaited_tasks; /* that must end before the answer leaves */
    size_t n_awaited_tasks;
    enum xpl_status write_failure; /* what the client is told when it fails, whatever failed; XPL_OK = what failed */
};

/* ---- for the adapter ---- */

/**
 * Finds route, path parameters and tenant of `raw_path` (without the query string). False when there is none: then the
 * answer (404, 405 with Allow) is already made.
 */
bool xpl_call_route(struct xpl_call *call, const char *raw_path);

/**
 * Identifies the caller and holds role and instance against the route (api/access/auth.h). False when the answer (401,
 * 403, 404, 429) is already made. A password that is not remembered takes long to check: unless `may_block` it is left
 * to xpl_call_handle. Uses `call->db`.
 */
bool xpl_call_admit(struct xpl_call *call, bool may_block);

/** Whether xpl_call_handle may take long: then it is to run on the api pool. */
bool xpl_call_blocks(const struct xpl_call *call);
/** Whether it goes to a model through the gateway: on threads of its own. */
bool xpl_call_scores(const struct xpl_call *call);

/**
 * Whether the body may be passed on while it comes (xpl_predictions_part): the call scores, who calls need not be found
 * out first, and the model takes bodies in parts.
 */
bool xpl_call_passes_parts(const struct xpl_call *call);

/** Whether it does so because it waits for a server that is not ours. */
bool xpl_call_asks_others(const struct xpl_call *call);

/** Body limit of the call's route, from the settings. */
size_t xpl_call_body_limit(const struct xpl_call *call);

/** XPL_TOO_LARGE with that limit and its setting; `body` says what is too long, such as "the body". */
enum xpl_status xpl_call_body_too_long(const struct xpl_call *call, const char *body, struct xpl_error *err);

/** From now on the call may use what app->cache holds, and keep there what it reads. Before it reads anything. */
void xpl_call_remember(struct xpl_call *call);

/** Runs the handler; before it, what xpl_call_admit has left. */
enum xpl_answered xpl_call_handle(struct xpl_call *call);

/** Runs the handed-over write: called on the writer. */
enum xpl_status xpl_call_run_write(struct xpl_db *db, void *call, struct xpl_error *err);

/** After its commit. */
void xpl_call_written(struct xpl_call *call);

/** Makes the answer of a write that failed. */
void xpl_call_write_failed(struct xpl_call *call, enum xpl_status status, const struct xpl_error *err);

/* ---- reading ---- */

/** Header or query value; NULL when absent. Query names are case-sensitive. */
const char *xpl_call_header(const struct xpl_call *call, const char *name);
const char *xpl_call_query(const struct xpl_call *call, const char *name);

/** Reads `Prefer: wait=s`, once: at most XPL_MAX_WAIT_S; what cannot be read is not there (RFC 7240). */
void xpl_call_read_prefer(struct xpl_call *call);
#define XPL_MAX_WAIT_S 60

/** Whether Accept names the media type, with a quality that is not 0. */
bool xpl_call_accepts(const struct xpl_call *call, const char *media_type);

/** Whether the client wants to wait longer. */
bool xpl_call_waits(const struct xpl_call *call);
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

static inline struct xpl_text xpl_call_body(const struct xpl_call *call)
{
    return (struct xpl_text){call->body.data, call->body.length};
}

/** Whether the body is said to be JSON, by any of its names: XPL_BAD_MEDIA_TYPE when it is said to be something else.
 */
enum xpl_status xpl_call_check_json_type(const struct xpl_call *call, struct xpl_error *err);

/**
 * The body as JSON, within the DOM limits (depth 32, 10 k arrays, 10 k objects, 200 k numbers), duplicate members
 * refused. An empty body is an error. The caller owns the tree: XPL_AUTO_JSON.
 */
enum xpl_status xpl_call_json(struct xpl_call *call, json_t **ret, struct xpl_error *err);

/** The same for a part of the body that is JSON of its own. */
enum xpl_status xpl_call_json_part(struct xpl_call *call, struct xpl_text text, json_t **ret, struct xpl_error *err);

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

/** An answer that is streamed; what it points at is in the call's arena. */
enum xpl_answered xpl_reply_stream(struct xpl_call *call, unsigned http_status, const char *content_type,
                                   const struct xpl_streamed *stream);

/** XPL_STREAM_BREAKS, and says in the log why. */
enum xpl_streaming xpl_stream_failed(const struct xpl_call *call, const struct xpl_error *err);

/** The error envelope {"trace","errors":[{"code","message","parameters"}]} with the status's HTTP code. */
enum xpl_answered xpl_reply_error(struct xpl_call *call, const struct xpl_error *err);

/** Hands a write over. `bytes` is about what it writes. `arg` lives in the call's arena. */
enum xpl_answered xpl_reply_after_commit(struct xpl_call *call, xpl_call_write_fn run, void *arg, size_t bytes);

/** Makes the handler run again when one of the tasks has ended, or xpl_call_waits no more. */
enum xpl_answered xpl_reply_after_tasks(struct xpl_call *call, const char **task_ids, size_t n_tasks);

/** For a write: the answer it made is held back until all these tasks have ended or the client's time is over. */
void xpl_reply_hold_for_tasks(struct xpl_call *call, const char **task_ids, size_t n_tasks);

/** Says in the answer which preference was honoured: called once, when the answer leaves. */
void xpl_reply_preference(struct xpl_call *call);

/** For a write: it deletes these tasks; workers and waiting calls learn it after the commit. */
enum xpl_status xpl_call_deletes_tasks(struct xpl_call *call, const char *const *task_ids, size_t n,
                                       struct xpl_error *err);

/** Whether If-None-Match has this entity tag; with its quotes. */
bool xpl_call_has_current(const struct xpl_call *call, const char *etag);

/** 304, or ETag and Cache-Control of a 200 to come: what never changes, but may be gone tomorrow. */
enum xpl_answered xpl_reply_not_modified(struct xpl_call *call, const char *etag);
void xpl_reply_etag(struct xpl_call *call, const char *etag);

/** One more header of the answer; value in the call's arena or constant. */
void xpl_reply_header(struct xpl_call *call, const char *name, const char *value);

#endif
