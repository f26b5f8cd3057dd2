/* SPDX-License-Identifier: Apache-2.0 */
/* A deployed model that is watched: asset, deployment, properties. */
#include "api/configuration/subscriptions.h"

#include <string.h>

#include "api/configuration/resource.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/scoring/credential_rules.h"
#include "api/scoring/endpoint.h"
#include "api/scoring/model_settings.h"
#include "db/subscriptions.h"
#include "lib/base/text.h"
#include "lib/scoring/transport/url.h"

#define MAX_SETTINGS_BYTES ((size_t)64 << 20)

static const char *const asset_types[] = {"model", "function", NULL};
static const char *const deployment_types[] = {"online", "batch", "detached", NULL};
static const char *const input_types[] = {"structured",         "unstructured_image", "unstructured_text",
                                          "unstructured_video", "unstructured_audio", NULL};
static const char *const problem_types[] = {"binary", "multiclass", "regression", NULL};

struct subscription_request {
    const char *data_mart_id, *service_provider_id;
    const char *asset_id, *asset_type, *asset_name, *asset_url, *problem_type, *input_data_type;
    const char *deployment_id, *deployment_name, *deployment_type, *deployment_url, *scoring_url;
    const char *prediction_field;
    json_t *asset_properties, *probability_fields, *scoring_credentials, *scoring_headers;
};

static enum xpl_status read_request(const json_t *entity, struct subscription_request *ret, struct xpl_error *err)
{
#define MEMBER(member, json_path, ...)                                                                                 \
    XPL_JSON_STRING(struct subscription_request, member, .path = json_path, .max = 2048, ##__VA_ARGS__)
    static const struct xpl_json_field fields[] = {
        MEMBER(data_mart_id, "data_mart_id", .required = true),
        MEMBER(service_provider_id, "service_provider_id", .required = true),
        MEMBER(asset_id, "asset.asset_id", .required = true),
        MEMBER(asset_type, "asset.asset_type", .required = true, .choices = asset_types),
        MEMBER(asset_name, "asset.name"),
        MEMBER(asset_url, "asset.url"),
        MEMBER(problem_type, "asset.problem_type", .choices = problem_types),
        MEMBER(input_data_type, "asset.input_data_type", .choices = input_types),
        MEMBER(deployment_id, "deployment.deployment_id", .required = true),
        MEMBER(deployment_name, "deployment.name", .required = true),
        MEMBER(deployment_type, "deployment.deployment_type", .required = true, .choices = deployment_types),
        MEMBER(deployment_url, "deployment.url"),
        MEMBER(scoring_url, "deployment.scoring_endpoint.url"),
        MEMBER(prediction_field, "asset_properties.prediction_field"),
        XPL_JSON_OBJECT_FIELD(struct subscription_request, asset_properties),
        XPL_JSON_ARRAY_FIELD(struct subscription_request, probability_fields,
                             .path = "asset_properties.probability_fields", .max = 100, .strings = true),
        XPL_JSON_OBJECT_FIELD(struct subscription_request, scoring_credentials,
                              .path = "deployment.scoring_endpoint.credentials"),
        XPL_JSON_OBJECT_FIELD(struct subscription_request, scoring_headers,
                              .path = "deployment.scoring_endpoint.request_headers"),
    };
#undef MEMBER

    return xpl_json_read(entity, fields, XPL_COUNT(fields), ret, err);
}

static enum xpl_status check_model_settings(const json_t *entity, struct xpl_error *err)
{
    XPL_AUTO(xpl_arena) arena = xpl_arena_new(MAX_SETTINGS_BYTES);
    struct xpl_model_settings ignored;

    return arena ? xpl_model_settings_read(arena, entity, &ignored, err) : xpl_no_memory(err);
}

/* Rules for the subscription's records; db/retention.c reads them out of the entity. */
static enum xpl_status check_retention(const json_t *entity, struct xpl_error *err)
{
    struct rules {
        int64_t days, records, bytes, pixel_days;
        json_t *retention;
    } rules = {0};
    static const struct xpl_json_field fields[] = {
        XPL_JSON_OBJECT_FIELD(struct rules, retention),
        XPL_JSON_INT(struct rules, days, .path = "retention.days", .min = 1, .max = 36500),
        XPL_JSON_INT(struct rules, records, .path = "retention.records", .min = 1, .max = 1e12),
        XPL_JSON_INT(struct rules, bytes, .path = "retention.bytes", .min = 1 << 20, .max = 1e15),
        XPL_JSON_INT(struct rules, pixel_days, .path = "retention.pixel_days", .min = 1, .max = 36500),
    };
    static const char *const members[] = {"days", "records", "bytes", "pixel_days", NULL};
    enum xpl_status st = xpl_json_read(entity, fields, XPL_COUNT(fields), &rules, err);

