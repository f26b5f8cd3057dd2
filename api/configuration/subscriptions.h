/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XPL_API_SUBSCRIPTIONS_H
#define XPL_API_SUBSCRIPTIONS_H

#include <jansson.h>

#include "api/call.h"
#include "api/configuration/resource.h"

extern const struct xpl_resource_type xpl_subscription_type;

/** A subscription's entity with its scoring credentials decrypted: for calling the model. The caller owns it. */
enum xpl_status xpl_subscription_load(struct xpl_app *app, struct xpl_db *db, struct xpl_arena *arena,
                                      const char *data_mart_id, const char *id, json_t **ret_entity,
                                      struct xpl_error *err);

/** On the writer: the row, and the data set that its payloads are logged to. XPL_BAD_FIELD: no such provider. */
enum xpl_status xpl_subscription_insert(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource *resource,
                                        struct xpl_error *err);

#endif
