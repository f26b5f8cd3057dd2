/* SPDX-License-Identifier: Apache-2.0 */
#include "db/idempotency.h"

#define MAX_EXPIRED 100 /* at a time: answers may be of 16 MiB */

static void read_answer(struct xpl_row *row, void *out)
{
    struct xpl_keyed_answer *answer = out;

    answer->data_mart_id = xpl_row_text(row, "data_mart_id");
    answer->key = xpl_row_text(row, "key");
    answer->request = xpl_row_blob(row, "request");
    answer->http_status = xpl_row_int(row, "http_status");
    answer->location = xpl_row_text(row, "location");
    answer->content_type = xpl_row_text(row, "content_type");
    answer->body = xpl_row_text(row, "body");
    answer->created_at = xpl_row_int(row, "created_at");
}

enum xpl_status xpl_keyed_answer_get(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id,
                                     const char *key, int64_t now, struct xpl_keyed_answer *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT data_mart_id, key, request, http_status, location, content_type, body, created_at"
                             " FROM idempotency_keys WHERE data_mart_id = ? AND key = ? AND created_at > ?");

    xpl_bind_text(query, data_mart_id);
    xpl_bind_text(query, key);
    xpl_bind_int(query, now - XPL_KEY_LIFE_US);
    return xpl_fetch_one(query, arena, read_answer, ret, err);
}

static enum xpl_status delete_old(struct xpl_db *db, const struct xpl_keyed_answer *answer, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    deletion = xpl_db_query(db, "DELETE FROM idempotency_keys WHERE data_mart_id = ? AND key = ? AND created_at <= ?");

    xpl_bind_text(deletion, answer->data_mart_id);
    xpl_bind_text(deletion, answer->key);
    xpl_bind_int(deletion, answer->created_at - XPL_KEY_LIFE_US);
    return xpl_run(deletion, NULL, err);
}

enum xpl_status xpl_keyed_answer_put(struct xpl_db *db, const struct xpl_keyed_answer *answer, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    insert = xpl_db_query(db, "INSERT INTO idempotency_keys (data_mart_id, key, request, http_status, location,"
                              " content_type, body, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    enum xpl_status st = delete_old(db, answer, err);

    if (st)
        return st;
    xpl_bind_text(insert, answer->data_mart_id);
    xpl_bind_text(insert, answer->key);
    xpl_bind_blob(insert, answer->request);
    xpl_bind_int(insert, answer->http_status);
    xpl_bind_text(insert, answer->location);
    xpl_bind_text(insert, answer->content_type);
    xpl_bind_text(insert, answer->body);
    xpl_bind_int(insert, answer->created_at);
    return xpl_run(insert, NULL, err);
}

enum xpl_status xpl_keyed_answers_expire(struct xpl_db *db, int64_t now, int64_t *ret_n, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    deletion = xpl_db_query(db, "DELETE FROM idempotency_keys WHERE (data_mart_id, key) IN (SELECT data_mart_id, key"
                                " FROM idempotency_keys WHERE created_at <= ? ORDER BY created_at LIMIT ?)");

    xpl_bind_int(deletion, now - XPL_KEY_LIFE_US);
    xpl_bind_int(deletion, MAX_EXPIRED);
    return xpl_run(deletion, ret_n, err);
}

enum xpl_status xpl_keyed_answers_delete(struct xpl_db *db, const char *data_mart_id, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) deletion = xpl_db_query(db, "DELETE FROM idempotency_keys WHERE data_mart_id = ?");

    xpl_bind_text(deletion, data_mart_id);
    return xpl_run(deletion, NULL, err);
}