    return st || !rules.retention ? st : xpl_json_known(rules.retention, "retention", members, err);
}

static enum xpl_status check_scoring_endpoint(const json_t *entity, struct xpl_error *err)
{
    enum xpl_status st = xpl_credential_rules_check(xpl_json_at(entity, "deployment.scoring_endpoint"), err);

    if (st)
        xpl_error_prefix(err, "deployment.scoring_endpoint");
    return st;
}

static enum xpl_status check(const json_t *entity, struct xpl_error *err)
{
    struct subscription_request request = {0};
    enum xpl_status st = read_request(entity, &request, err);

    if (st)
        return st;
    if (request.input_data_type && !xpl_text_equal(xpl_text_of(request.input_data_type), "unstructured_image"))
        return xpl_fail_field(err, XPL_NOT_AVAILABLE, "asset.input_data_type",
                              "\"%s\" is not available: image models (unstructured_image) are explained here",
                              request.input_data_type);
    if (request.problem_type && xpl_text_equal(xpl_text_of(request.problem_type), "regression"))
        return xpl_fail_field(err, XPL_NOT_AVAILABLE, "asset.problem_type",
                              "\"regression\" is not available: binary and multiclass image models are explained here");
    if (request.scoring_url && (st = xpl_url_check(request.scoring_url, "deployment.scoring_endpoint.url", err)))
        return st;
    if (!xpl_auth_url_is_sound(request.scoring_credentials))
        return xpl_fail_field(err, XPL_BAD_FIELD, "deployment.scoring_endpoint.credentials.auth_url",
                              "must be of the same server as the credentials' url, or https://iam.….cloud.ibm.com");
    if ((st = check_scoring_endpoint(entity, err)) || (st = check_retention(entity, err)))
        return st;
    return check_model_settings(entity, err);
}

/* Stops the work on a subscription's explanations and deletes all that belongs to it, but not its own row. */
static enum xpl_status purge(struct xpl_db *db, struct xpl_call *call, const char *id, struct xpl_error *err)
{
    const char **tasks;
    enum xpl_status st;
    size_t n;

    if ((st = xpl_subscription_running_tasks(db, call->arena, id, &tasks, &n, err)) ||
        (st = xpl_call_deletes_tasks(call, tasks, n, err)))
        return st;
    return xpl_subscription_purge(db, id, err);
}

enum xpl_status xpl_remove_subscription(struct xpl_db *db, struct xpl_call *call, const char *id, struct xpl_error *err)
{
    enum xpl_status st = purge(db, call, id, err);

    return st ? st : xpl_resource_delete(db, &xpl_kind_subscription, call->data_mart_id, id, err);
}

static enum xpl_status removing(struct xpl_db *db, struct xpl_call *call, const char *id, bool force,
                                struct xpl_error *err)
{
    bool has_records;
    enum xpl_status st = xpl_subscription_has_records(db, id, &has_records, err);

    if (st)
        return st;
    if (has_records && !force)
        return xpl_fail(err, XPL_CONFLICT, "the subscription has logged records; force=true deletes them too");
    return purge(db, call, id, err);
}

static void forget_credentials(json_t *value);

/* Credentials of systems that are not asked here, such as the database of the training data, are not kept. */
static void forget_member(json_t *object, const char *name, json_t *value)
{
    char secret_id[XPL_UUID_SIZE];

    if (strcmp(name, "credentials") != 0 || !json_is_object(value))
        forget_credentials(value);
    else if (json_object_size(value) != 1 || !json_is_string(json_object_get(value, "secret_id")))
        json_object_set_new(object, name, json_pack("{s:s}", "secret_id", xpl_uuid(secret_id)));
}

/* Depth is bounded by that of bodies. */
static void forget_credentials(json_t *value)
{
    const char *name;
    json_t *member;
    void *next;
    size_t i;

    json_object_foreach_safe(value, next, name, member) forget_member(value, name, member);
    json_array_foreach(value, i, member) forget_credentials(member);
}

static void complete(json_t *entity)
{
    const char *name;
    json_t *member;
    void *next;

    json_object_foreach_safe(entity, next, name, member) if (strcmp(name, "deployment") != 0)
        forget_member(entity, name, member);
}

static const char *const read_only[] = {"status", "data_mart_id", "service_provider_id", NULL};

static const char *const more_filters[] = {"integration_reference.integrated_system_id",
                                           "integration_reference.external_id", "risk_evaluation_status.state", NULL};

#define ENDPOINT "/deployment/scoring_endpoint"
static const char *const secret_members[] = {ENDPOINT "/credentials", ENDPOINT "/request_headers", NULL};
static const struct xpl_secrets secrets = {secret_members, ENDPOINT "/url"};
#undef ENDPOINT

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err);

