/* SPDX-License-Identifier: Apache-2.0 */
#include "db/deployment_batches.h"

static void read_batch(struct xpl_row *row, void *out)
{
    struct xpl_deployment_batch *batch = out;

    batch->accepted = (uint32_t)xpl_row_int(row, "accepted");
    batch->refused = (uint32_t)xpl_row_int(row, "refused");
    batch->depth = (uint32_t)xpl_row_int(row, "depth");
    batch->raw_refused = xpl_row_int(row, "raw_refused") != 0;
    batch->found_at = xpl_row_int(row, "found_at");
}

enum xpl_status xpl_deployment_batch_get(struct xpl_db *db, struct xpl_arena *arena, struct xpl_deployment_batch *row,
                                         struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT accepted, refused, depth, raw_refused, found_at FROM deployment_batches"
                             " WHERE data_mart_id = ? AND subscription_id = ? AND endpoint = ?");

    xpl_bind_text(query, row->data_mart_id);
    xpl_bind_text(query, row->subscription_id);
    xpl_bind_blob(query, (struct xpl_blob){row->endpoint, sizeof row->endpoint});
    return xpl_fetch_one(query, arena, read_batch, row, err);
}

enum xpl_status xpl_deployment_batch_put(struct xpl_db *db, const struct xpl_deployment_batch *row,
                                         struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    put = xpl_db_query(
        db, "INSERT INTO deployment_batches (subscription_id, data_mart_id, endpoint, accepted, refused,"
            " depth, raw_refused, found_at) SELECT id, data_mart_id, ?, ?, ?, ?, ?, ? FROM subscriptions WHERE id = ?"
            " AND data_mart_id = ? ON CONFLICT (subscription_id) DO UPDATE SET"
            " endpoint = excluded.endpoint, accepted = excluded.accepted, refused = excluded.refused,"
            " depth = excluded.depth, raw_refused = excluded.raw_refused, found_at = excluded.found_at");

    xpl_bind_blob(put, (struct xpl_blob){row->endpoint, sizeof row->endpoint});
    xpl_bind_int(put, row->accepted);
    xpl_bind_int(put, row->refused);
    xpl_bind_int(put, row->depth);
    xpl_bind_int(put, row->raw_refused);
    xpl_bind_int(put, row->found_at);
    xpl_bind_text(put, row->subscription_id);
    xpl_bind_text(put, row->data_mart_id);
    return xpl_run(put, NULL, err);
}
