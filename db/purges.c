/* SPDX-License-Identifier: Apache-2.0 */
#include "db/purges.h"

#include <string.h>

#include "db/records.h"
#include "db/removal.h"
#include "db/tasks.h"
#include "lib/base/time.h"

#define COLUMNS                                                                                                        \
    "seq, id, data_mart_id, data_set_id, kind, pixels_only, state, starts_at, ends_at, ids, n_records, cursor_time,"   \
    " cursor_seq, until_seq, created_at, created_by, updated_at"
#define FINISHED_STAY_US ((int64_t)30 * 24 * 3600 * 1000000)
#define MAX_TASKS        10000

static const char *const kind_names[] = {"time", "scoring_ids", "transaction_ids"};

static void read_purge(struct xpl_row *row, void *out)
{
    struct xpl_purge *p = out;
    const char *kind = xpl_row_text(row, "kind"), *state;

    *p = (struct xpl_purge){.seq = xpl_row_int(row, "seq")};
    for (size_t i = 0; kind && i < sizeof kind_names / sizeof *kind_names; i++)
        if (strcmp(kind_names[i], kind) == 0)
            p->kind = (enum xpl_purge_kind)i;
    p->id = xpl_row_text(row, "id");
    p->data_mart_id = xpl_row_text(row, "data_mart_id");
    p->data_set_id = xpl_row_text(row, "data_set_id");
    p->pixels_only = xpl_row_int(row, "pixels_only") != 0;
    state = xpl_row_text(row, "state");
    p->finished = state && strcmp(state, "finished") == 0;
    p->starts_at = xpl_row_int(row, "starts_at");
    p->ends_at = xpl_row_int(row, "ends_at");
    p->ids = xpl_row_text(row, "ids");
    p->n_records = xpl_row_int(row, "n_records");
    p->cursor_time = xpl_row_int(row, "cursor_time");
    p->cursor_seq = xpl_row_int(row, "cursor_seq");
    p->until_seq = xpl_row_int(row, "until_seq");
    p->created_at = xpl_row_int(row, "created_at");
    p->created_by = xpl_row_text(row, "created_by");
    p->updated_at = xpl_row_int(row, "updated_at");
}

static void bind_time(struct xpl_stmt *stmt, int64_t time)
{
    if (time)
        xpl_bind_int(stmt, time);
    else
        xpl_bind_null(stmt);
}

static enum xpl_status check_room(struct xpl_db *db, const char *data_set_id, int64_t now, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    old = xpl_db_query(db, "DELETE FROM purges WHERE data_set_id = ? AND state = 'finished' AND updated_at < ?");
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT COUNT(*) FROM purges WHERE data_set_id = ? AND state = 'active'");
    enum xpl_status st;
    int64_t n;

    xpl_bind_text(old, data_set_id);
    xpl_bind_int(old, now - FINISHED_STAY_US);
    xpl_bind_text(query, data_set_id);
    if ((st = xpl_run(old, NULL, err)) || (st = xpl_fetch_int(query, &n, err)))
        return st;
    return n < XPL_PURGES_ACTIVE ? XPL_OK
                                 : xpl_fail(err, XPL_TOO_MANY, "%d purges of this data set are not finished, the limit",
                                            XPL_PURGES_ACTIVE);
}

enum xpl_status xpl_purge_insert(struct xpl_db *db, const struct xpl_purge *purge, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    insert = xpl_db_query(db, "INSERT INTO purges (id, data_mart_id, data_set_id, kind, pixels_only, starts_at,"
                              " ends_at, ids, until_seq, state, cursor_time, cursor_seq, created_at, created_by)"
                              " VALUES (?, ?, ?, ?, ?, ?, ?, ?, (SELECT COALESCE(MAX(seq), 0) FROM records),"
                              " 'active', ?, 0, ?, ?)");
    enum xpl_status st = check_room(db, purge->data_set_id, purge->created_at, err);

    if (st)
        return st;
    xpl_bind_text(insert, purge->id);
    xpl_bind_text(insert, purge->data_mart_id);
    xpl_bind_text(insert, purge->data_set_id);
    xpl_bind_text(insert, kind_names[purge->kind]);
    xpl_bind_int(insert, purge->pixels_only);
    bind_time(insert, purge->starts_at);
    bind_time(insert, purge->ends_at);
    xpl_bind_text(insert, purge->ids);
    xpl_bind_int(insert, purge->starts_at ? purge->starts_at : INT64_MIN);
    xpl_bind_int(insert, purge->created_at);
    xpl_bind_text(insert, purge->created_by);
    return xpl_run(insert, NULL, err);
}

