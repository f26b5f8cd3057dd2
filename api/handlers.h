/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every operation's handler, by file. What each one means is in openapi.yaml under its operationId.
 */
#ifndef XPL_API_HANDLERS_H
#define XPL_API_HANDLERS_H

#include "api/call.h"

#define XPL_RECORDS_PAGE_MAX  1000 /* rows of a page of records */
#define XPL_IMAGES_PAGE_MAX   20   /* rows of a page that shows the images too */
#define XPL_TASKS_PER_REQUEST 100

/* health.c */
enum xpl_answered xpl_health_live(struct xpl_call *call);
enum xpl_answered xpl_health_ready(struct xpl_call *call);
enum xpl_answered xpl_health_startup(struct xpl_call *call);
enum xpl_answered xpl_metrics_get(struct xpl_call *call);
enum xpl_answered xpl_openapi_get(struct xpl_call *call);
enum xpl_answered xpl_landing_page(struct xpl_call *call);
enum xpl_answered xpl_limits_get(struct xpl_call *call);

/* login.c */
enum xpl_answered xpl_login_cp4d(struct xpl_call *call);
enum xpl_answered xpl_login_iam(struct xpl_call *call);
enum xpl_answered xpl_login_preauth_get(struct xpl_call *call);
enum xpl_answered xpl_login_preauth_post(struct xpl_call *call);
enum xpl_answered xpl_login_entitlements(struct xpl_call *call);
enum xpl_answered xpl_login_heartbeat(struct xpl_call *call);

/* users.c, user_keys.c */
enum xpl_answered xpl_users_list(struct xpl_call *call);
enum xpl_answered xpl_users_add(struct xpl_call *call);
enum xpl_answered xpl_users_get(struct xpl_call *call);
enum xpl_answered xpl_users_patch(struct xpl_call *call);
enum xpl_answered xpl_users_delete(struct xpl_call *call);
enum xpl_answered xpl_api_keys_list(struct xpl_call *call);
enum xpl_answered xpl_api_keys_add(struct xpl_call *call);
enum xpl_answered xpl_api_keys_delete(struct xpl_call *call);
enum xpl_answered xpl_revoked_tokens_list(struct xpl_call *call);
enum xpl_answered xpl_revoked_tokens_add(struct xpl_call *call);

/* distributions.c */
enum xpl_answered xpl_distributions_add(struct xpl_call *call);
enum xpl_answered xpl_distributions_get(struct xpl_call *call);
enum xpl_answered xpl_distributions_delete_all(struct xpl_call *call);

/* purges.c */
enum xpl_answered xpl_purges_add(struct xpl_call *call);
enum xpl_answered xpl_purges_get(struct xpl_call *call);

/* data_marts.c */
enum xpl_answered xpl_data_marts_list(struct xpl_call *call);
enum xpl_answered xpl_data_marts_add(struct xpl_call *call);
enum xpl_answered xpl_data_marts_get(struct xpl_call *call);
enum xpl_answered xpl_data_marts_patch(struct xpl_call *call);
enum xpl_answered xpl_data_marts_delete(struct xpl_call *call);

/* service_providers.c, discovery.c */
enum xpl_answered xpl_service_providers_list(struct xpl_call *call);
enum xpl_answered xpl_service_providers_add(struct xpl_call *call);
enum xpl_answered xpl_service_providers_get(struct xpl_call *call);
enum xpl_answered xpl_service_providers_patch(struct xpl_call *call);
enum xpl_answered xpl_service_providers_delete(struct xpl_call *call);
enum xpl_answered xpl_ml_deployments_list(struct xpl_call *call);
enum xpl_answered xpl_ml_deployments_get(struct xpl_call *call);
enum xpl_answered xpl_ml_instance_deployments_list(struct xpl_call *call);

/* subscriptions.c */
enum xpl_answered xpl_subscriptions_list(struct xpl_call *call);
enum xpl_answered xpl_subscriptions_add(struct xpl_call *call);
enum xpl_answered xpl_subscriptions_get(struct xpl_call *call);
enum xpl_answered xpl_subscriptions_patch(struct xpl_call *call);
enum xpl_answered xpl_subscriptions_delete(struct xpl_call *call);
enum xpl_answered xpl_subscriptions_schemas(struct xpl_call *call);
enum xpl_answered xpl_inference_logs_add(struct xpl_call *call);
enum xpl_answered xpl_data_set_errors_list(struct xpl_call *call);
enum xpl_answered xpl_subscriptions_predictions(struct xpl_call *call);
/** Passes on what there is by now of a body that will have `length` bytes; on an API thread. */
enum xpl_status xpl_predictions_part(struct xpl_call *call, size_t length, struct xpl_error *err);
enum xpl_answered xpl_subscriptions_probe(struct xpl_call *call);

/** On the writer: deletes a subscription with everything of it and stops its explanations. */
enum xpl_status xpl_remove_subscription(struct xpl_db *db, struct xpl_call *call, const char *id,
                                        struct xpl_error *err);

/* data_sets.c */
enum xpl_answered xpl_data_sets_list(struct xpl_call *call);
enum xpl_answered xpl_data_sets_add(struct xpl_call *call);
enum xpl_answered xpl_data_sets_get(struct xpl_call *call);
enum xpl_answered xpl_data_sets_patch(struct xpl_call *call);
enum xpl_answered xpl_data_sets_delete(struct xpl_call *call);

/** On the writer: the payload data set that comes with a new subscription. */
enum xpl_status xpl_add_payload_data_set(struct xpl_db *db, struct xpl_call *call, const char *subscription_id,
                                         struct xpl_error *err);

