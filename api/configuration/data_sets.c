/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a subscription. Records can be logged to `payload_logging`; the other types are kept for clients that
 * make them. */
#include <string.h>

#include "api/configuration/resource.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "db/records.h"
#include "lib/base/text.h"

static const char *const types[] = {"payload_logging", "feedback", "manual_labeling", "training", "explanations",
                                    "custom",          NULL};
static const char *const target_types[] = {"subscription", "instance", "data_mart", NULL};

struct data_set_request {
    const char *data_mart_id, *name, *description, *type, *target_type, *target_id, *managed_by, *schema_update_mode;
    json_t *data_schema, *location;
};

static enum xpl_status check(const json_t *entity, struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_STRING(struct data_set_request, data_mart_id, .required = true),
        XPL_JSON_STRING(struct data_set_request, name, .required = true, .max = 256),
        XPL_JSON_STRING(struct data_set_request, description),
        XPL_JSON_STRING(struct data_set_request, type, .required = true, .choices = types),
        XPL_JSON_STRING(struct data_set_request, target_type, .path = "target.target_type", .required = true,
                        .choices = target_types),
        XPL_JSON_STRING(struct data_set_request, target_id, .path = "target.target_id", .required = true, .max = 256),
        XPL_JSON_STRING(struct data_set_request, managed_by, .max = 256),
        XPL_JSON_STRING(struct data_set_request, schema_update_mode),
        XPL_JSON_OBJECT_FIELD(struct data_set_request, data_schema),
        XPL_JSON_OBJECT_FIELD(struct data_set_request, location),
    };
    struct data_set_request request = {0};
    enum xpl_status st = xpl_json_read(entity, fields, XPL_COUNT(fields), &request, err);

    if (st)
        return st;
    if (json_is_object(json_object_get(entity, "data_schema")) &&
        (!xpl_json_string_at(entity, "data_schema.type") || !json_is_array(xpl_json_at(entity, "data_schema.fields"))))
        return xpl_fail_field(err, XPL_BAD_FIELD, "data_schema", "must have \"type\" and the array \"fields\"");
    return XPL_OK;
}

static json_t *column(const char *name, const char *type, const char *role)
{
    return json_pack("{s:s, s:s, s:b, s:{s:s*}}", "name", name, "type", type, "nullable", 1, "metadata",
                     "modeling_role", role);
}

/* The columns of a payload data set, as a client sees them in its records. */
static json_t *payload_schema(void)
{
    return json_pack(
        "{s:s, s:[o, o, o, o, o, o, o, o, o, o]}", "type", "struct", "fields",
        column("scoring_id", "string", "record-id"), column("scoring_timestamp", "timestamp", "record-timestamp"),
        column("deployment_id", "string", NULL), column("asset_revision", "string", NULL),
        column("transaction_id", "string", NULL), column("response_time", "double", NULL),
        column("prediction", "string", "prediction"), column("probability", "array<double>", "probability"),
        column("prediction_probability", "double", "prediction-probability"), column("scoring_input", "image", NULL));
}

static enum xpl_status removing(struct xpl_db *db, struct xpl_call *call, const char *id, bool force,
                                struct xpl_error *err)
{
    struct xpl_resource resource;
    const char **tasks;
    enum xpl_status st;
    size_t n_tasks;
    int64_t n;

    st = xpl_resource_get(db, call->arena, &xpl_kind_data_set, call->data_mart_id, id, &resource, err);
    if (st || (st = xpl_data_set_count_records(db, id, &n, err)))
        return st;
    if (n > 0 && !force)
        return xpl_fail(err, XPL_CONFLICT, "the data set has %lld records; force=true deletes them too", (long long)n);
    if ((st = xpl_data_set_running_tasks(db, call->arena, id, &tasks, &n_tasks, err)) ||
        (st = xpl_call_deletes_tasks(call, tasks, n_tasks, err)))
        return st;
    return xpl_data_set_purge(db, id, err);
}

