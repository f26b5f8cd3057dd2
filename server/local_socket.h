/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Unix socket in the data directory. Who may open it, the owner, runs the daemon: requests that come this way need
 * no login. Commands beside a running daemon use it.
 */
#ifndef XPL_SERVER_LOCAL_SOCKET_H
#define XPL_SERVER_LOCAL_SOCKET_H

#include "lib/base/buf.h"
#include "lib/base/status.h"
#include "server/http/listen.h"

/** Opens it. XPL_BAD_FIELD when that is not possible. */
enum xpl_status xpl_local_listen(const char *data_dir, struct xpl_listener *ret, struct xpl_error *err);

/** Removes it. */
void xpl_local_remove(const char *data_dir);

/**
 * Sends a request to the daemon that listens there: its HTTP status, and the body of the answer in `answer`. `body`
 * NULL = none. XPL_NOT_FOUND when nobody listens.
 */
enum xpl_status xpl_local_request(const char *data_dir, const char *method, const char *path, const char *body,
                                  struct xpl_buf *answer, unsigned *ret_http_status, struct xpl_error *err);

#endif