/* monitors.c */
enum xpl_answered xpl_monitor_definitions_list(struct xpl_call *call);
enum xpl_answered xpl_monitor_definitions_get(struct xpl_call *call);
enum xpl_answered xpl_monitor_instances_list(struct xpl_call *call);
enum xpl_answered xpl_monitor_instances_add(struct xpl_call *call);
enum xpl_answered xpl_monitor_instances_get(struct xpl_call *call);
enum xpl_answered xpl_monitor_instances_patch(struct xpl_call *call);
enum xpl_answered xpl_monitor_instances_delete(struct xpl_call *call);
enum xpl_answered xpl_monitor_runs_list(struct xpl_call *call);
enum xpl_answered xpl_monitor_runs_get(struct xpl_call *call);
enum xpl_answered xpl_monitor_runs_add(struct xpl_call *call);
enum xpl_answered xpl_monitor_measurements_list(struct xpl_call *call);

/* records_add.c, records.c */
enum xpl_answered xpl_records_add(struct xpl_call *call);
enum xpl_answered xpl_records_list_get(struct xpl_call *call);
enum xpl_answered xpl_records_get(struct xpl_call *call);
enum xpl_answered xpl_records_field(struct xpl_call *call);
enum xpl_answered xpl_record_requests_get(struct xpl_call *call);
enum xpl_answered xpl_data_set_records_list(struct xpl_call *call);

/* record_annotations.c */
enum xpl_answered xpl_records_patch(struct xpl_call *call);
enum xpl_answered xpl_records_update(struct xpl_call *call);

/* explanation_tasks.c, explanation_views.c */
enum xpl_answered xpl_explanation_tasks_list(struct xpl_call *call);
enum xpl_answered xpl_explanation_tasks_add(struct xpl_call *call);
enum xpl_answered xpl_explanation_tasks_get(struct xpl_call *call);
enum xpl_answered xpl_explanation_tasks_delete(struct xpl_call *call);
enum xpl_answered xpl_explanation_task_attributions(struct xpl_call *call);
enum xpl_answered xpl_explanation_task_replay(struct xpl_call *call);
enum xpl_answered xpl_explanation_task_image(struct xpl_call *call);

/* events.c */
enum xpl_answered xpl_explanation_task_events(struct xpl_call *call);
enum xpl_answered xpl_subscription_events(struct xpl_call *call);

/* webhooks.c, webhook_deliveries.c */
enum xpl_answered xpl_webhooks_list(struct xpl_call *call);
enum xpl_answered xpl_webhooks_add(struct xpl_call *call);
enum xpl_answered xpl_webhooks_get(struct xpl_call *call);
enum xpl_answered xpl_webhooks_patch(struct xpl_call *call);
enum xpl_answered xpl_webhooks_delete(struct xpl_call *call);
enum xpl_answered xpl_webhook_deliveries_list(struct xpl_call *call);
enum xpl_answered xpl_webhook_redeliveries_add(struct xpl_call *call);

/* transactions.c */
enum xpl_answered xpl_transactions_get(struct xpl_call *call);
enum xpl_answered xpl_transaction_explanations(struct xpl_call *call);

/* API v1 */
enum xpl_answered xpl_v1_deployments_online(struct xpl_call *call);
enum xpl_answered xpl_v1_data_mart_get(struct xpl_call *call);
enum xpl_answered xpl_v1_data_mart_put(struct xpl_call *call);
enum xpl_answered xpl_v1_data_mart_patch(struct xpl_call *call);
enum xpl_answered xpl_v1_data_mart_delete(struct xpl_call *call);
enum xpl_answered xpl_v1_bindings_list(struct xpl_call *call);
enum xpl_answered xpl_v1_bindings_add(struct xpl_call *call);
enum xpl_answered xpl_v1_bindings_get(struct xpl_call *call);
enum xpl_answered xpl_v1_bindings_put(struct xpl_call *call);
enum xpl_answered xpl_v1_bindings_delete(struct xpl_call *call);
enum xpl_answered xpl_v1_subscriptions_list(struct xpl_call *call);
enum xpl_answered xpl_v1_subscriptions_add(struct xpl_call *call);
enum xpl_answered xpl_v1_subscriptions_get(struct xpl_call *call);
enum xpl_answered xpl_v1_subscriptions_put(struct xpl_call *call);
enum xpl_answered xpl_v1_subscriptions_patch(struct xpl_call *call);
enum xpl_answered xpl_v1_subscriptions_delete(struct xpl_call *call);
enum xpl_answered xpl_v1_configurations_get(struct xpl_call *call);
enum xpl_answered xpl_v1_configurations_put(struct xpl_call *call);
enum xpl_answered xpl_v1_payload_schema_get(struct xpl_call *call);
enum xpl_answered xpl_v1_scoring_payloads_add(struct xpl_call *call);
enum xpl_answered xpl_v1_scoring_transactions_list(struct xpl_call *call);
enum xpl_answered xpl_v1_explanation_configurations_add(struct xpl_call *call);
enum xpl_answered xpl_v1_explanation_tasks_add(struct xpl_call *call);
enum xpl_answered xpl_v1_explanation_tasks_get(struct xpl_call *call);
enum xpl_answered xpl_v1_model_explanations_add(struct xpl_call *call);
enum xpl_answered xpl_v1_model_explanations_get(struct xpl_call *call);
enum xpl_answered xpl_v1_explanations_list(struct xpl_call *call);
enum xpl_answered xpl_v1_monitor_definitions_list(struct xpl_call *call);
enum xpl_answered xpl_v1_metrics_list(struct xpl_call *call);
enum xpl_answered xpl_v1_deployment_metrics_list(struct xpl_call *call);

#endif