static const char *const read_only[] = {"status", "data_mart_id", "type", "target", NULL};

static void complete(json_t *entity)
{
    if (!json_is_object(json_object_get(entity, "data_schema")))
        json_object_set_new(entity, "data_schema", json_pack("{s:s, s:[]}", "type", "struct", "fields"));
}

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err);

static const struct xpl_resource_type type = {
    .kind = &xpl_kind_data_set,
    .singular = "data_set",
    .plural = "data_sets",
    .filters = {"target.target_type", "target.target_id", "type", "managed_by", "name"},
    .read_only = read_only,
    .check = check,
    .removing = removing,
    .complete = complete,
    .adding = run_add,
    .names_data_mart = true,
    .has_status = true,
};

enum xpl_status xpl_add_payload_data_set(struct xpl_db *db, struct xpl_call *call, const char *subscription_id,
                                         struct xpl_error *err)
{
    XPL_AUTO_JSON entity = json_pack(
        "{s:s, s:s, s:s, s:{s:s, s:s}, s:s, s:s, s:o, s:{s:o}, s:{s:s}}", "data_mart_id", call->data_mart_id, "name",
        "payload logging", "type", "payload_logging", "target", "target_type", "subscription", "target_id",
        subscription_id, "managed_by", "system", "schema_update_mode", "auto", "data_schema", payload_schema(),
        "location", "table_name", json_sprintf("Payload_%s", subscription_id), "status", "state", "active");
    struct xpl_resource resource;
    enum xpl_status st;

    if (!entity)
        return xpl_no_memory(err);
    if ((st = xpl_resource_make(call, &type, NULL, entity, &resource, err)))
        return st;
    return xpl_resource_insert(db, &xpl_kind_data_set, &resource, err);
}

/* A data set of a subscription needs it, and a subscription logs its payload in one place. */
static enum xpl_status check_target(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource *data_set,
                                    struct xpl_error *err)
{
    const char *target_type = data_set->columns[0], *target_id = data_set->columns[1], *kind = data_set->columns[2];
    struct xpl_resource_filter filter = {.values = {target_type, target_id, kind}};
    struct xpl_resource subscription, *same;
    struct xpl_error ignored = {0};
    enum xpl_status st;
    size_t n;

    if (strcmp(target_type, "subscription") != 0)
        return XPL_OK;
    st = xpl_resource_get(db, call->arena, &xpl_kind_subscription, call->data_mart_id, target_id, &subscription,
                          &ignored);
    if (st == XPL_NOT_FOUND)
        return xpl_fail_field(err, XPL_NOT_FOUND, "target.target_id", "there is no subscription %.100s", target_id);
    if (st || strcmp(kind, "payload_logging") != 0)
        return st ? xpl_fail(err, st, "%s", ignored.message) : XPL_OK;
    if ((st = xpl_resource_list(db, call->arena, &xpl_kind_data_set, call->data_mart_id, &filter, &same, &n, err)))
        return st;
    return n ? xpl_fail(err, XPL_CONFLICT, "the subscription has a payload data set already: %s", same[0].id) : XPL_OK;
}

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    enum xpl_status st = check_target(db, call, arg, err);

    return st ? st : xpl_resource_insert_and_reply(db, call, &type, arg, err);
}

enum xpl_answered xpl_data_sets_add(struct xpl_call *call)
{
    return xpl_resource_add_reply(call, &type);
}

enum xpl_answered xpl_data_sets_list(struct xpl_call *call)
{
    return xpl_resource_list_reply(call, &type);
}

enum xpl_answered xpl_data_sets_get(struct xpl_call *call)
{
    return xpl_resource_get_reply(call, &type);
}

enum xpl_answered xpl_data_sets_patch(struct xpl_call *call)
{
    return xpl_resource_patch_reply(call, &type);
}

enum xpl_answered xpl_data_sets_delete(struct xpl_call *call)
{
    return xpl_resource_delete_reply(call, &type);
}
