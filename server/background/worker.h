/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads that make explanations.
 */
#ifndef XPL_SERVER_WORKER_H
#define XPL_SERVER_WORKER_H

#include "api/app.h"
#include "server/http/waiting.h"

struct xpl_workers;

/**
 * Puts tasks an earlier process left behind back into the queue, starts explain.workers threads and keeps their leases.
 * Fills app->workers: to be called before any request is served. Calls that wait for a task are woken when it ends.
 * `app`, `waiting` and `db_path` must outlive the workers.
 */
enum xpl_status xpl_workers_start(struct xpl_app *app, struct xpl_waiting *waiting, const char *db_path,
                                  struct xpl_workers **ret, struct xpl_error *err);

/** Ends the threads; tasks under way go back to the queue. The writer must still run. NULL is fine. */
void xpl_workers_stop(struct xpl_workers *workers);

#endif
