/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Monitors. `explainability` is ours: its instance switches explanations of a subscription on and holds their
 * parameters. IBM's SDK takes the names of `fairness` and `performance` for granted, and makes a performance instance
 * with every subscription: instances of both are kept and do nothing.
 */
#include <string.h>

#include "api/configuration/monitors.h"
#include "api/configuration/resource.h"
#include "api/explanations/automatic.h"
#include "api/explanations/explain_params.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "db/tasks.h"
#include "lib/base/text.h"
#include "lib/base/time.h"

#define PARAMETER_BYTES ((size_t)16 << 20)

struct definition {
    const char *id, *name, *description;
};

static const struct definition definitions[] = {
    {"explainability", "Explainability", "Why a deployed image model decided as it did"},
    {"fairness", "Fairness", "Accepted for clients that name it; does nothing here"},
    {"performance", "Performance", "Accepted for clients that name it; does nothing here"},
};

static json_t *definition_view(const struct xpl_call *call, const struct definition *d)
{
    char when[XPL_TIME_TEXT_SIZE];

    return json_pack("{s:{s:s, s:o, s:o, s:s, s:s}, s:{s:s, s:s, s:[], s:[], s:s}}", "metadata", "id", d->id, "crn",
                     json_sprintf("crn:v1:bluemix:public:aiopenscale:us-south:a/na:%s:monitor_definition:%s",
                                  call->data_mart_id, d->id),
                     "url", json_sprintf("/v2/monitor_definitions/%s", d->id), "created_at",
                     xpl_time_format(call->app->started_us, when), "created_by", "system", "entity", "name", d->name,
                     "description", d->description, "metrics", "tags", "managed_by", "system");
}

static const struct definition *find_definition(const char *id)
{
    for (size_t i = 0; i < XPL_COUNT(definitions); i++)
        if (strcmp(definitions[i].id, id) == 0)
            return &definitions[i];
    return NULL;
}

enum xpl_answered xpl_monitor_definitions_list(struct xpl_call *call)
{
    json_t *list = json_array();

    for (size_t i = 0; i < XPL_COUNT(definitions); i++)
        json_array_append_new(list, definition_view(call, &definitions[i]));
    return xpl_reply_json(call, 200, json_pack("{s:o}", "monitor_definitions", list));
}

enum xpl_answered xpl_monitor_definitions_get(struct xpl_call *call)
{
    const struct definition *definition = find_definition(call->path_params[0]);
    struct xpl_error err = {0};

    if (definition)
        return xpl_reply_json(call, 200, definition_view(call, definition));
    xpl_resource_missing("monitor_definition", call->path_params[0], &err);
    return xpl_reply_error(call, &err);
}

/* ---- instances ---- */

struct instance_request {
    const char *data_mart_id, *monitor_definition_id, *target_type, *target_id, *managed_by;
    json_t *parameters, *thresholds, *schedule;
    bool enabled;
};

static enum xpl_status read_request(const json_t *entity, struct instance_request *ret, struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_STRING(struct instance_request, data_mart_id, .required = true),
        XPL_JSON_STRING(struct instance_request, monitor_definition_id, .required = true, .max = 256),
        XPL_JSON_STRING(struct instance_request, target_type, .path = "target.target_type", .required = true,
                        .max = 64),
        XPL_JSON_STRING(struct instance_request, target_id, .path = "target.target_id", .required = true, .max = 256),
        XPL_JSON_STRING(struct instance_request, managed_by, .max = 256),
        XPL_JSON_OBJECT_FIELD(struct instance_request, parameters),
        XPL_JSON_ARRAY_FIELD(struct instance_request, thresholds),
        XPL_JSON_OBJECT_FIELD(struct instance_request, schedule),
        XPL_JSON_BOOL(struct instance_request, enabled, .path = "parameters.enabled"),
    };

    return xpl_json_read(entity, fields, XPL_COUNT(fields), ret, err);
}

static bool is_explainability(const char *definition_id)
{
    return definition_id && strcmp(definition_id, "explainability") == 0;
}

static enum xpl_status check(const json_t *entity, struct xpl_error *err)
{
    XPL_AUTO(xpl_arena) arena = xpl_arena_new(PARAMETER_BYTES);
    struct xpl_explain_params params = xpl_explain_params_default();
    struct instance_request request = {0};
    struct xpl_automatic automatic;
    enum xpl_status st = arena ? read_request(entity, &request, err) : xpl_no_memory(err);

