/* SPDX-License-Identifier: Apache-2.0 */
/* A subscription's entity in the form of v1 and of v2. */
#ifndef XPL_API_V1_SUBSCRIPTION_FORM_H
#define XPL_API_V1_SUBSCRIPTION_FORM_H

#include <jansson.h>

#include "lib/base/status.h"

/** The entity of v1 made of one of v2; secrets stay as they are. The caller owns it; NULL without memory. */
json_t *xpl_v1_subscription_entity(const json_t *v2);

/**
 * The other way round. What v1 cannot say is taken from `before` (NULL = nothing): members of v2 are kept.
 * XPL_BAD_FIELD names members as v1 has them.
 */
enum xpl_status xpl_v2_subscription_entity(const json_t *v1, const json_t *before, const char *data_mart_id,
                                           const char *binding_id, json_t **ret, struct xpl_error *err);

#endif
