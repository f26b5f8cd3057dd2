/* SPDX-License-Identifier: Apache-2.0 */
/* What was found out about images in one request and requests in flight: a row for each subscription, valid for one
 * scoring URL. */
#ifndef XPL_DB_DEPLOYMENT_BATCHES_H
#define XPL_DB_DEPLOYMENT_BATCHES_H

#include "db/db.h"
#include "lib/base/hash.h"

struct xpl_deployment_batch {
    const char *data_mart_id, *subscription_id;
    uint8_t endpoint[XPL_HASH_BYTES]; /* SHA-256 of the scoring URL */
    uint32_t accepted, refused;       /* as struct xpl_batch of lib/scoring */
    uint32_t depth;                   /* requests in flight; 0 = not known */
    int64_t found_at;                 /* microseconds */
};

/** Reads accepted, refused, depth and found_at of `row`'s subscription and endpoint; XPL_NOT_FOUND when nothing is
 * known. */
enum xpl_status xpl_deployment_batch_get(struct xpl_db *db, struct xpl_arena *arena, struct xpl_deployment_batch *row,
                                         struct xpl_error *err);

/** Replaces what was known. Nothing is stored for a subscription that is gone. */
enum xpl_status xpl_deployment_batch_put(struct xpl_db *db, const struct xpl_deployment_batch *row,
                                         struct xpl_error *err);

#endif
