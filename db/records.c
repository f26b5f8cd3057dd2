/* SPDX-License-Identifier: Apache-2.0 */
#include "db/records.h"

#define MAX_TRANSACTION_ROWS 10000
#define MAX_SAME_ID          16
#define MAX_TASKS            1000000

/* ---- records ---- */

void xpl_record_read(struct xpl_row *row, void *out)
{
    struct xpl_record *r = out;

    r->seq = xpl_row_int(row, "seq");
    r->id = xpl_row_text(row, "id");
    r->data_mart_id = xpl_row_text(row, "data_mart_id");
    r->data_set_id = xpl_row_text(row, "data_set_id");
    r->subscription_id = xpl_row_text(row, "subscription_id");
    r->scoring_id = xpl_row_text(row, "scoring_id");
    r->transaction_id = xpl_row_text(row, "transaction_id");
    r->row_number = xpl_row_int(row, "row_number");
    r->payload_id = xpl_row_int(row, "payload_id");
    r->image_index = xpl_row_int(row, "image_index");
    r->image_offset = xpl_row_int(row, "image_offset");
    r->image_length = xpl_row_int(row, "image_length");
    r->height = xpl_row_int(row, "height");
    r->width = xpl_row_int(row, "width");
    r->channels = xpl_row_int(row, "channels");
    r->predicted.probabilities = xpl_row_text(row, "probabilities");
    r->predicted.prediction = xpl_row_text(row, "prediction");
    r->predicted.probability = xpl_row_double(row, "prediction_probability");
    r->scoring_timestamp = xpl_row_int(row, "scoring_timestamp");
    r->has_response_time = !xpl_row_is_null(row, "response_time");
    r->response_time = xpl_row_double(row, "response_time");
    r->asset_revision = xpl_row_text(row, "asset_revision");
    r->user_id = xpl_row_text(row, "user_id");
    r->deployment_id = xpl_row_text(row, "deployment_id");
    r->annotations = xpl_row_text(row, "annotations");
    r->created_at = xpl_row_int(row, "created_at");
    r->created_by = xpl_row_text(row, "created_by");
}

static void bind_record(struct xpl_stmt *insert, const struct xpl_record *r)
{
    xpl_bind_text(insert, r->id);
    xpl_bind_text(insert, r->data_mart_id);
    xpl_bind_text(insert, r->data_set_id);
    xpl_bind_text(insert, r->subscription_id);
    xpl_bind_text(insert, r->scoring_id);
    xpl_bind_text(insert, r->transaction_id);
    xpl_bind_int(insert, r->row_number);
    xpl_bind_int(insert, r->payload_id);
    xpl_bind_int(insert, r->image_index);
    xpl_bind_int(insert, r->image_offset);
    xpl_bind_int(insert, r->image_length);
    xpl_bind_int(insert, r->height);
    xpl_bind_int(insert, r->width);
    xpl_bind_int(insert, r->channels);
    xpl_bind_text(insert, r->predicted.probabilities);
    xpl_bind_text(insert, r->predicted.prediction);
    xpl_bind_double(insert, r->predicted.probability);
    xpl_bind_int(insert, r->scoring_timestamp);
    if (r->has_response_time)
        xpl_bind_double(insert, r->response_time);
    else
        xpl_bind_null(insert);
    xpl_bind_text(insert, r->asset_revision);
    xpl_bind_text(insert, r->user_id);
    xpl_bind_text(insert, r->deployment_id);
    xpl_bind_text(insert, r->annotations);
    xpl_bind_int(insert, r->created_at);
    xpl_bind_text(insert, r->created_by);
}

static enum xpl_status count_block(struct xpl_db *db, struct xpl_record_tally *tally, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    add = xpl_db_query(db, "INSERT INTO record_blocks (data_set_id, block, n) VALUES (?, ?, ?)"
                           " ON CONFLICT (data_set_id, block) DO UPDATE SET n = n + excluded.n");

    xpl_bind_text(add, tally->data_set_id);
    xpl_bind_int(add, tally->block);
    xpl_bind_int(add, tally->n);
    tally->n = 0;
    return xpl_run(add, NULL, err);
}

enum xpl_status xpl_record_tally_up(struct xpl_db *db, struct xpl_record_tally *tally, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    add = xpl_db_query(
        db, "INSERT INTO data_set_usage (data_set_id, payload_bytes) VALUES (?, ?)"
            " ON CONFLICT (data_set_id) DO UPDATE SET payload_bytes = payload_bytes + excluded.payload_bytes");
    enum xpl_status st;

    if (tally->n && (st = count_block(db, tally, err)))
        return st;
    if (!tally->payload_bytes)
        return XPL_OK;
    xpl_bind_text(add, tally->data_set_id);
    xpl_bind_int(add, tally->payload_bytes);
    tally->payload_bytes = 0;
    return xpl_run(add, NULL, err);
}

