/* SPDX-License-Identifier: Apache-2.0 */
#include "api/routes.h"

#include "api/handlers.h"
#include "api/json_spec.h"

static const struct xpl_route routes[] = {
    {XPL_GET, "/", "landing", XPL_ANYONE, XPL_BODY_SMALL, false, xpl_landing_page},
    {XPL_GET, "/health/live", "health_live", XPL_ANYONE, XPL_BODY_SMALL, false, xpl_health_live},
    {XPL_GET, "/health/ready", "health_ready", XPL_ANYONE, XPL_BODY_SMALL, false, xpl_health_ready},
    {XPL_GET, "/health/startup", "health_startup", XPL_ANYONE, XPL_BODY_SMALL, false, xpl_health_startup},
    {XPL_GET, "/metrics", "metrics", XPL_LOCAL_OR_VIEWER, XPL_BODY_SMALL, false, xpl_metrics_get},
    {XPL_GET, "/openapi.yaml", "openapi", XPL_ANYONE, XPL_BODY_SMALL, false, xpl_openapi_get},
    {XPL_GET, "/v2/limits", "limits_get", XPL_VIEWER, XPL_BODY_SMALL, false, xpl_limits_get},

    {XPL_POST, "/icp4d-api/v1/authorize", "authorize", XPL_ANYONE, XPL_BODY_SMALL, true, xpl_login_cp4d},
    {XPL_GET, "/v1/preauth/validateAuth", "validate_auth", XPL_ANYONE, XPL_BODY_SMALL, true, xpl_login_preauth_get},
    {XPL_POST, "/v1/preauth/validateAuth", "validate_auth_key", XPL_ANYONE, XPL_BODY_SMALL, false,
     xpl_login_preauth_post},
    {XPL_POST, "/identity/token", "identity_token", XPL_ANYONE, XPL_BODY_SMALL, false, xpl_login_iam},
    {XPL_GET, "/v1/entitlements", "entitlements", XPL_VIEWER, XPL_BODY_SMALL, false, xpl_login_entitlements},
    {XPL_GET, "/v2/fairness/heartbeat", "heartbeat", XPL_ANYONE, XPL_BODY_SMALL, false, xpl_login_heartbeat},

    {XPL_GET, "/v2/users", "users_list", XPL_OPERATOR, XPL_BODY_SMALL, false, xpl_users_list},
    {XPL_POST, "/v2/users", "users_add", XPL_OPERATOR, XPL_BODY_SMALL, true, xpl_users_add},
    {XPL_GET, "/v2/users/{user_name}", "users_get", XPL_OPERATOR, XPL_BODY_SMALL, false, xpl_users_get},
    {XPL_PATCH, "/v2/users/{user_name}", "users_patch", XPL_OPERATOR, XPL_BODY_SMALL, true, xpl_users_patch},
    {XPL_DELETE, "/v2/users/{user_name}", "users_delete", XPL_OPERATOR, XPL_BODY_SMALL, false, xpl_users_delete},
    {XPL_GET, "/v2/users/{user_name}/api_keys", "api_keys_list", XPL_OPERATOR, XPL_BODY_SMALL, false,
     xpl_api_keys_list},
    {XPL_POST, "/v2/users/{user_name}/api_keys", "api_keys_add", XPL_OPERATOR, XPL_BODY_SMALL, false, xpl_api_keys_add},
    {XPL_DELETE, "/v2/users/{user_name}/api_keys/{api_key_id}", "api_keys_delete", XPL_OPERATOR, XPL_BODY_SMALL, false,
     xpl_api_keys_delete},
    {XPL_GET, "/v2/revoked_tokens", "revoked_tokens_list", XPL_OPERATOR, XPL_BODY_SMALL, false,
     xpl_revoked_tokens_list},
    {XPL_POST, "/v2/revoked_tokens", "revoked_tokens_add", XPL_OPERATOR, XPL_BODY_SMALL, false, xpl_revoked_tokens_add},

    {XPL_GET, "/v2/data_marts", "data_marts_list", XPL_VIEWER, XPL_BODY_SMALL, false, xpl_data_marts_list},
    {XPL_POST, "/v2/data_marts", "data_marts_add", XPL_ADMIN, XPL_BODY_SMALL, false, xpl_data_marts_add},
    {XPL_GET, "/v2/data_marts/{data_mart_id}", "data_marts_get", XPL_VIEWER, XPL_BODY_SMALL, false, xpl_data_marts_get},
    {XPL_PATCH, "/v2/data_marts/{data_mart_id}", "data_marts_patch", XPL_ADMIN, XPL_BODY_SMALL, false,
     xpl_data_marts_patch},
    {XPL_DELETE, "/v2/data_marts/{data_mart_id}", "data_marts_delete", XPL_ADMIN, XPL_BODY_SMALL, false,
     xpl_data_marts_delete},

    {XPL_GET, "/v2/service_providers", "service_providers_list", XPL_VIEWER, XPL_BODY_SMALL, false,
     xpl_service_providers_list},
    {XPL_POST, "/v2/service_providers", "service_providers_add", XPL_EDITOR, XPL_BODY_SMALL, false,
     xpl_service_providers_add},
    {XPL_GET, "/v2/service_providers/{service_provider_id}", "service_providers_get", XPL_VIEWER, XPL_BODY_SMALL, false,
     xpl_service_providers_get},
    {XPL_PATCH, "/v2/service_providers/{service_provider_id}", "service_providers_patch", XPL_EDITOR, XPL_BODY_SMALL,
     false, xpl_service_providers_patch},
    {XPL_DELETE, "/v2/service_providers/{service_provider_id}", "service_providers_delete", XPL_EDITOR, XPL_BODY_SMALL,
     false, xpl_service_providers_delete},
    {XPL_GET, "/v2/ml_deployments", "ml_deployments_list", XPL_VIEWER, XPL_BODY_SMALL, true, xpl_ml_deployments_list},
    {XPL_GET, "/v2/ml_deployments/{deployment_id}", "ml_deployments_get", XPL_VIEWER, XPL_BODY_SMALL, true,
     xpl_ml_deployments_get},
    {XPL_GET, "/v1/ml_instances/{service_provider_id}/deployments", "ml_instances_deployments", XPL_VIEWER,
     XPL_BODY_SMALL, true, xpl_ml_instance_deployments_list},

    {XPL_GET, "/v2/subscriptions", "subscriptions_list", XPL_VIEWER, XPL_BODY_SMALL, false, xpl_subscriptions_list},
    {XPL_POST, "/v2/subscriptions", "subscriptions_add", XPL_EDITOR, XPL_BODY_SMALL, false, xpl_subscriptions_add},
    {XPL_GET, "/v2/subscriptions/{subscription_id}", "subscriptions_get", XPL_VIEWER, XPL_BODY_SMALL, false,
     xpl_subscriptions_get},
    {XPL_PATCH, "/v2/subscriptions/{subscription_id}", "subscriptions_patch", XPL_EDITOR, XPL_BODY_SMALL, false,
     xpl_subscriptions_patch},
    {XPL_DELETE, "/v2/subscriptions/{subscription_id}", "subscriptions_delete", XPL_EDITOR, XPL_BODY_SMALL, false,
     xpl_subscriptions_delete},
    {XPL_POST, "/v2/subscriptions/{subscription_id}/schemas", "subscriptions_schemas", XPL_EDITOR, XPL_BODY_SMALL,
     false, xpl_subscriptions_schemas},

    {XPL_GET, "/v2/data_sets", "data_sets_list", XPL_VIEWER, XPL_BODY_SMALL, false, xpl_data_sets_list},
    {XPL_POST, "/v2/data_sets", "data_sets_add", XPL_EDITOR, XPL_BODY_SMALL, false, xpl_data_sets_add},
    {XPL_GET, "/v2/data_sets/{data_set_id}", "data_sets_get", XPL_VIEWER, XPL_BODY_SMALL, false, xpl_data_sets_get},
    {XPL_PATCH, "/v2/data_sets/{data_set_id}", "data_sets_patch", XPL_EDITOR, XPL_BODY_SMALL, false,
     xpl_data_sets_patch},
    {XPL_DELETE, "/v2/data_sets/{data_set_id}", "data_sets_delete", XPL_EDITOR, XPL_BODY_SMALL, false,
     xpl_data_sets_delete},
    {XPL_GET, "/v2/data_sets/{data_set_id}/records", "records_list", XPL_VIEWER, XPL_BODY_SMALL, true,
     xpl_records_list_get},
    {XPL_POST, "/v2/data_sets/{data_set_id}/records", "records_add", XPL_EDITOR, XPL_BODY_RECORDS, true,
     xpl_records_add},
    {XPL_PATCH, "/v2/data_sets/{data_set_id}/records", "records_patch", XPL_EDITOR, XPL_BODY_SMALL, false,
     xpl_records_patch},
    {XPL_GET, "/v2/data_sets/{data_set_id}/records/{record_id}", "records_get", XPL_VIEWER, XPL_BODY_SMALL, false,
     xpl_records_get},
    {XPL_PATCH, "/v2/data_sets/{data_set_id}/records/{record_id}", "records_update", XPL_EDITOR, XPL_BODY_SMALL, false,
     xpl_records_update},
    {XPL_GET, "/v2/data_sets/{data_set_id}/records/{record_id}/{field_name}", "records_field", XPL_VIEWER,
     XPL_BODY_SMALL, false, xpl_records_field},
    {XPL_GET, "/v2/data_sets/{data_set_id}/requests/{request_id}", "requests_get", XPL_VIEWER, XPL_BODY_SMALL, false,
     xpl_record_requests_get},
    {XPL_GET, "/v2/data_set_records", "data_set_records_list", XPL_VIEWER, XPL_BODY_SMALL, false,
     xpl_data_set_records_list},

    {XPL_GET, "/v2/monitor_definitions", "monitor_definitions_list", XPL_VIEWER, XPL_BODY_SMALL, false,
     xpl_monitor_definitions_list},
    {XPL_GET, "/v2/monitor_definitions/{monitor_definition_id}", "monitor_definitions_get", XPL_VIEWER, XPL_BODY_SMALL,
     false, xpl_monitor_definitions_get},
    {XPL_GET, "/v2/monitor_instances", "monitor_instances_list", XPL_VIEWER, XPL_BODY_SMALL, false,
     xpl_monitor_instances_list},
    {XPL_POST, "/v2/monitor_instances", "monitor_instances_add", XPL_EDITOR, XPL_BODY_SMALL, false,
     xpl_monitor_instances_add},
    {XPL_GET, "/v2/monitor_instances/{monitor_instance_id}", "monitor_instances_get", XPL_VIEWER, XPL_BODY_SMALL, false,
     xpl_monitor_instances_get},
    {XPL_PATCH, "/v2/monitor_instances/{monitor_instance_id}", "monitor_instances_patch", XPL_EDITOR, XPL_BODY_SMALL,
     false, xpl_monitor_instances_patch},
    {XPL_DELETE, "/v2/monitor_instances/{monitor_instance_id}", "monitor_instances_delete", XPL_EDITOR, XPL_BODY_SMALL,
     false, xpl_monitor_instances_delete},
    {XPL_GET, "/v2/monitor_instances/{monitor_instance_id}/runs", "monitor_runs_list", XPL_VIEWER, XPL_BODY_SMALL,
     false, xpl_monitor_runs_list},
    {XPL_POST, "/v2/monitor_instances/{monitor_instance_id}/runs", "monitor_runs_add", XPL_EDITOR, XPL_BODY_SMALL,
     false, xpl_monitor_runs_add},
    {XPL_GET, "/v2/monitor_instances/{monitor_instance_id}/runs/{run_id}", "monitor_runs_get", XPL_VIEWER,
     XPL_BODY_SMALL, false, xpl_monitor_runs_get},
    {XPL_GET, "/v2/monitor_instances/{monitor_instance_id}/measurements", "monitor_measurements_list", XPL_VIEWER,
     XPL_BODY_SMALL, false, xpl_monitor_measurements_list},

    {XPL_GET, "/v2/explanation_tasks", "explanation_tasks_list", XPL_VIEWER, XPL_BODY_SMALL, false,
     xpl_explanation_tasks_list},
    {XPL_POST, "/v2/explanation_tasks", "explanation_tasks_add", XPL_EDITOR, XPL_BODY_TASKS, true,
     xpl_explanation_tasks_add},
    {XPL_GET, "/v2/explanation_tasks/{task_id}", "explanation_tasks_get", XPL_VIEWER, XPL_BODY_SMALL, false,
     xpl_explanation_tasks_get},
    {XPL_DELETE, "/v2/explanation_tasks/{task_id}", "explanation_tasks_delete", XPL_EDITOR, XPL_BODY_SMALL, false,
     xpl_explanation_tasks_delete},
    {XPL_GET, "/v2/explanation_tasks/{task_id}/attributions", "explanation_task_attributions", XPL_VIEWER,
     XPL_BODY_SMALL, false, xpl_explanation_task_attributions},
    {XPL_GET, "/v2/explanation_tasks/{task_id}/image", "explanation_task_image", XPL_VIEWER, XPL_BODY_SMALL, true,
     xpl_explanation_task_image},
    {XPL_GET, "/v2/transactions/{transaction_id}", "transactions_get", XPL_VIEWER, XPL_BODY_SMALL, false,
     xpl_transactions_get},
    {XPL_GET, "/v2/transactions/{transaction_id}/explanations", "transaction_explanations", XPL_VIEWER, XPL_BODY_SMALL,
     false, xpl_transaction_explanations},
};

const char *xpl_role_name(enum xpl_role role)
{
    static const char *const names[] = {"anyone", "local_or_viewer", "viewer", "editor", "admin", "operator"};

    return names[role];
}

const struct xpl_route *xpl_routes(size_t *ret_count)
{
    *ret_count = XPL_COUNT(routes);
    return routes;
}
