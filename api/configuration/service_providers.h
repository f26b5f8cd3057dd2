/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XPL_API_SERVICE_PROVIDERS_H
#define XPL_API_SERVICE_PROVIDERS_H

#include <jansson.h>

#include "api/app.h"
#include "api/configuration/resource.h"

extern const struct xpl_resource_type xpl_service_provider_type;

/** A provider's entity with its credentials decrypted: for calling the model, never for an answer. The caller owns it.
 */
enum xpl_status xpl_provider_load(struct xpl_app *app, struct xpl_db *db, struct xpl_arena *arena,
                                  const char *data_mart_id, const char *id, json_t **ret_entity, struct xpl_error *err);

#endif