const struct xpl_resource_type xpl_subscription_type = {
    .kind = &xpl_kind_subscription,
    .singular = "subscription",
    .plural = "subscriptions",
    .filters = {"service_provider_id", "asset.asset_id", "asset.asset_type", "deployment.deployment_id",
                "deployment.deployment_type"},
    .more_filters = more_filters,
    .read_only = read_only,
    .check = check,
    .complete = complete,
    .secrets = &secrets,
    .removing = removing,
    .adding = run_add,
    .names_data_mart = true,
    .has_status = true,
};

enum xpl_status xpl_subscription_load(struct xpl_app *app, struct xpl_db *db, struct xpl_arena *arena,
                                      const char *data_mart_id, const char *id, json_t **ret_entity,
                                      struct xpl_error *err)
{
    return xpl_resource_load(app, db, arena, &xpl_subscription_type, data_mart_id, id, ret_entity, err);
}

enum xpl_status xpl_subscription_insert(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource *resource,
                                        struct xpl_error *err)
{
    struct xpl_resource provider;
    const char *provider_id = resource->columns[0];
    enum xpl_status st;

    st = xpl_resource_get(db, call->arena, &xpl_kind_service_provider, call->data_mart_id, provider_id, &provider, err);
    if (st == XPL_NOT_FOUND) {
        xpl_error_clear(err);
        return xpl_fail_field(err, XPL_BAD_FIELD, "service_provider_id", "there is no service provider %.100s",
                              provider_id);
    }
    if (st || (st = xpl_add_payload_data_set(db, call, resource->id, err)))
        return st;
    return xpl_resource_insert(db, &xpl_kind_subscription, resource, err);
}

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    const struct xpl_resource *resource = arg;
    enum xpl_status st = xpl_subscription_insert(db, call, resource, err);
    json_t *view;

    if (st)
        return st;
    if (!(view = xpl_resource_view(db, call, &xpl_subscription_type, resource, err)))
        return err->status ? err->status : xpl_no_memory(err);
    xpl_reply_json(call, 202, view);
    return XPL_OK;
}

enum xpl_answered xpl_subscriptions_add(struct xpl_call *call)
{
    return xpl_resource_add_reply(call, &xpl_subscription_type);
}

enum xpl_answered xpl_subscriptions_list(struct xpl_call *call)
{
    return xpl_resource_list_reply(call, &xpl_subscription_type);
}

enum xpl_answered xpl_subscriptions_get(struct xpl_call *call)
{
    return xpl_resource_get_reply(call, &xpl_subscription_type);
}

enum xpl_answered xpl_subscriptions_patch(struct xpl_call *call)
{
    return xpl_resource_patch_reply(call, &xpl_subscription_type);
}

enum xpl_answered xpl_subscriptions_delete(struct xpl_call *call)
{
    return xpl_resource_delete_reply(call, &xpl_subscription_type);
}

enum xpl_answered xpl_subscriptions_schemas(struct xpl_call *call)
{
    struct xpl_resource resource;
    struct xpl_error err = {0};
    const char *id = call->path_params[0];

    if (xpl_resource_get(call->db, call->arena, xpl_subscription_type.kind, call->data_mart_id, id, &resource, &err) ==
        XPL_NOT_FOUND)
        xpl_resource_missing(xpl_subscription_type.singular, id, &err);
    else if (err.status == XPL_OK)
        xpl_fail(&err, XPL_NOT_AVAILABLE, "schemas are for structured data; an image model needs none");
    return xpl_reply_error(call, &err);
}
