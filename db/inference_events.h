/* SPDX-License-Identifier: Apache-2.0 */
/* Halves of inference logs that wait for their other half, and events that never became a record. */
#ifndef XPL_DB_INFERENCE_EVENTS_H
#define XPL_DB_INFERENCE_EVENTS_H

#include "db/records.h"

struct xpl_event {
    const char *data_mart_id, *subscription_id, *id;
    bool response;        /* else the request */
    struct xpl_blob data; /* as xpl_payload_compress made it */
    size_t size;          /* before that */
    int64_t time, received_at;
};

/** One that is there already stays: `*ret_new` is false then. */
enum xpl_status xpl_event_put(struct xpl_db *db, const struct xpl_event *event, bool *ret_new, struct xpl_error *err);

/** The text of one half, decompressed; XPL_NOT_FOUND when it is not there. */
enum xpl_status xpl_event_get(struct xpl_db *db, struct xpl_arena *arena, const char *subscription_id, const char *id,
                              bool response, struct xpl_text *ret, int64_t *ret_time, struct xpl_error *err);

/** Both halves. */
enum xpl_status xpl_event_delete(struct xpl_db *db, const char *subscription_id, const char *id, struct xpl_error *err);

/** How many wait in a subscription; counting ends at `max`. */
enum xpl_status xpl_events_count(struct xpl_db *db, const char *subscription_id, int64_t max, int64_t *ret,
                                 struct xpl_error *err);

struct xpl_event_error {
    const char *data_mart_id, *subscription_id, *data_set_id, *event_id, *reason;
    int64_t created_at;
};

/** Of a data set the latest 10,000 are kept: the trigger event_errors_kept. */
enum xpl_status xpl_event_error_add(struct xpl_db *db, const struct xpl_event_error *error, struct xpl_error *err);

/** The latest first. */
enum xpl_status xpl_event_errors_list(struct xpl_db *db, struct xpl_arena *arena, const char *data_set_id,
                                      int64_t limit, int64_t offset, struct xpl_event_error **ret, size_t *ret_n,
                                      struct xpl_error *err);

/** When the half that waits longest came; 0 = none waits. */
enum xpl_status xpl_events_oldest(struct xpl_db *db, int64_t *ret, struct xpl_error *err);

/** Of all subscriptions: halves that came before `before`, the oldest hundred, become errors. `ret_n` = how many. */
enum xpl_status xpl_events_expire(struct xpl_db *db, int64_t before, int64_t now, int64_t *ret_n,
                                  struct xpl_error *err);

#endif
