/* SPDX-License-Identifier: Apache-2.0 */
/* What hangs on a subscription or a provider, and how it goes. */
#ifndef XPL_DB_SUBSCRIPTIONS_H
#define XPL_DB_SUBSCRIPTIONS_H

#include "db/db.h"

/** Where records are logged to. */
struct xpl_log_target {
    const char *type, *target_type; /* of the data set */
    const char *subscription_id;
    const char *deployment_id;    /* NULL: the subscription is gone */
    const char *asset_properties; /* JSON: {"asset_properties": {…}} with what answers are read by */
    const char *automatic;        /* JSON: the rules for automatic explanations, which are enabled; NULL = none */
    bool has_output_schema;
};

/**
 * One small query instead of two whole entities: every logged request asks it. XPL_NOT_FOUND: no such data set in this
 * data mart.
 */
enum xpl_status xpl_log_target_get(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id,
                                   const char *data_set_id, struct xpl_log_target *ret, struct xpl_error *err);

/** Whether anything was logged for a subscription. */
enum xpl_status xpl_subscription_has_records(struct xpl_db *db, const char *subscription_id, bool *ret,
                                             struct xpl_error *err);

/** Deletes what belongs to a subscription: tasks with their explanations, records, data sets, monitor instances. */
enum xpl_status xpl_subscription_purge(struct xpl_db *db, const char *subscription_id, struct xpl_error *err);

/** Ids of the subscriptions of a provider. */
enum xpl_status xpl_provider_subscriptions(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id,
                                           const char *provider_id, const char ***ret_ids, size_t *ret_count,
                                           struct xpl_error *err);

/** Ids of the tasks of a subscription that are queued or being worked on. */
enum xpl_status xpl_subscription_running_tasks(struct xpl_db *db, struct xpl_arena *arena, const char *subscription_id,
                                               const char ***ret_ids, size_t *ret_count, struct xpl_error *err);

#endif
