/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that wait: for explanations to end (Prefer: wait=s), or for news of what they stream. They are suspended and
 * cost no thread: whoever ends a task, or has news of one, wakes those that wait for it; one thread of this module
 * watches the time, and clients that go away.
 */
#ifndef XPL_SERVER_WAITING_H
#define XPL_SERVER_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/status.h"

struct xpl_waiting;

enum xpl_woken {
    XPL_WOKEN_ENDED, /* all it waited for has ended, or has news */
    XPL_WOKEN_LATE,  /* the time is up */
    XPL_WOKEN_GONE,  /* the client is gone */
    XPL_WOKEN_STOP   /* the process stops */
};

/** A call that waits; embedded in what it is about, and left alone by it until `wake` is called. */
struct xpl_waiter {
    const char **task_ids; /* n_tasks that have not ended; taken apart while it waits */
    size_t n_tasks;
    int64_t until_us; /* monotonic */
    int fd;           /* the client's socket: its end ends the wait */
    /** From any thread; must not block. */
    void (*wake)(struct xpl_waiter *waiter, enum xpl_woken why);

    /* of this module */
    struct xpl_waiter *next;
    uint64_t serial;
};

enum xpl_status xpl_waiting_start(size_t max_waiters, struct xpl_waiting **ret, struct xpl_error *err);

/** Wakes all and lets nobody wait any more. NULL is fine. */
void xpl_waiting_drain(struct xpl_waiting *waiting);

/** When nobody can call any more. NULL is fine. */
void xpl_waiting_free(struct xpl_waiting *waiting);

/** How many tasks have ended so far: to be read before looking at a task, so that no end is missed in between. */
uint64_t xpl_waiting_ends(struct xpl_waiting *waiting);

enum xpl_wait {
    XPL_WAIT_BEGUN,
    XPL_WAIT_LOOK_AGAIN, /* tasks have ended since `ends` was read */
    XPL_WAIT_REFUSED     /* too many wait already, or the process stops */
};

/** All but XPL_WAIT_BEGUN leave the waiter with the caller. */
enum xpl_wait xpl_waiting_add(struct xpl_waiting *waiting, struct xpl_waiter *waiter, uint64_t ends);

/** A task has ended or is gone, and that is committed; NULL = some have: wakes all, to look for themselves. */
void xpl_waiting_ended(struct xpl_waiting *waiting, const char *task_id);

#endif
