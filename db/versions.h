/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be remembered of the database, and for how long: numbers that grow with what the writer stores. Whoever
 * takes them before it reads may keep what it read for as long as they are the same.
 */
#ifndef XPL_DB_VERSIONS_H
#define XPL_DB_VERSIONS_H

#include <stdatomic.h>

#include "db/db.h"

struct xpl_versions {
    uint64_t configuration; /* data sets, subscriptions, monitors, providers */
    uint64_t explanations;  /* that had finished: something was deleted */
};

/** The writer's. All zero at the start. */
struct xpl_version_clock {
    _Atomic(uint64_t) configuration, explanations;
    bool configuration_touched, explanations_touched; /* by the transaction under way */
};

/** Notes what the connection changes from now on. */
void xpl_versions_watch(struct xpl_version_clock *clock, struct xpl_db *db);

/** After a transaction, and before anybody is told of it. */
void xpl_versions_publish(struct xpl_version_clock *clock);

/** From any thread. */
struct xpl_versions xpl_versions_read(struct xpl_version_clock *clock);

#endif
