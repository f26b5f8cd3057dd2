/* SPDX-License-Identifier: Apache-2.0 */
/* Payload logging. Everything is checked and compressed before the write. */
#include <strings.h>

#include "api/handlers.h"
#include "api/record_batch.h"
#include "lib/base/text.h"

static void reply(struct xpl_call *call, const struct xpl_record_batch *batch, const char *request_id)
{
    json_t *ids = json_array();

    for (size_t i = 0; i < batch->n; i++)
        for (uint32_t k = 0; k < batch->prepared[i].n_records; k++)
            json_array_append_new(ids, json_string(batch->prepared[i].records[k].scoring_id));
    xpl_reply_json(call, 202,
                   json_pack("{s:s, s:s, s:o}", "state", "active", "request_id", request_id, "scoring_ids", ids));
    xpl_reply_header(call, "Location",
                     xpl_arena_printf(call->arena, "/v2/data_sets/%s/requests/%s", batch->data_set_id, request_id));
}

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    struct xpl_record_batch *batch = arg;
    const char *request_id;
    enum xpl_status st = xpl_record_batch_store(db, call, batch, &request_id, err);

    if (!st)
        reply(call, batch, request_id);
    return st;
}

static enum xpl_status check_media_type(const struct xpl_call *call, struct xpl_error *err)
{
    const char *type = xpl_call_header(call, "Content-Type");

    if (type && strncasecmp(type, "text/csv", 8) == 0)
        return xpl_fail(err, XPL_BAD_MEDIA_TYPE, "text/csv is not available in this version: send JSON");
    return xpl_call_check_json_type(call, err);
}

enum xpl_answered xpl_records_add(struct xpl_call *call)
{
    struct xpl_record_batch *batch = XPL_NEW(call->arena, struct xpl_record_batch);
    struct xpl_transaction *transactions;
    struct xpl_error err = {0};
    size_t n;

    if (!batch)
        return xpl_reply_json(call, 503, NULL);
    if (check_media_type(call, &err) || xpl_record_batch_of_data_set(call, call->path_params[0], batch, &err) ||
        xpl_records_read(call, &transactions, &n, &err) || xpl_record_batch_prepare(call, batch, transactions, n, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_add, batch, call->body.length);
}
