/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rules for automatic explanations did: counts of the current hour and day (UTC), durable. A rule has one row,
 * which begins anew with the day.
 */
#ifndef XPL_DB_AUTOMATIC_H
#define XPL_DB_AUTOMATIC_H

#include "db/db.h"

#define XPL_AUTOMATIC_MAX_COUNTS 1000 /* rules of a subscription in a day, renamed ones with them */

struct xpl_automatic_count {
    const char *rule;
    int64_t in_hour;      /* explanations queued in the current hour */
    int64_t explanations; /* queued today */
    int64_t model_calls;  /* made today by explanations of the rule */
    /* records the rule picked today that got no explanation */
    int64_t over_budget, queue_full, not_possible;
};

/** Hours since 1970, UTC: what all functions here take as the current one. */
int64_t xpl_hour_of(int64_t now_us);

/** The rules of a subscription that did something today, by name. */
enum xpl_status xpl_automatic_counts(struct xpl_db *db, struct xpl_arena *arena, const char *subscription_id,
                                     int64_t hour, struct xpl_automatic_count **ret, size_t *ret_count,
                                     struct xpl_error *err);

/** The same summed over all subscriptions; `rule` and `in_hour` are not set. */
enum xpl_status xpl_automatic_total(struct xpl_db *db, int64_t hour, struct xpl_automatic_count *ret,
                                    struct xpl_error *err);

/** Adds `more` to today's counts of its rule. On the writer. */
enum xpl_status xpl_automatic_add(struct xpl_db *db, const char *subscription_id, int64_t hour,
                                  const struct xpl_automatic_count *more, struct xpl_error *err);

/** Model calls that automatic explanations which have not ended are expected to make; `rule` NULL = any. */
enum xpl_status xpl_automatic_expected(struct xpl_db *db, const char *subscription_id, const char *rule, int64_t *ret,
                                       struct xpl_error *err);

#endif
