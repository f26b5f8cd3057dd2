/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources that are a JSON entity with a few columns to filter by: providers, subscriptions, data sets, monitor
 * instances, webhooks.
 *
 * They differ in their table and filter columns only, so one set of queries serves all. The entity is kept as the
 * client sent it, unknown members included; the columns repeat what lists are filtered by.
 */
#ifndef XPL_DB_RESOURCES_H
#define XPL_DB_RESOURCES_H

#include "db/db.h"

#define XPL_RESOURCE_MAX_COLUMNS 6

struct xpl_resource_kind {
    const char *table;
    const char *columns[XPL_RESOURCE_MAX_COLUMNS]; /* names of the filter columns, NULL behind the last */
};

extern const struct xpl_resource_kind xpl_kind_data_mart;
extern const struct xpl_resource_kind xpl_kind_service_provider;
extern const struct xpl_resource_kind xpl_kind_subscription;
extern const struct xpl_resource_kind xpl_kind_data_set;
extern const struct xpl_resource_kind xpl_kind_monitor_instance;
extern const struct xpl_resource_kind xpl_kind_webhook;

struct xpl_resource {
    const char *id, *data_mart_id;
    const char *entity;                            /* JSON text */
    const char *columns[XPL_RESOURCE_MAX_COLUMNS]; /* in the order of the kind; NULL = no value */
    int64_t created_at, modified_at;               /* microseconds; 0 = never modified */
    const char *created_by, *modified_by;
};

/** A list filter: the column must equal one of the comma-separated values. `values` NULL = not filtered. */
struct xpl_resource_filter {
    const char *values[XPL_RESOURCE_MAX_COLUMNS]; /* by column */
};

enum xpl_status xpl_resource_insert(struct xpl_db *db, const struct xpl_resource_kind *kind,
                                    const struct xpl_resource *resource, struct xpl_error *err);

/** XPL_NOT_FOUND for an unknown id and for one of another data mart alike. */
enum xpl_status xpl_resource_get(struct xpl_db *db, struct xpl_arena *arena, const struct xpl_resource_kind *kind,
                                 const char *data_mart_id, const char *id, struct xpl_resource *ret,
                                 struct xpl_error *err);

/** In the order they were made. At most 10,000. */
enum xpl_status xpl_resource_list(struct xpl_db *db, struct xpl_arena *arena, const struct xpl_resource_kind *kind,
                                  const char *data_mart_id, const struct xpl_resource_filter *filter,
                                  struct xpl_resource **ret, size_t *ret_count, struct xpl_error *err);

/** Writes entity, columns and modification of an existing resource; XPL_NOT_FOUND when there is none. */
enum xpl_status xpl_resource_update(struct xpl_db *db, const struct xpl_resource_kind *kind,
                                    const struct xpl_resource *resource, struct xpl_error *err);

/** The ids of data marts that were looked at or have something in them, in order. At most 10,000. */
enum xpl_status xpl_data_marts_in_use(struct xpl_db *db, struct xpl_arena *arena, const char ***ret, size_t *ret_count,
                                      struct xpl_error *err);

enum xpl_status xpl_resource_delete(struct xpl_db *db, const struct xpl_resource_kind *kind, const char *data_mart_id,
                                    const char *id, struct xpl_error *err);

#endif
