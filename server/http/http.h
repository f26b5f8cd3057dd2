/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP and HTTPS on the same ports: two microhttpd daemons fed by the acceptor, each with one thread and its own
 * database reader; calls that write or block are suspended until they are answered.
 */
#ifndef XPL_SERVER_HTTP_H
#define XPL_SERVER_HTTP_H

#include "api/app.h"
#include "server/http/listen.h"
#include "server/http/streams.h"
#include "server/http/tls.h"
#include "server/http/waiting.h"

struct xpl_http;

/** Serves on `listeners` (borrowed). `app`, `waiting`, `streams`, `db_path` and `tls` must outlive it. */
enum xpl_status xpl_http_start(struct xpl_app *app, struct xpl_waiting *waiting, struct xpl_streams *streams,
                               const char *db_path, const struct xpl_tls *tls, struct xpl_listener *listeners,
                               size_t n_listeners, struct xpl_http **ret, struct xpl_error *err);

/**
 * Accepts no more connections, answers new requests with 503, and at once those that wait for explanations; finishes
 * what runs on the API threads.
 */
void xpl_http_drain(struct xpl_http *http);

/** After the drain and after the writer has stopped: waits briefly for answers to leave, then ends. NULL is fine. */
void xpl_http_stop(struct xpl_http *http);

#endif