enum xpl_status xpl_purge_get(struct xpl_db *db, struct xpl_arena *arena, const char *data_set_id, const char *id,
                              struct xpl_purge *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, "SELECT " COLUMNS " FROM purges WHERE id = ? AND data_set_id = ?");

    xpl_bind_text(query, id);
    xpl_bind_text(query, data_set_id);
    return xpl_fetch_one(query, arena, read_purge, ret, err);
}

/* ---- a step ---- */

struct work {
    struct xpl_db *db;
    struct xpl_arena *arena;
    struct xpl_purge purge;
    struct xpl_purge_step *step;
    int64_t started_us;
    bool finished;
};

static bool is_over(const struct work *w)
{
    return xpl_monotonic_us() - w->started_us > XPL_REMOVAL_STEP_US;
}

static void read_id(struct xpl_row *row, void *out)
{
    *(const char **)out = xpl_row_text(row, "id");
}

/* Explanations in progress need what goes now. */
static enum xpl_status end_tasks(struct work *w, const struct xpl_removable *r, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(w->db, "SELECT id FROM explanation_tasks WHERE record_id = ?"
                                " AND state IN ('queued', 'leased')");
    struct xpl_purge_step *step = w->step;
    const char **ids;
    enum xpl_status st;
    size_t n;

    if (!r->in_progress)
        return XPL_OK;
    xpl_bind_text(query, r->id);
    if ((st = xpl_fetch_all(query, w->arena, read_id, sizeof *ids, MAX_TASKS, &ids, &n, err)))
        return st;
    for (size_t i = 0; i < n && step->n_tasks < MAX_TASKS; i++) {
        step->task_ids[step->n_tasks++] = ids[i];
        if ((st = xpl_task_delete(w->db, ids[i], err)))
            return st;
    }
    return XPL_OK;
}

static enum xpl_status take(struct work *w, const struct xpl_removable *r, struct xpl_error *err)
{
    enum xpl_status st = end_tasks(w, r, err);

    if (!st)
        st = w->purge.pixels_only ? xpl_pixels_remove(w->db, r->payload_id, err) : xpl_record_remove(w->db, r, err);
    w->step->n_records++;
    return st;
}

static enum xpl_status take_by_time(struct work *w, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(w->db, "SELECT " XPL_REMOVABLE_COLUMNS " FROM records r WHERE data_set_id = ?"
                                " AND (scoring_timestamp, seq) > (?, ?) AND scoring_timestamp < ? AND seq + 0 <= ?"
                                " ORDER BY scoring_timestamp, seq LIMIT ?");
    struct xpl_purge *p = &w->purge;
    struct xpl_removable *found;
    enum xpl_status st;
    size_t n, i;

    xpl_bind_text(query, p->data_set_id);
    xpl_bind_int(query, p->cursor_time);
    xpl_bind_int(query, p->cursor_seq);
    xpl_bind_int(query, p->ends_at ? p->ends_at : INT64_MAX);
    xpl_bind_int(query, p->until_seq);
    xpl_bind_int(query, XPL_REMOVAL_STEP_RECORDS);
    st = xpl_fetch_all(query, w->arena, xpl_removable_read, sizeof *found, XPL_REMOVAL_STEP_RECORDS, &found, &n, err);
    for (i = 0; !st && i < n && !is_over(w); i++) {
        st = take(w, &found[i], err);
        p->cursor_time = found[i].scoring_timestamp;
        p->cursor_seq = found[i].seq;
    }
    w->finished = !st && i == n && n < XPL_REMOVAL_STEP_RECORDS;
    return st;
}

