/* SPDX-License-Identifier: Apache-2.0 */
#include "api/scoring/scoring_target.h"

#include "api/configuration/service_providers.h"
#include "api/configuration/subscriptions.h"
#include "api/json_spec.h"
#include "api/remember.h"
#include "api/scoring/model_settings.h"

#define TARGET_BYTES ((size_t)64 << 20)

static enum xpl_status read_address(struct xpl_call *call, struct xpl_arena *arena, const json_t *subscription,
                                    struct xpl_model_address *ret, struct xpl_error *err)
{
    const char *url = xpl_scoring_url(arena, subscription);
    const char *provider_id = xpl_json_string_at(subscription, "service_provider_id");
    XPL_AUTO_JSON provider = NULL;
    enum xpl_status st;

    if (!url)
        return xpl_fail(err, XPL_BAD_FIELD, "the subscription has no deployment.scoring_endpoint.url to score at");
    st = xpl_provider_load(call->app, call->db, arena, call->data_mart_id, provider_id ? provider_id : "", &provider,
                           err);
    return st ? st
              : xpl_model_address_read(call->app, arena, provider,
                                       xpl_json_at(subscription, "deployment.scoring_endpoint"), url, ret, err);
}

static enum xpl_status read_target(struct xpl_call *call, struct xpl_arena *arena, const char *subscription_id,
                                   void *ret, struct xpl_error *err)
{
    struct xpl_scoring_target *target = ret;
    XPL_AUTO_JSON subscription = NULL;
    enum xpl_status st =
        xpl_subscription_load(call->app, call->db, arena, call->data_mart_id, subscription_id, &subscription, err);

    if (st || (st = xpl_model_settings_read(arena, subscription, &target->model, err)))
        return st;
    return read_address(call, arena, subscription, &target->address, err);
}

enum xpl_status xpl_scoring_target_of(struct xpl_call *call, const char *subscription_id,
                                      const struct xpl_scoring_target **ret, struct xpl_error *err)
{
    static const struct xpl_remembered targets = {"scoring target", read_target, sizeof **ret, TARGET_BYTES};
    const void *target;
    enum xpl_status st = xpl_remember(call, &targets, subscription_id, call->seen.configuration, &target, err);

    if (!st)
        *ret = target;
    return st;
}
