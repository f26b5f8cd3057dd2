/* SPDX-License-Identifier: Apache-2.0 */
#include "db/explanations.h"

/* ---- writing ---- */

static enum xpl_status insert_answer(struct xpl_db *db, const char *task_id, int64_t now,
                                     const struct xpl_task_result *result, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    insert = xpl_db_query(db, "INSERT INTO explanations (task_id, answer, attributions, created_at)"
                              " VALUES (?, ?, ?, ?)");

    xpl_bind_text(insert, task_id);
    xpl_bind_text(insert, result->answer);
    xpl_bind_text(insert, result->attributions);
    xpl_bind_int(insert, now);
    return xpl_run(insert, NULL, err);
}

static enum xpl_status insert_samples(struct xpl_db *db, const char *task_id, const struct xpl_task_result *result,
                                      struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    insert = xpl_db_query(db, "INSERT INTO explanation_samples (task_id, n_segments, masks, classes, scores)"
                              " VALUES (?, ?, ?, ?, ?)");

    xpl_bind_text(insert, task_id);
    xpl_bind_int(insert, result->n_segments);
    xpl_bind_blob(insert, result->masks);
    xpl_bind_blob(insert, result->classes);
    xpl_bind_blob(insert, result->scores);
    return xpl_run(insert, NULL, err);
}

enum xpl_status xpl_explanation_insert(struct xpl_db *db, const char *task_id, int64_t now,
                                       const struct xpl_task_result *result, struct xpl_error *err)
{
    enum xpl_status st = insert_answer(db, task_id, now, result, err);

    return st || !result->masks.data ? st : insert_samples(db, task_id, result, err);
}

/* ---- reading ---- */

static void read_text(struct xpl_row *row, void *out)
{
    *(const char **)out = xpl_row_text(row, "text");
}

enum xpl_status xpl_explanation_answer(struct xpl_db *db, struct xpl_arena *arena, const char *task_id,
                                       const char **ret_text, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, "SELECT answer AS text FROM explanations WHERE task_id = ?");

    xpl_bind_text(query, task_id);
    return xpl_fetch_one(query, arena, read_text, ret_text, err);
}

static void read_finished(struct xpl_row *row, void *out)
{
    struct xpl_finished_answer *finished = out;

    finished->subscription_id = xpl_row_text(row, "subscription_id");
    finished->answer = xpl_text_of(xpl_row_text(row, "answer"));
}

enum xpl_status xpl_explanation_finished(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id,
                                         const char *task_id, struct xpl_finished_answer *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT t.subscription_id AS subscription_id, e.answer AS answer FROM explanation_tasks t"
                             " JOIN explanations e ON e.task_id = t.id"
                             " WHERE t.id = ? AND t.data_mart_id = ? AND t.state = 'finished'");

    xpl_bind_text(query, task_id);
    xpl_bind_text(query, data_mart_id);
    return xpl_fetch_one(query, arena, read_finished, ret, err);
}

enum xpl_status xpl_explanation_attributions(struct xpl_db *db, struct xpl_arena *arena, const char *task_id,
                                             const char **ret_text, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, "SELECT attributions AS text FROM explanations WHERE task_id = ?");

    xpl_bind_text(query, task_id);
    return xpl_fetch_one(query, arena, read_text, ret_text, err);
}

static void read_samples(struct xpl_row *row, void *out)
{
    struct xpl_explanation_samples *samples = out;

    samples->n_segments = (uint32_t)xpl_row_int(row, "n_segments");
    samples->masks = xpl_row_blob(row, "masks");
    samples->classes = xpl_row_blob(row, "classes");
    samples->scores = xpl_row_blob(row, "scores");
}

enum xpl_status xpl_explanation_samples_get(struct xpl_db *db, struct xpl_arena *arena, const char *task_id,
                                            struct xpl_explanation_samples *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT n_segments, masks, classes, scores FROM explanation_samples WHERE task_id = ?");

    xpl_bind_text(query, task_id);
    return xpl_fetch_one(query, arena, read_samples, ret, err);
}
