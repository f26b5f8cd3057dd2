/* SPDX-License-Identifier: Apache-2.0 */
/* What a webhook was not told yet, or could not be told; telling it again. */
#include <string.h>

#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/notifications/webhooks.h"
#include "lib/base/time.h"

#define DEFAULT_LIMIT 100
#define MAX_LIMIT     1000
#define MAX_REVIVED   1000

static json_t *time_or_null(int64_t at)
{
    char when[XPL_TIME_TEXT_SIZE];

    return at ? json_string(xpl_time_format(at, when)) : json_null();
}

static json_t *delivery_view(const struct xpl_delivery *d)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:I, s:o, s:o, s:s?}", "id", d->id, "event", d->event.state,
                     "explanation_task_id", d->event.task_id, "scoring_id", d->event.scoring_id, "state",
                     d->dead ? "dead" : "pending", "event_at", time_or_null(d->event.at), "attempts",
                     (json_int_t)d->attempts, "tried_at", time_or_null(d->tried_at), "next_attempt_at",
                     time_or_null(d->dead ? 0 : d->next_at), "reason", d->reason);
}

/* The webhook of the path; XPL_NOT_FOUND. */
static enum xpl_status find(struct xpl_db *db, struct xpl_call *call, struct xpl_error *err)
{
    const char *id = call->path_params[0];
    struct xpl_resource webhook;
    enum xpl_status st = xpl_resource_get(db, call->arena, &xpl_kind_webhook, call->data_mart_id, id, &webhook, err);

    return st == XPL_NOT_FOUND ? xpl_resource_missing(xpl_webhook_type.singular, id, err) : st;
}

static enum xpl_status read_query(const struct xpl_call *call, struct xpl_delivery_query *ret, struct xpl_error *err)
{
    const char *state = xpl_call_query(call, "state");
    enum xpl_status st;

    *ret = (struct xpl_delivery_query){.webhook_id = call->path_params[0]};
    if (state && *state) {
        if (strcmp(state, "pending") != 0 && strcmp(state, "dead") != 0)
            return xpl_fail_field(err, XPL_BAD_FIELD, "state", "\"%.40s\" is not one of pending, dead", state);
        ret->state = state;
    }
    if ((st = xpl_query_int(call, "offset", 0, INT64_MAX, 0, &ret->offset, err)))
        return st;
    return xpl_query_int(call, "limit", 0, MAX_LIMIT, DEFAULT_LIMIT, &ret->limit, err);
}

static int64_t total_of(const struct xpl_delivery_query *query, const struct xpl_delivery_counts *counts)
{
    if (!query->state)
        return counts->pending + counts->dead;
    return strcmp(query->state, "dead") == 0 ? counts->dead : counts->pending;
}

enum xpl_answered xpl_webhook_deliveries_list(struct xpl_call *call)
{
    XPL_AUTO_JSON list = json_array();
    struct xpl_delivery_counts counts;
    struct xpl_delivery_query query;
    struct xpl_delivery *rows;
    struct xpl_error err = {0};
    size_t n;

    if (find(call->db, call, &err) || read_query(call, &query, &err) ||
        xpl_deliveries_list(call->db, call->arena, &query, &rows, &n, &err) ||
        xpl_delivery_counts_of(call->db, query.webhook_id, &counts, &err))
        return xpl_reply_error(call, &err);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, delivery_view(&rows[i]));
    return xpl_reply_json(call, 200,
                          json_pack("{s:O, s:I, s:I, s:I}", "deliveries", list, "total_count",
                                    (json_int_t)total_of(&query, &counts), "limit", (json_int_t)query.limit, "offset",
                                    (json_int_t)query.offset));
}

/* ---- again ---- */

struct revival {
    json_t *delivery_ids; /* NULL = all */
};

static enum xpl_status revive(struct xpl_db *db, struct xpl_call *call, const struct revival *revival,
                              int64_t *ret_count, struct xpl_error *err)
{
    const char *webhook_id = call->path_params[0];
    int64_t now = xpl_now_us(), n;
    enum xpl_status st = XPL_OK;
    const json_t *element;
    size_t i;

    if (!revival->delivery_ids)
        return xpl_deliveries_revive(db, webhook_id, NULL, now, ret_count, err);
    *ret_count = 0;
    json_array_foreach(revival->delivery_ids, i, element)
    {
        const char *id = json_string_value(element);

        if ((st = xpl_deliveries_revive(db, webhook_id, id, now, &n, err)))
            return st;
        if (n == 0)
            return xpl_fail_field(err, XPL_NOT_FOUND, "delivery_ids", "the webhook has no dead delivery %.60s", id);
        *ret_count += n;
    }
    return XPL_OK;
}

static enum xpl_status run_redeliver(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    XPL_AUTO_JSON body = NULL;
    struct revival revival = {0};
    static const struct xpl_json_field fields[] = {
        XPL_JSON_ARRAY_FIELD(struct revival, delivery_ids, .min = 1, .max = MAX_REVIVED, .strings = true)};
    static const char *const known[] = {"delivery_ids", NULL};
    int64_t count;
    enum xpl_status st = find(db, call, err);

    (void)arg;
    if (st ||
        (call->body.length > 0 &&
         ((st = xpl_call_json(call, &body, err)) || (st = xpl_json_known(body, "", known, err)) ||
          (st = xpl_json_read(body, fields, XPL_COUNT(fields), &revival, err)))) ||
        (st = revive(db, call, &revival, &count, err)))
        return st;
    xpl_reply_json(call, 202, json_pack("{s:I}", "count", (json_int_t)count));
    return XPL_OK;
}

enum xpl_answered xpl_webhook_redeliveries_add(struct xpl_call *call)
{
    return xpl_reply_after_commit(call, run_redeliver, NULL, 256);
}