enum xpl_status xpl_record_insert(struct xpl_db *db, const struct xpl_record *record, struct xpl_record_tally *tally,
                                  struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    insert = xpl_db_query(
        db, "INSERT INTO records (id, data_mart_id, data_set_id, subscription_id, scoring_id, transaction_id,"
            " row_number, payload_id, image_index, image_offset, image_length, height, width, channels, probabilities,"
            " prediction, prediction_probability, scoring_timestamp, response_time, asset_revision, user_id,"
            " deployment_id, annotations, created_at, created_by)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    enum xpl_status st;
    int64_t seq = 0;

    bind_record(insert, record);
    if ((st = xpl_run_insert(insert, &seq, err)))
        return st;
    if (tally->n && tally->block != seq / XPL_RECORD_BLOCK && (st = count_block(db, tally, err)))
        return st;
    tally->block = seq / XPL_RECORD_BLOCK;
    tally->n++;
    return XPL_OK;
}

enum xpl_status xpl_record_get(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id,
                               const char *data_set_id, const char *id, struct xpl_record *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT " XPL_RECORD_COLUMNS " FROM records WHERE id = ?1 AND data_mart_id = ?2"
                             " AND (?3 IS NULL OR data_set_id = ?3)");

    xpl_bind_text(query, id);
    xpl_bind_text(query, data_mart_id);
    xpl_bind_text(query, data_set_id);
    return xpl_fetch_one(query, arena, xpl_record_read, ret, err);
}

static void read_content(struct xpl_row *row, void *out)
{
    struct xpl_record_content *content = out;

    content->id = xpl_row_text(row, "id");
    content->hash = xpl_row_blob(row, "hash");
}

enum xpl_status xpl_record_content_of(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id,
                                      const char *data_set_id, const char *scoring_id, struct xpl_record_content *ret,
                                      struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT r.id AS id, p.hash AS hash FROM records r JOIN payloads p ON p.id = r.payload_id"
                             " WHERE r.data_mart_id = ? AND r.scoring_id = ? AND r.data_set_id = ?");

    xpl_bind_text(query, data_mart_id);
    xpl_bind_text(query, scoring_id);
    xpl_bind_text(query, data_set_id);
    return xpl_fetch_one(query, arena, read_content, ret, err);
}

enum xpl_status xpl_record_set_prediction(struct xpl_db *db, const char *task_id,
                                          const struct xpl_prediction *prediction, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    update = xpl_db_query(db, "UPDATE records SET probabilities = ?, prediction = ?, prediction_probability = ?"
                              " WHERE id = (SELECT record_id FROM explanation_tasks WHERE id = ?)"
                              " AND probabilities = '" XPL_NO_PROBABILITIES "'");

    xpl_bind_text(update, prediction->probabilities);
    xpl_bind_text(update, prediction->prediction);
    xpl_bind_double(update, prediction->probability);
    xpl_bind_text(update, task_id);
    return xpl_run(update, NULL, err);
}

enum xpl_status xpl_records_by_scoring_id(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id,
                                          const char *subscription_id, const char *scoring_id, struct xpl_record **ret,
                                          size_t *ret_count, struct xpl_error *err)
{
    static const char *const queries[] = {
        "SELECT " XPL_RECORD_COLUMNS " FROM records WHERE data_mart_id = ?1 AND scoring_id = ?2"
        " AND (?3 IS NULL OR subscription_id = ?3) ORDER BY seq",
        "SELECT " XPL_RECORD_COLUMNS " FROM records WHERE data_mart_id = ?1 AND scoring_id = ?2 || '-1'"
        " AND (?3 IS NULL OR subscription_id = ?3) ORDER BY seq"};

    struct xpl_record *found = NULL;
    size_t n = 0;

    for (size_t i = 0; i < sizeof queries / sizeof *queries && n == 0; i++) {
        XPL_AUTO(xpl_stmt) query = xpl_db_query(db, queries[i]);
        enum xpl_status st;

        xpl_bind_text(query, data_mart_id);
        xpl_bind_text(query, scoring_id);
        xpl_bind_text(query, subscription_id);
        st = xpl_fetch_all(query, arena, xpl_record_read, sizeof *found, MAX_SAME_ID, &found, &n, err);
        if (st)
            return st;
    }
    *ret = found;
    *ret_count = n;
    return XPL_OK;
}

enum xpl_status xpl_record_latest(struct xpl_db *db, struct xpl_arena *arena, const char *data_set_id,
                                  struct xpl_record *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query =
        xpl_db_query(db, "SELECT " XPL_RECORD_COLUMNS " FROM records WHERE data_set_id = ? ORDER BY seq DESC LIMIT 1");

    xpl_bind_text(query, data_set_id);
    return xpl_fetch_one(query, arena, xpl_record_read, ret, err);
}