    if (st)
        return st;
    if (json_is_null(json_object_get(entity, "parameters")))
        return xpl_fail_field(err, XPL_BAD_FIELD, "parameters", "must be an object, or left out");
    if (json_is_null(xpl_json_at(entity, "parameters.enabled")))
        return xpl_fail_field(err, XPL_BAD_FIELD, "parameters.enabled", "must be true or false, or left out");
    if (!find_definition(request.monitor_definition_id))
        return xpl_fail_field(err, XPL_NOT_FOUND, "monitor_definition_id", "there is no monitor definition %.100s",
                              request.monitor_definition_id);
    if (!is_explainability(request.monitor_definition_id))
        return XPL_OK;
    if ((st = xpl_explain_params_read(arena, request.parameters, "parameters", &params, err)) ||
        (st = xpl_automatic_read(arena, json_object_get(request.parameters, "automatic"), &automatic, err)))
        return st;
    if (params.segmentation.algorithm == XPL_SEGMENTATION_LABELS)
        return xpl_fail_field(err, XPL_BAD_FIELD, "parameters.image.segmentation.labels",
                              "belong to one image: they are accepted with a request, not for all of them");
    return XPL_OK;
}

/* What the original puts into the parameters of an explainability instance: how many explanations there were. And what
 * the rules did today. */
static enum xpl_status decorate(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource *resource,
                                json_t *entity, struct xpl_error *err)
{
    const char *subscription_id = xpl_json_string_at(entity, "target.target_id");
    json_t *parameters = json_object_get(entity, "parameters");
    struct xpl_task_counts counts;
    enum xpl_status st;
    json_t *done;

    (void)resource;
    if (!is_explainability(xpl_json_string_at(entity, "monitor_definition_id")) || !parameters)
        return XPL_OK;
    if ((st = xpl_task_counts_of(db, call->data_mart_id, subscription_id, &counts, err)))
        return st;
    json_object_set_new(
        parameters, "explanations_count",
        json_pack("{s:I, s:I}", "failed", (json_int_t)counts.failed, "total", (json_int_t)counts.total));
    if (!json_is_object(json_object_get(parameters, "automatic")))
        return XPL_OK;
    if (!(done = xpl_automatic_view(db, call, subscription_id, err)))
        return err->status ? err->status : xpl_no_memory(err);
    json_object_set_new(parameters, "automatic_count", done);
    return XPL_OK;
}

/* Members a client of the original expects in the parameters of an explainability instance. */
static void complete(json_t *entity)
{
    json_t *parameters = json_object_get(entity, "parameters");
    char when[XPL_TIME_TEXT_SIZE];

    if (!is_explainability(xpl_json_string_at(entity, "monitor_definition_id")))
        return;
    if (!json_is_object(parameters)) {
        parameters = json_object();
        json_object_set_new(entity, "parameters", parameters);
    }
    if (!json_is_boolean(json_object_get(parameters, "enabled")))
        json_object_set_new(parameters, "enabled", json_true());
    json_object_set_new(parameters, "config_modified_at", json_string(xpl_time_format(xpl_now_us(), when)));
}

static const char *const read_only[] = {"status", "data_mart_id", "monitor_definition_id", "target", NULL};

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err);

static const struct xpl_resource_type type = {
    .kind = &xpl_kind_monitor_instance,
    .singular = "monitor_instance",
    .plural = "monitor_instances",
    .filters = {"monitor_definition_id", "target.target_type", "target.target_id"},
    .read_only = read_only,
    .check = check,
    .complete = complete,
    .decorate = decorate,
    .adding = run_add,
    .names_data_mart = true,
    .has_status = true,
};

static enum xpl_status check_target(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource *instance,
                                    struct xpl_error *err)
{
    struct xpl_resource target;
    const char *target_type = instance->columns[1], *target_id = instance->columns[2];
    enum xpl_status st;

    if (strcmp(target_type, "subscription") != 0)
        return XPL_OK;
    st = xpl_resource_get(db, call->arena, &xpl_kind_subscription, call->data_mart_id, target_id, &target, err);
    if (st != XPL_NOT_FOUND)
        return st;
    xpl_error_clear(err);
    return xpl_fail_field(err, XPL_BAD_FIELD, "target.target_id", "there is no subscription %.100s", target_id);
}

static enum xpl_status check_single(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource *instance,
                                    struct xpl_error *err)
{
    struct xpl_resource_filter filter = {.values = {instance->columns[0], instance->columns[1], instance->columns[2]}};
    struct xpl_resource *found;
    enum xpl_status st;
    size_t n;

    st = xpl_resource_list(db, call->arena, type.kind, call->data_mart_id, &filter, &found, &n, err);
    if (st || n == 0)
        return st;
    return xpl_fail(err, XPL_CONFLICT, "the %s already has a monitor instance of %s: %s", instance->columns[1],
                    instance->columns[0], found[0].id);
}

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    const struct xpl_resource *instance = arg;
    enum xpl_status st;

    if ((st = check_target(db, call, instance, err)) || (st = check_single(db, call, instance, err)))
        return st;
    return xpl_resource_insert_and_reply(db, call, &type, instance, err);
}

enum xpl_answered xpl_monitor_instances_add(struct xpl_call *call)
{
    return xpl_resource_add_reply(call, &type);
}

enum xpl_answered xpl_monitor_instances_list(struct xpl_call *call)
{
    return xpl_resource_list_reply(call, &type);
}

