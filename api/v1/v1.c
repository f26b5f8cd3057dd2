/* SPDX-License-Identifier: Apache-2.0 */
#include "api/v1/v1.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/access/auth.h"
#include "api/configuration/subscriptions.h"
#include "lib/base/time.h"

#define MAX_URL 1024

enum xpl_status xpl_v1_use_data_mart(struct xpl_call *call, const char *data_mart_id, struct xpl_error *err)
{
    if (!data_mart_id || strcasecmp(data_mart_id, call->data_mart_id) == 0)
        return XPL_OK;
    /* without users the data mart is the one that is named, unless an instance in the path says another */
    if (!call->app->no_auth || call->instance_named || !xpl_is_guid(data_mart_id))
        return xpl_resource_missing("data_mart", data_mart_id, err);
    call->data_mart_id = xpl_lower(xpl_arena_string(call->arena, data_mart_id));
    return call->data_mart_id ? XPL_OK : xpl_no_memory(err);
}

enum xpl_status xpl_v1_enter(struct xpl_call *call, struct xpl_error *err)
{
    const char *data_mart_id = call->path_params[0];

    memmove(call->path_params, call->path_params + 1, sizeof call->path_params - sizeof *call->path_params);
    return xpl_v1_use_data_mart(call, data_mart_id, err);
}

json_t *xpl_v1_metadata(const struct xpl_resource *resource, json_t *url)
{
    char when[XPL_TIME_TEXT_SIZE];
    json_t *metadata = json_pack("{s:s, s:o, s:s, s:s}", "guid", resource->id, "url", url, "created_at",
                                 xpl_time_format(resource->created_at, when), "created_by", resource->created_by);

    if (metadata)
        json_object_set_new(
            metadata, "modified_at",
            json_string(xpl_time_format(resource->modified_at ? resource->modified_at : resource->created_at, when)));
    return metadata;
}

json_t *xpl_v1_url(const struct xpl_call *call, const char *format, ...)
{
    char rest[MAX_URL];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(rest, sizeof rest, format, arguments);
    va_end(arguments);
    return json_sprintf("/v1/data_marts/%s%s", call->data_mart_id, rest);
}

enum xpl_status xpl_v1_find(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource_type *type,
                            const char *id, struct xpl_resource *ret, struct xpl_error *err)
{
    enum xpl_status st = xpl_resource_get(db, call->arena, type->kind, call->data_mart_id, id, ret, err);

    return st == XPL_NOT_FOUND ? xpl_resource_missing(type->singular, id, err) : st;
}

enum xpl_status xpl_v1_find_subscription(struct xpl_db *db, struct xpl_call *call, struct xpl_resource *ret,
                                         struct xpl_error *err)
{
    const char *binding_id = call->path_params[0], *id = call->path_params[1];
    enum xpl_status st = xpl_v1_find(db, call, &xpl_subscription_type, id, ret, err);

    if (!st && (!ret->columns[0] || strcmp(ret->columns[0], binding_id) != 0))
        return xpl_resource_missing("subscription", id, err);
    return st;
}
