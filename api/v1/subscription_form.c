/* SPDX-License-Identifier: Apache-2.0 */
#include "api/v1/subscription_form.h"

#include <string.h>

#include "api/call.h"
#include "api/json_spec.h"

/* Copies members that are there. */
static void copy(json_t *to, const json_t *from, const char *const *names)
{
    for (; *names; names++) {
        json_t *value = json_object_get(from, *names);

        if (value && !json_is_null(value))
            json_object_set(to, *names, value);
    }
}

/* ---- v2 to v1 ---- */

static json_t *deployment_of(const json_t *v2)
{
    static const char *const names[] = {"deployment_id", "name",          "deployment_type",  "url",
                                        "created_at",    "deployment_rn", "scoring_endpoint", NULL};
    json_t *deployment =
        json_pack("{s:s, s:s, s:s, s:s}", "deployment_rn", "", "url", "", "created_at", "", "name", "");

    copy(deployment, json_object_get(v2, "deployment"), names);
    return deployment;
}

json_t *xpl_v1_subscription_entity(const json_t *v2)
{
    static const char *const asset_names[] = {"asset_id", "asset_type", "name", "url", "created_at", NULL};
    static const char *const kinds[] = {"problem_type", "input_data_type", NULL};
    const json_t *asset = json_object_get(v2, "asset");
    XPL_AUTO_JSON v1_asset = json_object();
    XPL_AUTO_JSON properties = json_object();
    const char *binding = xpl_json_string_at(v2, "service_provider_id");

    copy(v1_asset, asset, asset_names);
    json_object_update(properties, json_object_get(v2, "asset_properties"));
    copy(properties, asset, kinds);
    return json_pack("{s:O, s:O, s:[o], s:s, s:{s:s}}", "asset", v1_asset, "asset_properties", properties,
                     "deployments", deployment_of(v2), "service_binding_id", binding ? binding : "", "status", "state",
                     "active");
}

/* ---- v1 to v2 ---- */

static enum xpl_status first_deployment(const json_t *v1, json_t **ret, struct xpl_error *err)
{
    const json_t *list = json_object_get(v1, "deployments");

    if (!json_is_array(list) || json_array_size(list) == 0)
        return xpl_fail_field(err, XPL_BAD_FIELD, "deployments", "must be an array with the deployment to watch");
    if (json_array_size(list) > 1)
        return xpl_fail_field(err, XPL_BAD_FIELD, "deployments", "has %zu deployments; a subscription watches one",
                              json_array_size(list));
    *ret = json_array_get(list, 0);
    return json_is_object(*ret) ? XPL_OK : xpl_fail_field(err, XPL_BAD_FIELD, "deployments[0]", "must be an object");
}

/* v1 clients also say a single column as a string. */
static void make_list(json_t *properties, const char *name)
{
    json_t *value = json_object_get(properties, name);

    if (json_is_string(value))
        json_object_set_new(properties, name, json_pack("[O]", value));
    else if (json_is_null(value))
        json_object_del(properties, name);
}

static json_t *properties_of(const json_t *v1, json_t *asset)
{
    static const char *const kinds[] = {"problem_type", "input_data_type", NULL};
    json_t *properties = json_object();

    json_object_update(properties, json_object_get(v1, "asset_properties"));
    copy(asset, properties, kinds);
    for (const char *const *kind = kinds; *kind; kind++)
        json_object_del(properties, *kind);
    if (json_is_string(json_object_get(properties, "prediction_probability_field")) &&
        !json_object_get(properties, "probability_fields"))
        json_object_set(properties, "probability_fields", json_object_get(properties, "prediction_probability_field"));
    make_list(properties, "probability_fields");
    return properties;
}

/* v2 wants names and types that v1 may leave out. */
static void fill_in(json_t *object, const char *name, const char *value)
{
    const char *there = json_string_value(json_object_get(object, name));

    if (!there || !*there)
        json_object_set_new(object, name, json_string(value));
}

/* Members that v1 has empty strings for. */
static void drop_empty(json_t *object)
{
    const char *name, *text;
    json_t *value;
    void *next;

    json_object_foreach_safe(object, next, name, value) if ((text = json_string_value(value)) && !*text)
        json_object_del(object, name);
}

enum xpl_status xpl_v2_subscription_entity(const json_t *v1, const json_t *before, const char *data_mart_id,
                                           const char *binding_id, json_t **ret, struct xpl_error *err)
{
    XPL_AUTO_JSON entity = before ? json_deep_copy(before) : json_object();
    XPL_AUTO_JSON asset = json_object();
    XPL_AUTO_JSON deployment = NULL;
    json_t *given = NULL;
    enum xpl_status st;

    if (!json_is_object(v1))
        return xpl_fail(err, XPL_BAD_FIELD, "the body must be an object");
    if (!json_is_object(json_object_get(v1, "asset")))
        return xpl_fail_field(err, XPL_BAD_FIELD, "asset", "is missing");
    if ((st = first_deployment(v1, &given, err)))
        return st;
    deployment = json_deep_copy(given);
    json_object_update(asset, json_object_get(v1, "asset"));
    drop_empty(asset);
    drop_empty(deployment);
    fill_in(asset, "asset_type", "model");
    fill_in(deployment, "deployment_type", "online");
    fill_in(deployment, "name", "deployment");
    json_object_set_new(entity, "data_mart_id", json_string(data_mart_id));
    json_object_set_new(entity, "service_provider_id", json_string(binding_id));
    json_object_set_new(entity, "asset_properties", properties_of(v1, asset));
    json_object_set(entity, "asset", asset);
    json_object_set(entity, "deployment", deployment);
    *ret = json_incref(entity);
    return *ret ? XPL_OK : xpl_no_memory(err);
}
