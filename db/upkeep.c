/* SPDX-License-Identifier: Apache-2.0 */
#include "db/upkeep.h"

#include "db/records.h"

#define RECORDS_A_STEP  20
#define REQUESTS_A_STEP 100

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

/* ---- retention ---- */

struct candidate {
    int64_t seq, payload_id, created_at;
    bool in_progress;
    const char *id, *data_mart_id, *transaction_id;
};

static void read_candidate(struct xpl_row *row, void *out)
{
    struct candidate *c = out;

    c->seq = xpl_row_int(row, "seq");
    c->id = xpl_row_text(row, "id");
    c->data_mart_id = xpl_row_text(row, "data_mart_id");
    c->transaction_id = xpl_row_text(row, "transaction_id");
    c->payload_id = xpl_row_int(row, "payload_id");
    c->created_at = xpl_row_int(row, "created_at");
    c->in_progress = xpl_row_int(row, "in_progress") != 0;
}

static enum xpl_status find_candidates(struct xpl_db *db, struct xpl_arena *arena, int64_t after_seq,
                                       struct candidate **ret, size_t *ret_count, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT seq, id, data_mart_id, transaction_id, payload_id, created_at,"
                             " EXISTS (SELECT 1 FROM explanation_tasks t WHERE t.record_id = r.id"
                             "   AND t.state IN ('queued', 'leased')) AS in_progress"
                             " FROM records r WHERE seq > ? ORDER BY seq LIMIT ?");

    xpl_bind_int(query, after_seq);
    xpl_bind_int(query, RECORDS_A_STEP);
    return xpl_fetch_all(query, arena, read_candidate, sizeof **ret, RECORDS_A_STEP, ret, ret_count, err);
}

/* A payload may hold several images; it goes with the last of its records, which all have one transaction id. */
static enum xpl_status delete_payload(struct xpl_db *db, const struct candidate *c, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    deletion = xpl_db_query(db, "DELETE FROM payloads WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM records"
                                " WHERE data_mart_id = ?2 AND " XPL_OF_TRANSACTION("?3") " AND payload_id = ?1)");

    xpl_bind_int(deletion, c->payload_id);
    xpl_bind_text(deletion, c->data_mart_id);
    xpl_bind_text(deletion, c->transaction_id);
    return xpl_run(deletion, NULL, err);
}

static enum xpl_status delete_record(struct xpl_db *db, const struct candidate *c, struct xpl_error *err)
{
    static const char *const statements[] = {"DELETE FROM explanation_tasks WHERE record_id = ?",
                                             "DELETE FROM records WHERE id = ?"};

    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        XPL_AUTO(xpl_stmt) deletion = xpl_db_query(db, statements[i]);
        enum xpl_status st;

        xpl_bind_text(deletion, c->id);
        if ((st = xpl_run(deletion, NULL, err)))
            return st;
    }
    return delete_payload(db, c, err);
}

/* The receipts of POSTs from before: their ids are in the order of time. */
static enum xpl_status delete_requests(struct xpl_db *db, int64_t before, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    deletion = xpl_db_query(db, "DELETE FROM record_requests WHERE created_at < ?1 AND id <="
                                " (SELECT MAX(id) FROM (SELECT id FROM record_requests ORDER BY id LIMIT ?2))");

    xpl_bind_int(deletion, before);
    xpl_bind_int(deletion, REQUESTS_A_STEP);
    return xpl_run(deletion, NULL, err);
}

/* Records are in the order in which they were logged: the first that stays by its age ends the search by age. */
static enum xpl_status must_go(struct xpl_db *db, const struct xpl_retention_step *step, const struct candidate *c,
                               bool *ret, struct xpl_error *err)
{
    int64_t used;
    enum xpl_status st;

    *ret = c->created_at < step->older_than;
    if (*ret || step->used_bytes == 0)
        return XPL_OK;
    if ((st = xpl_used_bytes(db, &used, err)))
        return st;
    *ret = used > step->used_bytes;
    return XPL_OK;
}

enum xpl_status xpl_retention_run(struct xpl_db *db, struct xpl_arena *arena, struct xpl_retention_step *step,
                                  struct xpl_error *err)
{
    struct candidate *found;
    int64_t gone_before = step->older_than;
    size_t n;
    enum xpl_status st = find_candidates(db, arena, step->after_seq, &found, &n, err);

    if (st)
        return st;
    step->next_seq = step->after_seq;
    step->n_deleted = 0;
    step->done = n < RECORDS_A_STEP;
    for (size_t i = 0; i < n; i++) {
        bool go;

        if ((st = must_go(db, step, &found[i], &go, err)))
            return st;
        if (!go) {
            step->done = true;
            break;
        }
        step->next_seq = found[i].seq;
        if (found[i].in_progress)
            continue;
        if ((st = delete_record(db, &found[i], err)))
            return st;
        if (found[i].created_at > gone_before)
            gone_before = found[i].created_at;
        step->n_deleted++;
    }
    return delete_requests(db, gone_before, err);
}
