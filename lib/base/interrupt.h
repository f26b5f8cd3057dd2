/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long work is ended early: it asks now and then whether to go on, and knows nothing of clocks and threads.
 */
#ifndef XPL_BASE_INTERRUPT_H
#define XPL_BASE_INTERRUPT_H

#include <stdatomic.h>
#include <stdint.h>

#include "lib/base/status.h"

/** Asked in steps of milliseconds: XPL_OK, or why not to go on. */
struct xpl_interrupt {
    enum xpl_status (*check)(void *context, struct xpl_error *err);
    void *context;
};

/** NULL: nothing interrupts. */
static inline enum xpl_status xpl_interrupted(const struct xpl_interrupt *interrupt, struct xpl_error *err)
{
    return interrupt ? interrupt->check(interrupt->context, err) : XPL_OK;
}

/** What explanations wait for at most. */
struct xpl_patience {
    const atomic_bool *cancel; /* set by other threads; NULL = never */
    int64_t deadline_us;       /* of the monotonic clock; 0 = none */
};

/** The `check` of a struct xpl_patience: XPL_CANCELLED or XPL_DEADLINE when it is at its end. */
enum xpl_status xpl_patience_check(void *patience, struct xpl_error *err);

#endif
