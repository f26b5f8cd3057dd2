/* SPDX-License-Identifier: Apache-2.0 */
/* Where predictions of a subscription go, and how: all of it that stays as it is until somebody changes a setting. */
#ifndef XPL_API_SCORING_TARGET_H
#define XPL_API_SCORING_TARGET_H

#include "api/call.h"
#include "api/scoring/endpoint.h"
#include "lib/scoring/model_settings.h"

struct xpl_scoring_target {
    struct xpl_model_address address;
    struct xpl_model_settings model;
};

/**
 * Lives as long as the call's arena, and may be shared with other calls. XPL_NOT_FOUND: no such subscription, or no
 * provider of it. XPL_BAD_FIELD: it does not say where its model is, or what it says is wrong.
 */
enum xpl_status xpl_scoring_target_of(struct xpl_call *call, const char *subscription_id,
                                      const struct xpl_scoring_target **ret, struct xpl_error *err);

#endif
