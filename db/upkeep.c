/* SPDX-License-Identifier: Apache-2.0 */
#include "db/upkeep.h"

enum xpl_status xpl_write_probe(struct xpl_db *db, int64_t now, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    write = xpl_db_query(db, "INSERT INTO write_probe (id, written_at) VALUES (1, ?)"
                             " ON CONFLICT (id) DO UPDATE SET written_at = excluded.written_at");

    xpl_bind_int(write, now);
    return xpl_run(write, NULL, err);
}

static void read_queue(struct xpl_row *row, void *out)
{
    struct xpl_task_queue *queue = out;

    queue->queued = xpl_row_int(row, "queued");
    queue->leased = xpl_row_int(row, "leased");
    queue->oldest_queued_at = xpl_row_int(row, "oldest");
}

enum xpl_status xpl_task_queue_read(struct xpl_db *db, struct xpl_task_queue *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT (SELECT COUNT(*) FROM explanation_tasks WHERE state = 'queued') AS queued,"
                             " (SELECT COUNT(*) FROM explanation_tasks WHERE state = 'leased') AS leased,"
                             " (SELECT created_at FROM explanation_tasks WHERE state = 'queued' ORDER BY seq LIMIT 1)"
                             " AS oldest");

    return xpl_fetch_one(query, NULL, read_queue, ret, err);
}
