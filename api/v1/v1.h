/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operations of API v1 (2018-2020) share. They are views over the same rows as those of v2: a service binding
 * is a service provider, a v1 subscription is a v2 subscription with its payload data set, and `explainability` is the
 * monitor instance of that name. A path names the data mart first.
 */
#ifndef XPL_API_V1_H
#define XPL_API_V1_H

#include "api/call.h"
#include "api/configuration/resource.h"

/**
 * Takes the data mart of path parameter 0 out of the path: the others move one place forward, so that parameter 0 is
 * the id of what the operation is about, as in v2. XPL_NOT_FOUND for a data mart that is not the caller's.
 */
enum xpl_status xpl_v1_enter(struct xpl_call *call, struct xpl_error *err);

/** The same for a data mart that is named elsewhere; NULL = the caller's own. */
enum xpl_status xpl_v1_use_data_mart(struct xpl_call *call, const char *data_mart_id, struct xpl_error *err);

/** {"guid","url","created_at","modified_at"?}; `url` is a printf format for the id. NULL without memory. */
json_t *xpl_v1_metadata(const struct xpl_resource *resource, json_t *url);

/** "/v1/data_marts/{data mart}" and what follows; a new string. */
json_t *xpl_v1_url(const struct xpl_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The resource of an id; XPL_NOT_FOUND in the words of v1. */
enum xpl_status xpl_v1_find(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource_type *type,
                            const char *id, struct xpl_resource *ret, struct xpl_error *err);

/** XPL_NOT_FOUND unless the subscription of path parameter 1 is one of the binding of path parameter 0. */
enum xpl_status xpl_v1_find_subscription(struct xpl_db *db, struct xpl_call *call, struct xpl_resource *ret,
                                         struct xpl_error *err);

#endif
