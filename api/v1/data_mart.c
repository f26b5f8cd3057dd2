/* SPDX-License-Identifier: Apache-2.0 */
/* The data mart in the form of v1: its entity alone. */
#include "api/configuration/data_marts.h"
#include "api/handlers.h"
#include "api/v1/v1.h"

static enum xpl_answered reply_v1(struct xpl_db *db, struct xpl_call *call, struct xpl_error *err)
{
    struct xpl_resource resource;
    XPL_AUTO_JSON entity = NULL;
    enum xpl_status st = xpl_resource_get(db, call->arena, xpl_data_mart_type.kind, call->data_mart_id,
                                          call->data_mart_id, &resource, err);

    if (st || xpl_resource_entity(&resource, &entity, err))
        return xpl_reply_error(call, err);
    return xpl_reply_json(call, 200, json_incref(entity));
}

static enum xpl_status ensure_and_reply_v1(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    enum xpl_status st = xpl_data_mart_ensure(db, call, arg, err);

    if (!st)
        reply_v1(db, call, err);
    return st;
}

enum xpl_answered xpl_v1_data_mart_get(struct xpl_call *call)
{
    enum xpl_presence presence;
    struct xpl_error err = {0};

    if (xpl_v1_enter(call, &err) || xpl_data_mart_look(call->db, call, &presence, &err))
        return xpl_reply_error(call, &err);
    if (presence != XPL_PRESENT)
        return xpl_reply_after_commit(call, ensure_and_reply_v1, NULL, 512);
    return reply_v1(call->db, call, &err);
}

/* The first PUT sets the data mart up; a later one says that it is there, unless it is to be written over. */
static enum xpl_status run_put_v1(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    XPL_AUTO_JSON body = NULL;
    const bool *force = arg;
    enum xpl_presence presence;
    enum xpl_status st;

    if ((st = xpl_data_mart_look(db, call, &presence, err)) || (st = xpl_call_json(call, &body, err)))
        return st;
    if (presence == XPL_PRESENT && !*force)
        return xpl_fail(err, XPL_DATA_MART_EXISTS, "Data Mart with this id is already defined");
    if ((st = xpl_data_mart_make(db, call, body, presence, err)))
        return st;
    reply_v1(db, call, err);
    return XPL_OK;
}

enum xpl_answered xpl_v1_data_mart_put(struct xpl_call *call)
{
    bool *force = XPL_NEW(call->arena, bool);
    XPL_AUTO_JSON body = NULL;
    struct xpl_error err = {0};

    if (!force)
        return xpl_reply_json(call, 503, NULL);
    if (xpl_v1_enter(call, &err) || xpl_call_json(call, &body, &err) || xpl_data_mart_type.check(body, &err) ||
        xpl_query_bool(call, "force", false, force, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_put_v1, force, call->body.length);
}

static enum xpl_status run_patch_v1(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    enum xpl_status st = xpl_data_mart_ensure(db, call, arg, err);

    call->path_params[0] = call->data_mart_id;
    if (st || (st = xpl_resource_patch_now(db, call, &xpl_data_mart_type, err)))
        return st;
    reply_v1(db, call, err);
    return XPL_OK;
}

enum xpl_answered xpl_v1_data_mart_patch(struct xpl_call *call)
{
    XPL_AUTO_JSON patch = NULL;
    struct xpl_error err = {0};

    if (xpl_v1_enter(call, &err) || xpl_call_json(call, &patch, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_patch_v1, NULL, call->body.length);
}

enum xpl_answered xpl_v1_data_mart_delete(struct xpl_call *call)
{
    struct xpl_error err = {0};

    if (xpl_v1_enter(call, &err))
        return xpl_reply_error(call, &err);
    call->path_params[0] = call->data_mart_id;
    return xpl_data_marts_delete(call);
}