enum xpl_answered xpl_monitor_instances_get(struct xpl_call *call)
{
    return xpl_resource_get_reply(call, &type);
}

enum xpl_answered xpl_monitor_instances_patch(struct xpl_call *call)
{
    return xpl_resource_patch_reply(call, &type);
}

enum xpl_answered xpl_monitor_instances_delete(struct xpl_call *call)
{
    return xpl_resource_delete_reply(call, &type);
}

/* ---- explainability of a subscription ---- */

static enum xpl_status find_explainability(struct xpl_db *db, struct xpl_call *call, const char *subscription_id,
                                           struct xpl_resource **ret, size_t *ret_n, struct xpl_error *err)
{
    struct xpl_resource_filter filter = {.values = {"explainability", "subscription", subscription_id}};

    return xpl_resource_list(db, call->arena, type.kind, call->data_mart_id, &filter, ret, ret_n, err);
}

enum xpl_status xpl_explainability_get(struct xpl_db *db, struct xpl_call *call, const char *subscription_id,
                                       bool *ret_enabled, json_t **ret_parameters, struct xpl_error *err)
{
    XPL_AUTO_JSON entity = NULL;
    struct xpl_resource *found;
    enum xpl_status st;
    size_t n;

    if ((st = find_explainability(db, call, subscription_id, &found, &n, err)) ||
        (n && (st = xpl_resource_entity(&found[0], &entity, err))))
        return st;
    *ret_enabled = n && !json_is_false(xpl_json_at(entity, "parameters.enabled"));
    if (ret_parameters) {
        json_t *parameters = json_object_get(entity, "parameters");

        *ret_parameters = parameters ? json_incref(parameters) : json_object();
    }
    return XPL_OK;
}

static json_t *new_explainability(const struct xpl_call *call, const char *subscription_id)
{
    return json_pack("{s:s, s:s, s:{s:s, s:s}, s:{}, s:{s:s}}", "data_mart_id", call->data_mart_id,
                     "monitor_definition_id", "explainability", "target", "target_type", "subscription", "target_id",
                     subscription_id, "parameters", "status", "state", "active");
}

enum xpl_status xpl_explainability_set(struct xpl_db *db, struct xpl_call *call, const char *subscription_id,
                                       bool enabled, const json_t *parameters, struct xpl_error *err)
{
    XPL_AUTO_JSON entity = NULL;
    struct xpl_resource *found, made;
    json_t *stored;
    enum xpl_status st;
    size_t n;

    if ((st = find_explainability(db, call, subscription_id, &found, &n, err)) ||
        (n && (st = xpl_resource_entity(&found[0], &entity, err))))
        return st;
    if (!entity && !(entity = new_explainability(call, subscription_id)))
        return xpl_no_memory(err);
    stored = json_object_get(entity, "parameters");
    json_object_update(stored, (json_t *)(uintptr_t)parameters);
    json_object_set_new(stored, "enabled", json_boolean(enabled));
    if ((st = check(entity, err)) || (st = xpl_resource_make(call, &type, n ? found[0].id : NULL, entity, &made, err)))
        return st;
    if (n == 0)
        return xpl_resource_insert(db, type.kind, &made, err);
    made.modified_at = xpl_now_us();
    made.modified_by = call->user;
    return xpl_resource_update(db, type.kind, &made, err);
}

/* ---- runs and measurements: what online explanations do not have ---- */

static bool instance_exists(struct xpl_call *call, struct xpl_error *err)
{
    struct xpl_resource instance;
    enum xpl_status st =
        xpl_resource_get(call->db, call->arena, type.kind, call->data_mart_id, call->path_params[0], &instance, err);

    if (st == XPL_NOT_FOUND)
        xpl_resource_missing(type.singular, call->path_params[0], err);
    return st == XPL_OK;
}

static enum xpl_answered reply_empty(struct xpl_call *call, const char *list)
{
    struct xpl_error err = {0};

    if (!instance_exists(call, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_json(call, 200, json_pack("{s:[]}", list));
}

enum xpl_answered xpl_monitor_runs_list(struct xpl_call *call)
{
    return reply_empty(call, "runs");
}

/* There never was one. */
enum xpl_answered xpl_monitor_runs_get(struct xpl_call *call)
{
    struct xpl_error err = {0};

    if (instance_exists(call, &err))
        xpl_resource_missing("monitor_run", call->path_params[1], &err);
    return xpl_reply_error(call, &err);
}

enum xpl_answered xpl_monitor_measurements_list(struct xpl_call *call)
{
    return reply_empty(call, "measurements");
}

enum xpl_answered xpl_monitor_runs_add(struct xpl_call *call)
{
    struct xpl_error err = {0};

    if (instance_exists(call, &err))
        xpl_fail(&err, XPL_NOT_AVAILABLE,
                 "monitor runs are not available: explanations are asked for one by one (POST /v2/explanation_tasks)");
    return xpl_reply_error(call, &err);
}
