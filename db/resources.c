/* SPDX-License-Identifier: Apache-2.0 */
#include "db/resources.h"

#include "db/value_list.h"

#include <string.h>

#include "lib/base/buf.h"

#define MAX_SQL_BYTES ((size_t)8192)
#define MAX_LISTED    10000

const struct xpl_resource_kind xpl_kind_data_mart = {"data_marts", {NULL}};
const struct xpl_resource_kind xpl_kind_service_provider = {
    "service_providers", {"name", "service_type", "instance_id", "operational_space_id", "deployment_space_id"}};
const struct xpl_resource_kind xpl_kind_subscription = {
    "subscriptions", {"service_provider_id", "asset_id", "asset_type", "deployment_id", "deployment_type"}};
const struct xpl_resource_kind xpl_kind_data_set = {"data_sets",
                                                    {"target_type", "target_id", "type", "managed_by", "name"}};
const struct xpl_resource_kind xpl_kind_monitor_instance = {"monitor_instances",
                                                            {"monitor_definition_id", "target_type", "target_id"}};
const struct xpl_resource_kind xpl_kind_webhook = {"webhooks", {"target_type", "target_id"}};

static size_t n_columns(const struct xpl_resource_kind *kind)
{
    size_t n = 0;

    while (n < XPL_RESOURCE_MAX_COLUMNS && kind->columns[n])
        n++;
    return n;
}

static void read_common(struct xpl_row *row, struct xpl_resource *resource)
{
    resource->id = xpl_row_text(row, "id");
    resource->data_mart_id = xpl_row_text(row, "data_mart_id");
    resource->entity = xpl_row_text(row, "entity");
    resource->created_at = xpl_row_int(row, "created_at");
    resource->created_by = xpl_row_text(row, "created_by");
    resource->modified_at = xpl_row_int(row, "modified_at");
    resource->modified_by = xpl_row_text(row, "modified_by");
}

static void read_resource(struct xpl_row *row, void *out)
{
    static const char *const names[XPL_RESOURCE_MAX_COLUMNS] = {"column_0", "column_1", "column_2",
                                                                "column_3", "column_4", "column_5"};
    struct xpl_resource *resource = out;

    read_common(row, resource);
    for (size_t i = 0; i < XPL_RESOURCE_MAX_COLUMNS; i++)
        resource->columns[i] = xpl_row_text(row, names[i]);
}

/* SELECT with the filter columns under neutral names, so that one reader serves all kinds. */
static void append_select(struct xpl_buf *sql, const struct xpl_resource_kind *kind)
{
    size_t n = n_columns(kind);

    xpl_buf_string(sql, "SELECT id, data_mart_id, entity, created_at, created_by, modified_at, modified_by");
    for (size_t i = 0; i < XPL_RESOURCE_MAX_COLUMNS; i++)
        xpl_buf_printf(sql, ", %s AS column_%zu", i < n ? kind->columns[i] : "NULL", i);
    xpl_buf_printf(sql, " FROM %s WHERE data_mart_id = ?", kind->table);
}

enum xpl_status xpl_resource_insert(struct xpl_db *db, const struct xpl_resource_kind *kind,
                                    const struct xpl_resource *resource, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) sql = xpl_buf_new(MAX_SQL_BYTES);
    size_t n = n_columns(kind);

    if (!sql)
        return xpl_no_memory(err);
    xpl_buf_printf(sql, "INSERT INTO %s (id, data_mart_id, entity, created_at, created_by", kind->table);
    for (size_t i = 0; i < n; i++)
        xpl_buf_printf(sql, ", %s", kind->columns[i]);
    xpl_buf_string(sql, ") VALUES (?, ?, ?, ?, ?");
    for (size_t i = 0; i < n; i++)
        xpl_buf_string(sql, ", ?");
    if (!xpl_buf_string(sql, ")"))
        return xpl_no_memory(err);

    XPL_AUTO(xpl_stmt) st = xpl_db_query_once(db, sql->data);
    xpl_bind_text(st, resource->id);
    xpl_bind_text(st, resource->data_mart_id);
    xpl_bind_text(st, resource->entity);
    xpl_bind_int(st, resource->created_at);
    xpl_bind_text(st, resource->created_by);
    for (size_t i = 0; i < n; i++)
        xpl_bind_text(st, resource->columns[i]);
    return xpl_run(st, NULL, err);
}

