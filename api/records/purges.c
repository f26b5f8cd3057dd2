/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting records on demand, or their pixels only: asked for here, done a little at a time by the process. */
#include "db/purges.h"

#include <string.h>

#include "api/configuration/resource.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/json_text.h"
#include "api/records/records.h"
#include "lib/base/time.h"

#define MAX_IDS 1000

static json_t *time_or_null(int64_t time)
{
    char text[XPL_TIME_TEXT_SIZE];

    return time ? json_string(xpl_time_format(time, text)) : json_null();
}

static json_t *view(const struct xpl_purge *p)
{
    static const char *const id_members[] = {NULL, "scoring_ids", "transaction_ids"};
    char created[XPL_TIME_TEXT_SIZE];
    json_t *entity = json_pack("{s:s, s:b, s:I}", "state", p->finished ? "finished" : "active", "pixels_only",
                               p->pixels_only, "records_count", (json_int_t)p->n_records);

    if (p->kind == XPL_PURGE_TIME) {
        json_object_set_new(entity, "start", time_or_null(p->starts_at));
        json_object_set_new(entity, "end", time_or_null(p->ends_at));
    } else {
        json_object_set_new(entity, id_members[p->kind], json_loads(p->ids, 0, NULL));
    }
    return json_pack("{s:{s:s, s:o, s:s, s:s, s:o}, s:o}", "metadata", "id", p->id, "url",
                     json_sprintf("/v2/data_sets/%s/purges/%s", p->data_set_id, p->id), "created_at",
                     xpl_time_format(p->created_at, created), "created_by", p->created_by, "modified_at",
                     time_or_null(p->updated_at), "entity", entity);
}

struct purge_request {
    json_t *scoring_ids, *transaction_ids;
    const char *start, *end;
    bool pixels_only;
};

static enum xpl_status read_time(const char *field, const char *text, int64_t *ret, struct xpl_error *err)
{
    *ret = 0;
    if (!text || xpl_time_parse(text, ret))
        return XPL_OK;
    return xpl_fail_field(err, XPL_BAD_FIELD, field, "\"%.40s\" is not a time such as 2024-03-21T11:45:41Z", text);
}

static enum xpl_status read_request(struct xpl_call *call, struct xpl_purge *ret, struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_ARRAY_FIELD(struct purge_request, scoring_ids, .min = 1, .max = MAX_IDS, .strings = true),
        XPL_JSON_ARRAY_FIELD(struct purge_request, transaction_ids, .min = 1, .max = MAX_IDS, .strings = true),
        XPL_JSON_STRING(struct purge_request, start),
        XPL_JSON_STRING(struct purge_request, end),
        XPL_JSON_BOOL(struct purge_request, pixels_only),
    };
    static const char *const members[] = {"scoring_ids", "transaction_ids", "start", "end", "pixels_only", NULL};
    struct purge_request request = {0};
    XPL_AUTO_JSON body = NULL;
    const json_t *ids;
    enum xpl_status st;

    if ((st = xpl_call_json(call, &body, err)) || (st = xpl_json_known(body, "", members, err)) ||
        (st = xpl_json_read(body, fields, XPL_COUNT(fields), &request, err)) ||
        (st = read_time("start", request.start, &ret->starts_at, err)) ||
        (st = read_time("end", request.end, &ret->ends_at, err)))
        return st;
    if ((request.scoring_ids != NULL) + (request.transaction_ids != NULL) + (request.start || request.end) != 1)
        return xpl_fail_field(err, XPL_BAD_FIELD, "scoring_ids",
                              "or transaction_ids or a time (start, end, or both) is needed, and one of them only");
    ret->kind = request.scoring_ids       ? XPL_PURGE_SCORING_IDS
                : request.transaction_ids ? XPL_PURGE_TRANSACTION_IDS
                                          : XPL_PURGE_TIME;
    ret->pixels_only = request.pixels_only;
    ids = request.scoring_ids ? request.scoring_ids : request.transaction_ids;
    if (ids && !(ret->ids = xpl_json_text(call->arena, ids)))
        return xpl_no_memory(err);
    return XPL_OK;
}

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    const struct xpl_purge *purge = arg;
    enum xpl_status st;

    if ((st = xpl_check_data_set(db, call, err)) || (st = xpl_purge_insert(db, purge, err)))
        return st;
    call->app->upkeep.wake(call->app->upkeep.context);
    xpl_reply_json(call, 202, view(purge));
    return XPL_OK;
}

enum xpl_answered xpl_purges_add(struct xpl_call *call)
{
    struct xpl_purge *purge = XPL_NEW(call->arena, struct xpl_purge);
    struct xpl_error err = {0};
    char id[XPL_UUID_SIZE];

    if (!purge)
        return xpl_reply_json(call, 503, NULL);
    *purge = (struct xpl_purge){.id = xpl_arena_string(call->arena, xpl_uuid(id)),
                                .data_mart_id = call->data_mart_id,
                                .data_set_id = call->path_params[0],
                                .created_at = xpl_now_us(),
                                .created_by = call->user};
    if (!purge->id)
        return xpl_reply_json(call, 503, NULL);
    if (xpl_check_data_set(call->db, call, &err) || read_request(call, purge, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_add, purge, call->body.length);
}

enum xpl_answered xpl_purges_get(struct xpl_call *call)
{
    const char *id = call->path_params[1];
    struct xpl_error err = {0};
    struct xpl_purge purge;
    enum xpl_status st = xpl_check_data_set(call->db, call, &err);

    if (!st && (st = xpl_purge_get(call->db, call->arena, call->path_params[0], id, &purge, &err)) == XPL_NOT_FOUND)
        xpl_resource_missing("purge", id, &err);
    return st ? xpl_reply_error(call, &err) : xpl_reply_json(call, 200, view(&purge));
}
