/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A data mart is a tenant: its id is the instance in the path, and it exists from the first start. What a client may store is
 * its name and the like; the database itself is the daemon's own.
 */
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/resource.h"
#include "db/subscriptions.h"

static const char *const read_only[] = {"status", "internal_database", "database_configuration",
                                        "service_instance_crn", NULL};

struct data_mart_request {
    const char *name, *description;
    bool internal_database;
    json_t *database_configuration;
};

static enum xpl_status check(const json_t *entity, struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_STRING(struct data_mart_request, name),
        XPL_JSON_STRING(struct data_mart_request, description),
        XPL_JSON_BOOL(struct data_mart_request, internal_database),
        XPL_JSON_OBJECT_FIELD(struct data_mart_request, database_configuration),
    };
    struct data_mart_request request;

    return xpl_json_read(entity, fields, XPL_COUNT(fields), &request, err);
}

static enum xpl_status removing(struct xpl_db *db, struct xpl_call *call, const char *id, bool force,
                                struct xpl_error *err);

static const struct xpl_resource_type type = {
    .kind = &xpl_kind_data_mart,
    .singular = "data_mart",
    .plural = "data_marts",
    .read_only = read_only,
    .check = check,
    .removing = removing,
};

static json_t *default_entity(const struct xpl_call *call)
{
    return json_pack("{s:s, s:s, s:b, s:o, s:{s:s}}", "name", "explaind", "description", "the built-in data mart",
                     "internal_database", 1, "service_instance_crn",
                     json_sprintf("crn:v1:bluemix:public:aiopenscale:us-south:a/na:%s::", call->data_mart_id), "status",
                     "state", "active");
}

/* Makes the tenant's row when it is not there yet. */
static enum xpl_status ensure(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    XPL_AUTO_JSON entity = default_entity(call);
    struct xpl_resource resource;
    enum xpl_status st;

    (void)arg;
    st = xpl_resource_get(db, call->arena, type.kind, call->data_mart_id, call->data_mart_id, &resource, err);
    if (st != XPL_NOT_FOUND)
        return st;
    xpl_error_clear(err);
    if ((st = xpl_resource_make(call, &type, call->data_mart_id, entity, &resource, err)))
        return st;
    return xpl_resource_insert(db, type.kind, &resource, err);
}
