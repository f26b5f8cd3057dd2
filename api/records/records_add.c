/* SPDX-License-Identifier: Apache-2.0 */
/* Payload logging. Everything is checked and compressed before the write. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/records/records_csv.h"
#include "lib/base/text.h"

struct adding {
    struct xpl_record_batch batch;
    struct xpl_csv_rows rows; /* of CSV */
};

static void reply(struct xpl_call *call, const struct adding *adding, const char *request_id)
{
    const struct xpl_record_batch *batch = &adding->batch;
    json_t *ids = json_array(), *answer;

    for (size_t i = 0; i < batch->n; i++)
        for (uint32_t k = 0; k < batch->prepared[i].n_records; k++)
            json_array_append_new(ids, json_string(batch->prepared[i].records[k].scoring_id));
    answer = json_pack("{s:s, s:s, s:o}", "state", "active", "request_id", request_id, "scoring_ids", ids);
    if (answer && adding->rows.go_on) {
        json_object_set_new(answer, "rejected_count", json_integer((json_int_t)adding->rows.n_left_out));
        json_object_set_new(answer, "rejected", json_loads(adding->rows.problems, 0, NULL));
    }
    xpl_reply_json(call, 202, answer);
    xpl_reply_header(call, "Location",
                     xpl_arena_printf(call->arena, "/v2/data_sets/%s/requests/%s", batch->data_set_id, request_id));
}

/* What is wrong with a transaction of CSV is told by its line. */
static void name_line(const struct adding *adding, struct xpl_error *err)
{
    size_t i = strcspn(err->field, "["), index = strtoul(err->field + i + (err->field[i] == '['), NULL, 10);

    if (adding->rows.lines && err->field[i] == '[' && index < adding->batch.n)
        snprintf(err->field, sizeof err->field, "line %zu", adding->rows.lines[index]);
}

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    struct adding *adding = arg;
    const char *request_id;
    enum xpl_status st = xpl_record_batch_store(db, call, &adding->batch, &request_id, err);

    if (st)
        name_line(adding, err);
    else
        reply(call, adding, request_id);
    return st;
}

static enum xpl_status prepare_json(struct xpl_call *call, struct xpl_record_batch *batch, struct xpl_error *err)
{
    struct xpl_transaction *transactions;
    enum xpl_status st;
    size_t n;

    if ((st = xpl_call_check_json_type(call, err)) ||
        (st = xpl_records_read(call, xpl_call_body(call), &transactions, &n, err)))
        return st;
    return xpl_record_batch_prepare(call, batch, transactions, n, err);
}

enum xpl_answered xpl_records_add(struct xpl_call *call)
{
    struct adding *adding = XPL_NEW(call->arena, struct adding);
    struct xpl_error err = {0};

    if (!adding)
        return xpl_reply_json(call, 503, NULL);
    if (xpl_record_batch_of_data_set(call, call->path_params[0], &adding->batch, &err) ||
        (xpl_records_are_csv(call) ? xpl_records_csv_prepare(call, &adding->batch, &adding->rows, &err)
                                   : prepare_json(call, &adding->batch, &err)))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_add, adding, call->body.length);
}
