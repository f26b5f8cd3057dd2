/* SPDX-License-Identifier: Apache-2.0 */
/* What was found out about images in one request, requests in flight and raw tensors: a row for each subscription,
 * valid for one way to reach its model. */
#ifndef XPL_DB_DEPLOYMENT_BATCHES_H
#define XPL_DB_DEPLOYMENT_BATCHES_H

#include "db/db.h"
#include "lib/base/hash.h"

struct xpl_deployment_batch {
    const char *data_mart_id, *subscription_id;
    uint8_t endpoint[XPL_HASH_BYTES]; /* SHA-256 of the settings of the scoring endpoint */
    uint32_t accepted, refused;       /* as struct xpl_batch of lib/scoring */
    uint32_t depth;                   /* requests in flight; 0 = not known */
    bool raw_refused;                 /* raw tensors were tried in vain */
    int64_t found_at;                 /* microseconds */
};

/** Reads all but the ids of `row`'s subscription and endpoint; XPL_NOT_FOUND when nothing is known. */
enum xpl_status xpl_deployment_batch_get(struct xpl_db *db, struct xpl_arena *arena, struct xpl_deployment_batch *row,
                                         struct xpl_error *err);

/** Replaces what was known. Nothing is stored for a subscription that is gone. */
enum xpl_status xpl_deployment_batch_put(struct xpl_db *db, const struct xpl_deployment_batch *row,
                                         struct xpl_error *err);

#endif
