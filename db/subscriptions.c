/* SPDX-License-Identifier: Apache-2.0 */
#include "db/subscriptions.h"

#include "lib/base/arena.h"

#define MAX_IDS 10000

static void read_target(struct xpl_row *row, void *out)
{
    struct xpl_log_target *target = out;

    target->type = xpl_row_text(row, "type");
    target->target_type = xpl_row_text(row, "target_type");
    target->subscription_id = xpl_row_text(row, "target_id");
    target->deployment_id = xpl_row_text(row, "deployment_id");
    target->asset_properties = xpl_row_text(row, "asset_properties");
    target->automatic = xpl_row_text(row, "automatic");
    target->has_output_schema = xpl_row_int(row, "has_output_schema") != 0;
}

enum xpl_status xpl_log_target_get(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id,
                                   const char *data_set_id, struct xpl_log_target *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(
        db, "SELECT d.type AS type, d.target_type AS target_type, d.target_id AS target_id,"
            " s.deployment_id AS deployment_id,"
            " json_object('asset_properties', json_object("
            "'probability_fields', json(s.entity -> '$.asset_properties.probability_fields'),"
            " 'prediction_field', s.entity ->> '$.asset_properties.prediction_field',"
            " 'explaind', json(s.entity -> '$.asset_properties.explaind')), 'deployment', json_object("
            " 'scoring_endpoint', json_object("
            " 'explaind', json(s.entity -> '$.deployment.scoring_endpoint.explaind')))) AS asset_properties,"
            " json_type(s.entity, '$.asset_properties.output_data_schema') IS NOT NULL AS has_output_schema,"
            " (SELECT m.entity -> '$.parameters.automatic' FROM monitor_instances m"
            "   WHERE m.target_id = d.target_id AND m.data_mart_id = d.data_mart_id"
            "   AND m.monitor_definition_id = 'explainability'"
            "   AND m.entity ->> '$.parameters.enabled' IS NOT 0) AS automatic"
            " FROM data_sets d LEFT JOIN subscriptions s ON s.id = d.target_id AND s.data_mart_id = d.data_mart_id"
            " WHERE d.id = ? AND d.data_mart_id = ?");

    xpl_bind_text(query, data_set_id);
    xpl_bind_text(query, data_mart_id);
    return xpl_fetch_one(query, arena, read_target, ret, err);
}

enum xpl_status xpl_subscription_has_records(struct xpl_db *db, const char *subscription_id, bool *ret,
                                             struct xpl_error *err)
{
    int64_t found = 0;
    enum xpl_status st;

    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT EXISTS (SELECT 1 FROM records WHERE data_set_id IN"
                             " (SELECT id FROM data_sets WHERE target_type = 'subscription' AND target_id = ?))");
    xpl_bind_text(query, subscription_id);
    if ((st = xpl_fetch_int(query, &found, err)))
        return st;
    *ret = found != 0;
    return XPL_OK;
}

enum xpl_status xpl_subscription_purge(struct xpl_db *db, const char *subscription_id, struct xpl_error *err)
{
#define OF_DATA_SETS                                                                                                   \
    " WHERE data_set_id IN (SELECT id FROM data_sets WHERE target_type = 'subscription' AND target_id = ?)"
    static const char *const statements[] = {
        "DELETE FROM explanation_tasks WHERE subscription_id = ?",
        "DELETE FROM payloads WHERE id IN (SELECT payload_id FROM records" OF_DATA_SETS ")",
        "DELETE FROM records" OF_DATA_SETS,
        "DELETE FROM data_set_usage" OF_DATA_SETS,
        "DELETE FROM purges" OF_DATA_SETS,
        "DELETE FROM distributions" OF_DATA_SETS,
        "DELETE FROM record_requests" OF_DATA_SETS,
        "DELETE FROM data_sets WHERE target_type = 'subscription' AND target_id = ?",
        "DELETE FROM inference_events WHERE subscription_id = ?",
        "DELETE FROM event_errors WHERE subscription_id = ?",
        "DELETE FROM deployment_batches WHERE subscription_id = ?",
        "DELETE FROM automatic_counts WHERE subscription_id = ?",
        "DELETE FROM monitor_instances WHERE target_type = 'subscription' AND target_id = ?",
        "DELETE FROM webhooks WHERE target_type = 'subscription' AND target_id = ?",
    };
#undef OF_DATA_SETS

    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        XPL_AUTO(xpl_stmt) deletion = xpl_db_query(db, statements[i]);
        enum xpl_status st;

        xpl_bind_text(deletion, subscription_id);
        if ((st = xpl_run(deletion, NULL, err)))
            return st;
    }
    return XPL_OK;
}

static void read_id(struct xpl_row *row, void *out)
{
    *(const char **)out = xpl_row_text(row, "id");
}

enum xpl_status xpl_provider_subscriptions(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id,
                                           const char *provider_id, const char ***ret_ids, size_t *ret_count,
                                           struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT id FROM subscriptions WHERE data_mart_id = ? AND service_provider_id = ?");

    xpl_bind_text(query, data_mart_id);
    xpl_bind_text(query, provider_id);
    return xpl_fetch_all(query, arena, read_id, sizeof(char *), MAX_IDS, ret_ids, ret_count, err);
}

enum xpl_status xpl_subscription_running_tasks(struct xpl_db *db, struct xpl_arena *arena, const char *subscription_id,
                                               const char ***ret_ids, size_t *ret_count, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT id FROM explanation_tasks WHERE subscription_id = ?"
                             " AND state IN ('queued', 'leased')");

    xpl_bind_text(query, subscription_id);
    return xpl_fetch_all(query, arena, read_id, sizeof(char *), MAX_IDS, ret_ids, ret_count, err);
}
