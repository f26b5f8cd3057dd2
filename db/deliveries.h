/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is still to be said to webhooks: the outbox.
 *
 * A trigger of the schema fills it in the transaction that ends an explanation. A delivery stays until it is made; one
 * that failed too often is dead, and stays for somebody to look at it, until 10,000 further ones of its webhook have
 * come.
 */
#ifndef XPL_DB_DELIVERIES_H
#define XPL_DB_DELIVERIES_H

#include "db/task_events.h"

struct xpl_delivery {
    int64_t seq;
    const char *id, *data_mart_id, *webhook_id;
    struct xpl_task_event event; /* without number */
    bool dead;
    int64_t attempts;   /* that failed */
    int64_t next_at;    /* not before; microseconds */
    int64_t tried_at;   /* 0 = not yet */
    const char *reason; /* of the last failure; NULL = none */
};

/**
 * The pending delivery that is due first, of an enabled webhook that is not among the n_busy ids, whether or not its
 * time has come. XPL_NOT_FOUND when there is none.
 */
#define XPL_MAX_BUSY_WEBHOOKS 64
enum xpl_status xpl_delivery_next(struct xpl_db *db, struct xpl_arena *arena, const char *const *busy, size_t n_busy,
                                  struct xpl_delivery *ret, struct xpl_error *err);

enum xpl_status xpl_delivery_made(struct xpl_db *db, int64_t seq, struct xpl_error *err);

/** Counts an attempt; `next_at` 0: it is dead now. */
enum xpl_status xpl_delivery_failed(struct xpl_db *db, int64_t seq, int64_t now, int64_t next_at, const char *reason,
                                    struct xpl_error *err);

/** Sets `enabled` of a webhook to false. */
enum xpl_status xpl_webhook_disable(struct xpl_db *db, const char *webhook_id, int64_t now, struct xpl_error *err);

/** `state` "pending" or "dead"; NULL = both. In the order of the events. */
struct xpl_delivery_query {
    const char *webhook_id, *state;
    int64_t offset, limit;
};
enum xpl_status xpl_deliveries_list(struct xpl_db *db, struct xpl_arena *arena, const struct xpl_delivery_query *query,
                                    struct xpl_delivery **ret, size_t *ret_count, struct xpl_error *err);

struct xpl_delivery_counts {
    int64_t pending, dead;
    int64_t dropped; /* since the webhook was made */
};
enum xpl_status xpl_delivery_counts_of(struct xpl_db *db, const char *webhook_id, struct xpl_delivery_counts *ret,
                                       struct xpl_error *err);

/** Makes dead deliveries pending again: the one named, or all (NULL). How many there were. */
enum xpl_status xpl_deliveries_revive(struct xpl_db *db, const char *webhook_id, const char *delivery_id, int64_t now,
                                      int64_t *ret_count, struct xpl_error *err);

#endif
