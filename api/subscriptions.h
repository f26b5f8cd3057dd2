/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XPL_API_SUBSCRIPTIONS_H
#define XPL_API_SUBSCRIPTIONS_H

#include <jansson.h>

#include "api/app.h"

/** A subscription's entity with its scoring credentials decrypted: for calling the model. The caller owns it. */
enum xpl_status xpl_subscription_load(struct xpl_app *app, struct xpl_db *db, struct xpl_arena *arena,
                                      const char *data_mart_id, const char *id, json_t **ret_entity,
                                      struct xpl_error *err);

#endif
