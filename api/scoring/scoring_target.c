/* SPDX-License-Identifier: Apache-2.0 */
#include "api/scoring/scoring_target.h"

#include "api/configuration/service_providers.h"
#include "api/configuration/subscriptions.h"
#include "api/json_spec.h"
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
                                   struct xpl_scoring_target *ret, struct xpl_error *err)
{
    XPL_AUTO_JSON subscription = NULL;
    enum xpl_status st =
        xpl_subscription_load(call->app, call->db, arena, call->data_mart_id, subscription_id, &subscription, err);

    if (st || (st = xpl_model_settings_read(arena, subscription, &ret->model, err)))
        return st;
    return read_address(call, arena, subscription, &ret->address, err);
}

static enum xpl_status read_to_keep(struct xpl_call *call, const char *key, const char *subscription_id,
                                    const struct xpl_scoring_target **ret, struct xpl_error *err)
{
    struct xpl_arena *home = xpl_arena_new(TARGET_BYTES);
    struct xpl_scoring_target *target = home ? XPL_NEW(home, struct xpl_scoring_target) : NULL;
    enum xpl_status st = target ? read_target(call, home, subscription_id, target, err) : xpl_no_memory(err);

    if (st) {
        xpl_arena_free(home);
        return st;
    }
    *ret = target;
    if (!xpl_cache_put(call->app->cache, call->arena, key, call->seen.configuration, home, target))
        return xpl_no_memory(err);
    return XPL_OK;
}

enum xpl_status xpl_scoring_target_of(struct xpl_call *call, const char *subscription_id,
                                      const struct xpl_scoring_target **ret, struct xpl_error *err)
{
    const char *key = xpl_arena_printf(call->arena, "scoring target/%s/%s", call->data_mart_id, subscription_id);

    if (!key)
        return xpl_no_memory(err);
    *ret = xpl_cache_get(call->app->cache, call->arena, key, call->seen.configuration);
    return *ret ? XPL_OK : read_to_keep(call, key, subscription_id, ret, err);
}
