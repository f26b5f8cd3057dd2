/* SPDX-License-Identifier: Apache-2.0 */
/* Whose records a batch is of, and what was said about their model. */
#include <string.h>

#include "api/configuration/resource.h"
#include "api/records/record_batch.h"
#include "api/scoring/model_settings.h"
#include "db/subscriptions.h"

#define TARGET_BYTES ((size_t)64 << 20)

static enum xpl_status read_target(struct xpl_call *call, struct xpl_arena *arena, const char *data_set_id,
                                   struct xpl_record_batch *ret, struct xpl_error *err)
{
    XPL_AUTO_JSON properties = NULL;
    struct xpl_log_target target;
    enum xpl_status st = xpl_log_target_get(call->db, arena, call->data_mart_id, data_set_id, &target, err);

    if (st)
        return st == XPL_NOT_FOUND ? xpl_resource_missing("data_set", data_set_id, err) : st;
    if (strcmp(target.type, "payload_logging") != 0 || strcmp(target.target_type, "subscription") != 0)
        return xpl_fail(err, XPL_NOT_AVAILABLE,
                        "records can be stored in data sets of type payload_logging; this one is %s of a %s",
                        target.type, target.target_type);
    if (!target.deployment_id)
        return xpl_resource_missing("subscription", target.subscription_id, err);
    if (!(properties = json_loads(target.asset_properties, 0, NULL)))
        return xpl_no_memory(err);
    *ret = (struct xpl_record_batch){.data_set_id = xpl_arena_string(arena, data_set_id),
                                     .subscription_id = target.subscription_id,
                                     .deployment_id = target.deployment_id,
                                     .needs_schema = !target.has_output_schema};
    if (!ret->data_set_id)
        return xpl_no_memory(err);
    if ((st = xpl_automatic_parse(arena, target.automatic, &ret->automatic, err)))
        return st;
    return xpl_model_settings_read(arena, properties, &ret->model, err);
}

static enum xpl_status read_target_of(struct xpl_call *call, struct xpl_arena *arena, const char *subscription_id,
                                      struct xpl_record_batch *ret, struct xpl_error *err)
{
    struct xpl_resource_filter filter = {.values = {"subscription", subscription_id, "payload_logging"}};
    struct xpl_resource *found;
    size_t n;
    enum xpl_status st =
        xpl_resource_list(call->db, arena, &xpl_kind_data_set, call->data_mart_id, &filter, &found, &n, err);

    if (st)
        return st;
    if (n == 0 || strcmp(found[0].columns[1], subscription_id) != 0) /* a filter takes several ids */
        return xpl_resource_missing("subscription", subscription_id, err);
    return read_target(call, arena, found[0].id, ret, err);
}

typedef enum xpl_status read_fn(struct xpl_call *call, struct xpl_arena *arena, const char *id,
                                struct xpl_record_batch *ret, struct xpl_error *err);

/* What a call read goes on being true for others as long as nobody changes the configuration. */
static enum xpl_status read_to_keep(struct xpl_call *call, const char *key, read_fn *read, const char *id,
                                    struct xpl_record_batch *ret, struct xpl_error *err)
{
    struct xpl_arena *home = xpl_arena_new(TARGET_BYTES);
    struct xpl_record_batch *target = home ? XPL_NEW(home, struct xpl_record_batch) : NULL;
    enum xpl_status st = target ? read(call, home, id, target, err) : xpl_no_memory(err);

    if (st) {
        xpl_arena_free(home);
        return st;
    }
    *ret = *target;
    if (!xpl_cache_put(call->app->cache, call->arena, key, call->seen.configuration, home, target))
        return xpl_no_memory(err);
    return XPL_OK;
}

static enum xpl_status find(struct xpl_call *call, const char *kind, read_fn *read, const char *id,
                            struct xpl_record_batch *ret, struct xpl_error *err)
{
    const struct xpl_record_batch *known;
    const char *key;

    if (!call->remembers)
        return read(call, call->arena, id, ret, err);
    if (!(key = xpl_arena_printf(call->arena, "log target/%s/%s/%s", kind, call->data_mart_id, id)))
        return xpl_no_memory(err);
    known = xpl_cache_get(call->app->cache, call->arena, key, call->seen.configuration);
    if (!known)
        return read_to_keep(call, key, read, id, ret, err);
    *ret = *known;
    return XPL_OK;
}

enum xpl_status xpl_record_batch_of_data_set(struct xpl_call *call, const char *data_set_id,
                                             struct xpl_record_batch *ret, struct xpl_error *err)
{
    return find(call, "data set", read_target, data_set_id, ret, err);
}

enum xpl_status xpl_record_batch_of_subscription(struct xpl_call *call, const char *subscription_id,
                                                 struct xpl_record_batch *ret, struct xpl_error *err)
{
    return find(call, "subscription", read_target_of, subscription_id, ret, err);
}
