/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every operation may use: settings, storage, keys, and the few things only the process around it can do.
 */
#ifndef XPL_API_APP_H
#define XPL_API_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/writer.h"
#include "lib/base/buf.h"
#include "lib/base/cache.h"
#include "lib/base/hash.h"
#include "lib/base/meter.h"
#include "lib/base/text.h"
#include "lib/image/decode.h"
#include "lib/scoring/breaker.h"
#include "lib/scoring/call_meters.h"
#include "lib/scoring/transport/address.h"

#define XPL_DEFAULT_INSTANCE "00000000-0000-0000-0000-000000000000"

enum xpl_limits_profile {
    XPL_PROFILE_DEFAULT,
    XPL_PROFILE_OPENSCALE /* images of at most 125 x 125 pixels, as the original documented */
};

/** Configuration values; server/config.c has the table of keys. */
struct xpl_settings {
    int64_t http_connections, http_connections_per_address;
    int64_t http_header_timeout_ms, http_body_timeout_ms, http_answer_timeout_ms, http_idle_timeout_ms;
    int64_t http_waiting; /* calls that wait for explanations (Prefer: wait) */
    int64_t http_streams, http_stream_timeout_ms, http_stream_heartbeat_ms;
    int64_t http_exports;         /* lists that are streamed */
    int64_t limits_payload_bytes; /* scoring input of one logged image */
    int64_t limits_event_wait_ms;
    int64_t limits_records_body_bytes, limits_tasks_body_bytes, limits_body_bytes;
    int64_t limits_bodies_total; /* all request bodies in memory together */
    int64_t limits_cache_bytes;
    int64_t limits_decode_ms;
    int64_t limits_tasks_queued, limits_tasks_queued_per_subscription;
    enum xpl_limits_profile limits_profile;
    int64_t explain_workers, explain_in_flight, explain_batch, explain_deadline_ms, explain_lease_ms, explain_retries;
    const char *scoring_allow;
    int64_t scoring_connect_timeout_ms, scoring_call_timeout_ms, scoring_retries;
    int64_t scoring_body_bytes, scoring_answer_bytes;
    int64_t scoring_breaker_failures, scoring_breaker_pause_ms;
    int64_t auth_failed_logins;            /* a minute, of one name from one address */
    const char *auth_admin_password_file;  /* of the first administrator; "" = a random one */
    const char *tls_certificate, *tls_key; /* PEM files; a self-signed pair is made when not given */
    const char *log_level;
    const char *cors_origins;                                      /* blank- or comma-separated; "*" = all; "" = none */
    int64_t retention_days, retention_bytes, retention_pixel_days; /* 0 = keep */
    int64_t retention_interval_ms;
    int64_t gateway_threads, gateway_log_bytes;
    int64_t webhooks_threads, webhooks_attempts, webhooks_retry_ms, webhooks_timeout_ms;
};

/** How far a task that is being worked on has come. */
struct xpl_task_progress {
    const char *phase; /* "starting", "segmenting", "scoring", "rendering": constants */
    size_t done, total;
    int64_t eta_ms; /* -1 when unknown */
};

/** What the worker pool offers to the API. All of it may be called from any thread. */
struct xpl_worker_hooks {
    void *context;
    void (*wake)(void *context); /* a task was queued */
    /* a task was deleted, and that is committed: stop working on it, wake the calls that wait for it */
    void (*deleted)(void *context, const char *task_id);
    bool (*progress)(void *context, const char *task_id, struct xpl_task_progress *ret);
};

/** What the thread that deletes offers to the API. */
struct xpl_upkeep_hooks {
    void *context;
    void (*wake)(void *context); /* something is to be purged */
};

/** What the process counts, apart from HTTP and the writer. */
struct xpl_app_meters {
    struct xpl_call_meters model_calls;
    xpl_counter tasks_finished, tasks_failed, retention_records, purged_records;
    xpl_counter decoder_failures;
    xpl_counter webhooks_delivered, webhooks_failed, webhooks_dead; /* attempts; the last of those that failed */
    xpl_counter gateway_logged, gateway_unlogged;                   /* transactions; those that could not be */
};

/** What the process around the API tells about itself. */
struct xpl_process_hooks {
    void *context;
    /** Appends the page of metrics to `out`; `db` is the caller's reader. */
    enum xpl_status (*metrics)(void *context, struct xpl_db *db, struct xpl_buf *out, struct xpl_error *err);
};

/** A transaction that went through the gateway; everything is the caller's. */
struct xpl_scored {
    const char *data_mart_id, *subscription_id, *user, *transaction_id;
    const char *why_not; /* it cannot be logged; NULL = it can */
    struct xpl_text request, response;
    const char *request_type;                         /* its header Content-Type; NULL = none */
    const char *request_head, *response_head;         /* their headers Inference-Header-Content-Length; NULL = none */
    const char *request_encoding, *response_encoding; /* and Content-Encoding, likewise */
    int64_t scored_at;                                /* microseconds */
    double response_time_ms;
};

/** What the gateway needs of the process around the API. */
struct xpl_gateway_hooks {
    struct xpl_forwarder *forwarder;
    void *context;
    void (*log)(void *context, const struct xpl_scored *scored); /* copies what it needs, never waits */
    /** Memory for an answer that is to be logged when it is whole; false when gateway.log_bytes does not allow it. */
    bool (*reserve)(void *context, size_t bytes);
    void (*release)(void *context, size_t bytes);
};

struct xpl_credentials;

struct xpl_app {
    struct xpl_settings settings;
    struct xpl_credentials *credentials; /* NULL without users */
    struct xpl_writer *writer;
    struct xpl_cache *cache; /* by keys that begin with what they are of; versions are the writer's */
    struct xpl_worker_hooks workers;
    struct xpl_upkeep_hooks upkeep;
    struct xpl_process_hooks process;
    struct xpl_gateway_hooks gateway;
    struct xpl_app_meters meters;
    const struct xpl_picture_decoder *decoder;
    const struct xpl_address_policy *scoring_policy;
    struct xpl_breaker *breaker;
    struct xpl_model_tokens *model_tokens;
    uint8_t token_key[XPL_KEY_BYTES];   /* signs the tokens of the login routes */
    uint8_t secrets_key[XPL_KEY_BYTES]; /* encrypts provider credentials */
    bool no_auth;
    int64_t started_us;
};

#endif
