/* SPDX-License-Identifier: Apache-2.0 */
/* Whose records a batch is of, and what was said about their model. */
#include <string.h>

#include "api/configuration/resource.h"
#include "api/records/record_batch.h"
#include "api/remember.h"
#include "api/scoring/model_settings.h"
#include "db/subscriptions.h"

#define TARGET_BYTES ((size_t)64 << 20)

static enum xpl_status read_target(struct xpl_call *call, struct xpl_arena *arena, const char *data_set_id, void *ret,
                                   struct xpl_error *err)
{
    struct xpl_record_batch *batch = ret;
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
    *batch = (struct xpl_record_batch){.data_set_id = xpl_arena_string(arena, data_set_id),
                                       .subscription_id = target.subscription_id,
                                       .deployment_id = target.deployment_id,
                                       .needs_schema = !target.has_output_schema};
    if (!batch->data_set_id)
        return xpl_no_memory(err);
    if ((st = xpl_automatic_parse(arena, target.automatic, &batch->automatic, err)))
        return st;
    return xpl_model_settings_read(arena, properties, &batch->model, err);
}

static enum xpl_status read_target_of(struct xpl_call *call, struct xpl_arena *arena, const char *subscription_id,
                                      void *ret, struct xpl_error *err)
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

static enum xpl_status find(struct xpl_call *call, const struct xpl_remembered *targets, const char *id,
                            struct xpl_record_batch *ret, struct xpl_error *err)
{
    const void *known;
    enum xpl_status st;

    if (!call->remembers)
        return targets->read(call, call->arena, id, ret, err);
    if ((st = xpl_remember(call, targets, id, call->seen.configuration, &known, err)))
        return st;
    *ret = *(const struct xpl_record_batch *)known;
    return XPL_OK;
}

enum xpl_status xpl_record_batch_of_data_set(struct xpl_call *call, const char *data_set_id,
                                             struct xpl_record_batch *ret, struct xpl_error *err)
{
    static const struct xpl_remembered targets = {"log target of data set", read_target, sizeof *ret, TARGET_BYTES};

    return find(call, &targets, data_set_id, ret, err);
}

enum xpl_status xpl_record_batch_of_subscription(struct xpl_call *call, const char *subscription_id,
                                                 struct xpl_record_batch *ret, struct xpl_error *err)
{
    static const struct xpl_remembered targets = {"log target of subscription", read_target_of, sizeof *ret,
                                                  TARGET_BYTES};

    return find(call, &targets, subscription_id, ret, err);
}