enum xpl_status xpl_records_by_transaction(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id,
                                           const char *transaction_id, struct xpl_record **ret, size_t *ret_count,
                                           struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT " XPL_RECORD_COLUMNS " FROM records WHERE data_mart_id = ?1"
                             " AND " XPL_OF_TRANSACTION("?2") " ORDER BY row_number, seq");

    xpl_bind_text(query, data_mart_id);
    xpl_bind_text(query, transaction_id);
    return xpl_fetch_all(query, arena, xpl_record_read, sizeof **ret, MAX_TRANSACTION_ROWS, ret, ret_count, err);
}

enum xpl_status xpl_record_update(struct xpl_db *db, const char *id, const struct xpl_record_notes *notes,
                                  struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    update = xpl_db_query(db, "UPDATE records SET annotations = ?, asset_revision = ?, user_id = ?, response_time = ?"
                              " WHERE id = ?");

    xpl_bind_text(update, notes->annotations);
    xpl_bind_text(update, notes->asset_revision);
    xpl_bind_text(update, notes->user_id);
    if (notes->has_response_time)
        xpl_bind_double(update, notes->response_time);
    else
        xpl_bind_null(update);
    xpl_bind_text(update, id);
    return xpl_run(update, NULL, err);
}

/* ---- requests ---- */

enum xpl_status xpl_record_request_insert(struct xpl_db *db, const struct xpl_record_request *request,
                                          struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    insert =
        xpl_db_query(db, "INSERT INTO record_requests (id, data_mart_id, data_set_id, state, n_records, created_at)"
                         " VALUES (?, ?, ?, ?, ?, ?)");

    xpl_bind_text(insert, request->id);
    xpl_bind_text(insert, request->data_mart_id);
    xpl_bind_text(insert, request->data_set_id);
    xpl_bind_text(insert, request->state);
    xpl_bind_int(insert, request->n_records);
    xpl_bind_int(insert, request->created_at);
    return xpl_run(insert, NULL, err);
}

static void read_request(struct xpl_row *row, void *out)
{
    struct xpl_record_request *request = out;

    request->id = xpl_row_text(row, "id");
    request->data_mart_id = xpl_row_text(row, "data_mart_id");
    request->data_set_id = xpl_row_text(row, "data_set_id");
    request->state = xpl_row_text(row, "state");
    request->n_records = xpl_row_int(row, "n_records");
    request->created_at = xpl_row_int(row, "created_at");
}

enum xpl_status xpl_record_request_get(struct xpl_db *db, struct xpl_arena *arena, const char *data_set_id,
                                       const char *id, struct xpl_record_request *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT id, data_mart_id, data_set_id, state, n_records, created_at FROM record_requests"
                             " WHERE id = ? AND data_set_id = ?");

    xpl_bind_text(query, id);
    xpl_bind_text(query, data_set_id);
    return xpl_fetch_one(query, arena, read_request, ret, err);
}

/* ---- data sets ---- */

enum xpl_status xpl_data_set_exists(struct xpl_db *db, const char *data_mart_id, const char *data_set_id, bool *ret,
                                    struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT EXISTS (SELECT 1 FROM data_sets WHERE id = ? AND data_mart_id = ?)");
    int64_t found = 0;
    enum xpl_status st;

    xpl_bind_text(query, data_set_id);
    xpl_bind_text(query, data_mart_id);
    st = xpl_fetch_int(query, &found, err);
    *ret = found != 0;
    return st;
}

static void read_id(struct xpl_row *row, void *out)
{
    *(const char **)out = xpl_row_text(row, "id");
}

enum xpl_status xpl_data_set_running_tasks(struct xpl_db *db, struct xpl_arena *arena, const char *data_set_id,
                                           const char ***ret_ids, size_t *ret_count, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT t.id AS id FROM explanation_tasks t JOIN records r ON r.id = t.record_id"
                             " WHERE t.state IN ('queued', 'leased') AND r.data_set_id = ?");

    xpl_bind_text(query, data_set_id);
    return xpl_fetch_all(query, arena, read_id, sizeof(char *), MAX_TASKS, ret_ids, ret_count, err);
}

enum xpl_status xpl_data_set_purge(struct xpl_db *db, const char *data_set_id, struct xpl_error *err)
{
    static const char *const statements[] = {
        "DELETE FROM explanation_tasks WHERE record_id IN (SELECT id FROM records WHERE data_set_id = ?)",
        "DELETE FROM payloads WHERE id IN (SELECT payload_id FROM records WHERE data_set_id = ?)",
        "DELETE FROM records WHERE data_set_id = ?",
        "DELETE FROM data_set_usage WHERE data_set_id = ?",
        "DELETE FROM purges WHERE data_set_id = ?",
        "DELETE FROM distributions WHERE data_set_id = ?",
        "DELETE FROM record_requests WHERE data_set_id = ?",
    };

    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        XPL_AUTO(xpl_stmt) deletion = xpl_db_query(db, statements[i]);
        enum xpl_status st;

        xpl_bind_text(deletion, data_set_id);
        if ((st = xpl_run(deletion, NULL, err)))
            return st;
    }
    return XPL_OK;
}
