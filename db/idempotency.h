/* SPDX-License-Identifier: Apache-2.0 */
/* The answers to requests that named an idempotency key, each for XPL_KEY_LIFE_US. */
#ifndef XPL_DB_IDEMPOTENCY_H
#define XPL_DB_IDEMPOTENCY_H

#include "db/db.h"

#define XPL_KEY_LIFE_US ((int64_t)24 * 3600 * 1000000)

struct xpl_keyed_answer {
    const char *data_mart_id, *key;
    struct xpl_blob request; /* hash of what was asked */
    int64_t http_status;
    const char *location, *content_type; /* NULL = none */
    const char *body;
    int64_t created_at; /* microseconds */
};

/** XPL_NOT_FOUND when there is none, or it is too old at `now`. */
enum xpl_status xpl_keyed_answer_get(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id,
                                     const char *key, int64_t now, struct xpl_keyed_answer *ret, struct xpl_error *err);

/** Takes the place of one that is too old. */
enum xpl_status xpl_keyed_answer_put(struct xpl_db *db, const struct xpl_keyed_answer *answer, struct xpl_error *err);

/** Deletes some of those that are too old at `now`, of any data mart; `*ret_n` = 0 when there are none. */
enum xpl_status xpl_keyed_answers_expire(struct xpl_db *db, int64_t now, int64_t *ret_n, struct xpl_error *err);

/** All of a data mart. */
enum xpl_status xpl_keyed_answers_delete(struct xpl_db *db, const char *data_mart_id, struct xpl_error *err);

#endif
