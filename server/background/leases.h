/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heartbeat of the tasks this process works on, and the sweeper of those that nobody works on any more.
 *
 * A lease lasts for explain.lease_ms. Every sixth of that, one write renews what is held here and takes back what ran
 * out: in this order, so that a process that was stopped for a while does not lose its own leases to itself. A lease
 * that cannot be renewed is somebody else's, or its task is gone: its work is cancelled.
 */
#ifndef XPL_SERVER_LEASES_H
#define XPL_SERVER_LEASES_H

#include <stdatomic.h>

#include "api/app.h"
#include "db/tasks.h"

struct xpl_leases;

/** `on_taken_back` runs when tasks of others went back to the queue or ended. */
enum xpl_status xpl_leases_start(struct xpl_app *app, void (*on_taken_back)(void *context), void *context,
                                 struct xpl_leases **ret, struct xpl_error *err);
void xpl_leases_stop(struct xpl_leases *leases); /* NULL is fine */

/** Until when a lease taken now lasts. Microseconds since 1970. */
int64_t xpl_lease_until(const struct xpl_app *app);

/** Keeps a lease alive until it is dropped; `cancel` is set when it was lost. XPL_MAX_LEASES at the same time. */
void xpl_lease_hold(struct xpl_leases *leases, const struct xpl_task *task, atomic_bool *cancel);
void xpl_lease_drop(struct xpl_leases *leases, const struct xpl_task *task);

#define XPL_MAX_LEASES 64

#endif