enum xpl_status xpl_resource_get(struct xpl_db *db, struct xpl_arena *arena, const struct xpl_resource_kind *kind,
                                 const char *data_mart_id, const char *id, struct xpl_resource *ret,
                                 struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) sql = xpl_buf_new(MAX_SQL_BYTES);

    if (!sql)
        return xpl_no_memory(err);
    append_select(sql, kind);
    if (!xpl_buf_string(sql, " AND id = ?"))
        return xpl_no_memory(err);

    XPL_AUTO(xpl_stmt) st = xpl_db_query_built(db, sql->data);
    xpl_bind_text(st, data_mart_id);
    xpl_bind_text(st, id);
    return xpl_fetch_one(st, arena, read_resource, ret, err);
}

enum xpl_status xpl_resource_list(struct xpl_db *db, struct xpl_arena *arena, const struct xpl_resource_kind *kind,
                                  const char *data_mart_id, const struct xpl_resource_filter *filter,
                                  struct xpl_resource **ret, size_t *ret_count, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) sql = xpl_buf_new(MAX_SQL_BYTES);
    size_t n = n_columns(kind);

    if (!sql)
        return xpl_no_memory(err);
    append_select(sql, kind);
    for (size_t i = 0; i < n; i++) {
        if (!filter->values[i])
            continue;
        xpl_append_values(sql, kind->columns[i], filter->values[i]);
    }
    if (!xpl_buf_string(sql, " ORDER BY created_at, id"))
        return xpl_fail(err, XPL_BAD_REQUEST, "the filters have too many values");

    XPL_AUTO(xpl_stmt) st = xpl_db_query_once(db, sql->data);
    xpl_bind_text(st, data_mart_id);
    for (size_t i = 0; i < n; i++)
        if (filter->values[i])
            xpl_bind_values(st, filter->values[i]);
    return xpl_fetch_all(st, arena, read_resource, sizeof **ret, MAX_LISTED, ret, ret_count, err);
}

enum xpl_status xpl_resource_update(struct xpl_db *db, const struct xpl_resource_kind *kind,
                                    const struct xpl_resource *resource, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) sql = xpl_buf_new(MAX_SQL_BYTES);
    size_t n = n_columns(kind);
    enum xpl_status st_run;
    int64_t changed;

    if (!sql)
        return xpl_no_memory(err);
    xpl_buf_printf(sql, "UPDATE %s SET entity = ?, modified_at = ?, modified_by = ?", kind->table);
    for (size_t i = 0; i < n; i++)
        xpl_buf_printf(sql, ", %s = ?", kind->columns[i]);
    if (!xpl_buf_string(sql, " WHERE data_mart_id = ? AND id = ?"))
        return xpl_no_memory(err);

    XPL_AUTO(xpl_stmt) st = xpl_db_query_once(db, sql->data);
    xpl_bind_text(st, resource->entity);
    xpl_bind_int(st, resource->modified_at);
    xpl_bind_text(st, resource->modified_by);
    for (size_t i = 0; i < n; i++)
        xpl_bind_text(st, resource->columns[i]);
    xpl_bind_text(st, resource->data_mart_id);
    xpl_bind_text(st, resource->id);
    if ((st_run = xpl_run(st, &changed, err)))
        return st_run;
    return changed ? XPL_OK : xpl_fail(err, XPL_NOT_FOUND, "not found");
}

enum xpl_status xpl_resource_delete(struct xpl_db *db, const struct xpl_resource_kind *kind, const char *data_mart_id,
                                    const char *id, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) sql = xpl_buf_new(MAX_SQL_BYTES);
    enum xpl_status st_run;
    int64_t deleted;

    if (!sql || !xpl_buf_printf(sql, "DELETE FROM %s WHERE data_mart_id = ? AND id = ?", kind->table))
        return xpl_no_memory(err);

    XPL_AUTO(xpl_stmt) st = xpl_db_query_once(db, sql->data);
    xpl_bind_text(st, data_mart_id);
    xpl_bind_text(st, id);
    if ((st_run = xpl_run(st, &deleted, err)))
        return st_run;
    return deleted ? XPL_OK : xpl_fail(err, XPL_NOT_FOUND, "not found");
}

static void read_id(struct xpl_row *row, void *out)
{
    *(const char **)out = xpl_row_text(row, "id");
}

enum xpl_status xpl_data_marts_in_use(struct xpl_db *db, struct xpl_arena *arena, const char ***ret, size_t *ret_count,
                                      struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT id FROM data_marts UNION SELECT data_mart_id FROM service_providers ORDER BY 1"
                             " LIMIT ?");

    xpl_bind_int(query, MAX_LISTED);
    return xpl_fetch_all(query, arena, read_id, sizeof **ret, MAX_LISTED, ret, ret_count, err);
}