/* The records that an id names, as it does when an explanation is asked for: a bare one is row 1 of its transaction. */
static enum xpl_status records_of_id(struct work *w, const char *id, struct xpl_record **ret, size_t *ret_n,
                                     struct xpl_error *err)
{
    const char *data_mart_id = w->purge.data_mart_id;

    if (w->purge.kind == XPL_PURGE_TRANSACTION_IDS)
        return xpl_records_by_transaction(w->db, w->arena, data_mart_id, id, ret, ret_n, err);
    return xpl_records_by_scoring_id(w->db, w->arena, data_mart_id, NULL, id, ret, ret_n, err);
}

/* False when the time was over before all of them were taken. */
static enum xpl_status take_id(struct work *w, const char *id, bool *ret_whole, struct xpl_error *err)
{
    struct xpl_record *found;
    enum xpl_status st;
    size_t n;

    *ret_whole = true;
    if ((st = records_of_id(w, id, &found, &n, err)))
        return st;
    for (size_t i = 0; i < n; i++) {
        struct xpl_removable r = {found[i].seq, found[i].payload_id, found[i].created_at,   found[i].scoring_timestamp,
                                  true,         found[i].id,         found[i].data_mart_id, found[i].transaction_id};

        if (strcmp(found[i].data_set_id, w->purge.data_set_id) != 0 || found[i].seq > w->purge.until_seq)
            continue;
        if (is_over(w) && !w->purge.pixels_only) { /* what went is not found again; without pixels it would be */
            *ret_whole = false;
            return XPL_OK;
        }
        if ((st = take(w, &r, err)))
            return st;
    }
    return XPL_OK;
}

static enum xpl_status next_id(struct work *w, const char **ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(w->db, "SELECT value AS id FROM json_each(?1) WHERE key = ?2");

    xpl_bind_text(query, w->purge.ids);
    xpl_bind_int(query, w->purge.cursor_seq);
    return xpl_fetch_one(query, w->arena, read_id, ret, err);
}

static enum xpl_status take_by_id(struct work *w, struct xpl_error *err)
{
    bool whole = true;

    while (whole && !is_over(w)) {
        const char *id;
        enum xpl_status st = next_id(w, &id, err);

        if (st == XPL_NOT_FOUND) {
            xpl_error_clear(err);
            w->finished = true;
            return XPL_OK;
        }
        if (st || (st = take_id(w, id, &whole, err)))
            return st;
        w->purge.cursor_seq += whole;
    }
    return XPL_OK;
}

static enum xpl_status store_progress(struct work *w, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    update = xpl_db_query(w->db, "UPDATE purges SET n_records = n_records + ?, cursor_time = ?, cursor_seq = ?,"
                                 " state = ?, updated_at = ? WHERE seq = ?");

    xpl_bind_int(update, w->step->n_records);
    xpl_bind_int(update, w->purge.cursor_time);
    xpl_bind_int(update, w->purge.cursor_seq);
    xpl_bind_text(update, w->finished ? "finished" : "active");
    xpl_bind_int(update, w->step->now);
    xpl_bind_int(update, w->purge.seq);
    return xpl_run(update, NULL, err);
}

enum xpl_status xpl_purge_run(struct xpl_db *db, struct xpl_arena *arena, struct xpl_purge_step *step,
                              struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT " COLUMNS " FROM purges WHERE state = 'active' ORDER BY seq LIMIT 1");
    struct work w = {.db = db, .arena = arena, .step = step, .started_us = xpl_monotonic_us()};
    enum xpl_status st = xpl_fetch_one(query, arena, read_purge, &w.purge, err);

    *step = (struct xpl_purge_step){.now = step->now, .idle = st == XPL_NOT_FOUND};
    if (step->idle) {
        xpl_error_clear(err);
        return XPL_OK;
    }
    if (st)
        return st;
    if (!(step->task_ids = xpl_arena_array(arena, MAX_TASKS, sizeof *step->task_ids)))
        return xpl_no_memory(err);
    if ((st = w.purge.kind == XPL_PURGE_TIME ? take_by_time(&w, err) : take_by_id(&w, err)))
        return st;
    return store_progress(&w, err);
}
