/* SPDX-License-Identifier: Apache-2.0 */
/* Where models are deployed, and the credentials to reach them. */
#include "api/configuration/service_providers.h"
#include "api/configuration/resource.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/scoring/credential_rules.h"
#include "api/scoring/endpoint.h"
#include "db/subscriptions.h"
#include "lib/base/text.h"
#include "lib/scoring/transport/url.h"

static const char *const service_types[] = {"watson_machine_learning",
                                            "amazon_sagemaker",
                                            "azure_machine_learning",
                                            "azure_machine_learning_studio",
                                            "azure_machine_learning_service",
                                            "custom_machine_learning",
                                            "spss_collaboration_and_deployment_services",
                                            NULL};

struct provider_request {
    const char *name, *service_type, *description, *operational_space_id, *deployment_space_id, *instance_id, *url;
    json_t *credentials, *request_headers;
};

static enum xpl_status check(const json_t *entity, struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_STRING(struct provider_request, name, .required = true, .max = 256),
        XPL_JSON_STRING(struct provider_request, service_type, .required = true, .choices = service_types),
        XPL_JSON_OBJECT_FIELD(struct provider_request, credentials, .required = true),
        XPL_JSON_STRING(struct provider_request, url, .path = "credentials.url"),
        XPL_JSON_STRING(struct provider_request, description),
        XPL_JSON_STRING(struct provider_request, operational_space_id, .max = 256),
        XPL_JSON_STRING(struct provider_request, deployment_space_id, .max = 256),
        XPL_JSON_STRING(struct provider_request, instance_id, .max = 256),
        XPL_JSON_OBJECT_FIELD(struct provider_request, request_headers),
    };
    struct provider_request request = {0};
    enum xpl_status st = xpl_json_read(entity, fields, XPL_COUNT(fields), &request, err);

    if (st)
        return st;
    if (request.url && (st = xpl_url_check(request.url, "credentials.url", err)))
        return st;
    if (!xpl_auth_url_is_sound(request.credentials))
        return xpl_fail_field(err, XPL_BAD_FIELD, "credentials.auth_url",
                              "must be of the same server as credentials.url, or https://iam.….cloud.ibm.com: keys are "
                              "sent nowhere else");
    return xpl_credential_rules_check(entity, err);
}

static enum xpl_status removing(struct xpl_db *db, struct xpl_call *call, const char *id, bool force,
                                struct xpl_error *err)
{
    const char **ids;
    enum xpl_status st;
    size_t n;

    if ((st = xpl_provider_subscriptions(db, call->arena, call->data_mart_id, id, &ids, &n, err)))
        return st;
    if (n && !force)
        return xpl_fail(err, XPL_CONFLICT, "the service provider has %zu subscriptions; force=true deletes them too",
                        n);
    for (size_t i = 0; i < n; i++)
        if ((st = xpl_remove_subscription(db, call, ids[i], err)))
            return st;
    return XPL_OK;
}

static const char *const read_only[] = {"status", NULL};

static const char *const secret_members[] = {"/credentials", "/request_headers", NULL};
static const struct xpl_secrets secrets = {secret_members, "/credentials/url"};

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err);

const struct xpl_resource_type xpl_service_provider_type = {
    .kind = &xpl_kind_service_provider,
    .singular = "service_provider",
    .plural = "service_providers",
    .filters = {"name", "service_type", "instance_id", "operational_space_id", "deployment_space_id"},
    .read_only = read_only,
    .check = check,
    .secrets = &secrets,
    .removing = removing,
    .adding = run_add,
    .has_status = true,
};

enum xpl_status xpl_provider_load(struct xpl_app *app, struct xpl_db *db, struct xpl_arena *arena,
                                  const char *data_mart_id, const char *id, json_t **ret_entity, struct xpl_error *err)
{
    return xpl_resource_load(app, db, arena, &xpl_service_provider_type, data_mart_id, id, ret_entity, err);
}

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    return xpl_resource_insert_and_reply(db, call, &xpl_service_provider_type, arg, err);
}

enum xpl_answered xpl_service_providers_add(struct xpl_call *call)
{
    return xpl_resource_add_reply(call, &xpl_service_provider_type);
}

enum xpl_answered xpl_service_providers_list(struct xpl_call *call)
{
    return xpl_resource_list_reply(call, &xpl_service_provider_type);
}

enum xpl_answered xpl_service_providers_get(struct xpl_call *call)
{
    return xpl_resource_get_reply(call, &xpl_service_provider_type);
}

enum xpl_answered xpl_service_providers_patch(struct xpl_call *call)
{
    return xpl_resource_patch_reply(call, &xpl_service_provider_type);
}

enum xpl_answered xpl_service_providers_delete(struct xpl_call *call)
{
    return xpl_resource_delete_reply(call, &xpl_service_provider_type);
}
