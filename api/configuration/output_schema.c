/* SPDX-License-Identifier: Apache-2.0 */
#include "api/configuration/output_schema.h"

#include "api/configuration/resource.h"
#include "api/json_text.h"

#define SCORING_ID_LENGTH 256 /* at most */

static json_t *schema_field(const char *name, const char *type, const char *role, bool nullable)
{
    return json_pack("{s:s, s:s, s:b, s:{s:s*}}", "name", name, "type", type, "nullable", nullable, "metadata",
                     "modeling_role", role);
}

static json_t *key_field(void)
{
    return json_pack("{s:s, s:s, s:b, s:{s:s, s:b, s:{s:i}}}", "name", "scoring_id", "type", "string", "nullable", 0,
                     "metadata", "modeling_role", "record-id", "primary_key", 1, "columnInfo", "columnLength",
                     SCORING_ID_LENGTH);
}

static json_t *output_schema(void)
{
    json_t *probability = schema_field("probability", "", "probability", true);

    json_object_set_new(probability, "type",
                        json_pack("{s:b, s:s, s:s}", "containsNull", 1, "elementType", "double", "type", "array"));
    return json_pack("{s:s, s:[o, o, o, o, o, o, o]}", "type", "struct", "fields",
                     schema_field("prediction_probability", "double", "prediction-probability", true), key_field(),
                     schema_field("scoring_timestamp", "timestamp", "record-timestamp", false),
                     schema_field("deployment_id", "string", NULL, false),
                     schema_field("asset_revision", "string", NULL, true),
                     schema_field("prediction", "string", "prediction", true), probability);
}

enum xpl_status xpl_output_schema_fill(struct xpl_db *db, struct xpl_call *call, const char *subscription_id,
                                       struct xpl_error *err)
{
    XPL_AUTO_JSON entity = NULL;
    struct xpl_resource subscription;
    json_t *properties;
    enum xpl_status st;

    if ((st = xpl_resource_get(db, call->arena, &xpl_kind_subscription, call->data_mart_id, subscription_id,
                               &subscription, err)) ||
        (st = xpl_resource_entity(&subscription, &entity, err)))
        return st;
    properties = json_object_get(entity, "asset_properties");
    if (!json_is_object(properties)) {
        properties = json_object();
        json_object_set_new(entity, "asset_properties", properties);
    }
    json_object_set_new(properties, "output_data_schema", output_schema());
    subscription.entity = xpl_json_text(call->arena, entity);
    return subscription.entity ? xpl_resource_update(db, &xpl_kind_subscription, &subscription, err)
                               : xpl_no_memory(err);
}
