/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logging what went through the gateway, on a thread of its own: scoring never waits for it, and never fails with it.
 *
 * Transactions wait in memory, bounded by `gateway.log_bytes`; what comes while it is full, and what cannot be logged
 * (no image in it, say), is counted and said in the log. What waits when the daemon ends is still logged.
 */
#ifndef XPL_SERVER_GATEWAY_LOG_H
#define XPL_SERVER_GATEWAY_LOG_H

#include "api/app.h"
#include "db/db.h"

struct xpl_gateway_log;

/** Starts the thread and sets app->gateway. */
enum xpl_status xpl_gateway_log_start(struct xpl_app *app, const char *db_path, struct xpl_gateway_log **ret,
                                      struct xpl_error *err);

/** Logs what waits and ends the thread; before the writer stops. NULL is fine. */
void xpl_gateway_log_stop(struct xpl_gateway_log *log);

#endif
