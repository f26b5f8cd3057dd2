/* SPDX-License-Identifier: Apache-2.0 */
#include "db/retention.h"

#include "db/records.h"
#include "db/removal.h"
#include "db/upkeep.h"
#include "lib/base/time.h"

#define REQUESTS_A_STEP 100

static enum xpl_status find_oldest(struct xpl_db *db, struct xpl_arena *arena, const char *data_set_id,
                                   int64_t after_seq, struct xpl_removable **ret, size_t *ret_count,
                                   struct xpl_error *err)
{
    static const char all[] = "SELECT " XPL_REMOVABLE_COLUMNS " FROM records r WHERE seq > ? ORDER BY seq LIMIT ?",
                      own[] = "SELECT " XPL_REMOVABLE_COLUMNS " FROM records r WHERE data_set_id = ? AND seq > ?"
                              " ORDER BY seq LIMIT ?";
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, data_set_id ? own : all);

    if (data_set_id)
        xpl_bind_text(query, data_set_id);
    xpl_bind_int(query, after_seq);
    xpl_bind_int(query, XPL_REMOVAL_STEP_RECORDS);
    return xpl_fetch_all(query, arena, xpl_removable_read, sizeof **ret, XPL_REMOVAL_STEP_RECORDS, ret, ret_count, err);
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

static void read_usage(struct xpl_row *row, void *out)
{
    int64_t *usage = out;

    usage[0] = xpl_row_int(row, "payload_bytes");
    usage[1] = xpl_row_int(row, "pixels_gone_seq");
}

/* Zeros for a data set in which nothing was logged yet. */
static enum xpl_status usage_of(struct xpl_db *db, const char *data_set_id, int64_t *ret_bytes, int64_t *ret_gone_seq,
                                struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT payload_bytes, pixels_gone_seq FROM data_set_usage WHERE data_set_id = ?");
    int64_t usage[2] = {0, 0};
    enum xpl_status st;

    xpl_bind_text(query, data_set_id);
    st = xpl_fetch_one(query, NULL, read_usage, usage, err);
    if (st && st != XPL_NOT_FOUND)
        return st;
    if (st)
        xpl_error_clear(err);
    *ret_bytes = usage[0];
    *ret_gone_seq = usage[1];
    return XPL_OK;
}

/* Records are in the order in which they were logged: the first that stays by its age ends the search by age. */
static enum xpl_status must_go(struct xpl_db *db, const struct xpl_retention_step *step, const struct xpl_removable *r,
                               int64_t n_records, bool *ret, struct xpl_error *err)
{
    int64_t used, ignored;
    enum xpl_status st;

    *ret = r->created_at < step->older_than || (step->keep_records && n_records > step->keep_records);
    if (!*ret && step->keep_bytes) {
        if ((st = usage_of(db, step->data_set_id, &used, &ignored, err)))
            return st;
        *ret = used > step->keep_bytes;
    }
    if (!*ret && step->used_bytes) {
        if ((st = xpl_used_bytes(db, &used, err)))
            return st;
        *ret = used > step->used_bytes;
    }
    return XPL_OK;
}

enum xpl_status xpl_retention_run(struct xpl_db *db, struct xpl_arena *arena, struct xpl_retention_step *step,
                                  struct xpl_error *err)
{
    int64_t gone_before = step->data_set_id ? 0 : step->older_than, n_records = 0, started = xpl_monotonic_us();
    struct xpl_removable *found;
    size_t n;
    enum xpl_status st = find_oldest(db, arena, step->data_set_id, step->after_seq, &found, &n, err);

    step->next_seq = step->after_seq;
    step->n_deleted = 0;
    if (st || (step->keep_records && (st = xpl_data_set_count_records(db, step->data_set_id, &n_records, err))))
        return st;
    step->done = n < XPL_REMOVAL_STEP_RECORDS;
    for (size_t i = 0; i < n; i++) {
        bool go;

        if (xpl_monotonic_us() - started > XPL_REMOVAL_STEP_US) {
            step->done = false;
            break;
        }
        if ((st = must_go(db, step, &found[i], n_records - step->n_deleted, &go, err)))
            return st;
        if (!go) {
            step->done = true;
            break;
        }
        step->next_seq = found[i].seq;
        if (found[i].in_progress)
            continue;
        if ((st = xpl_record_remove(db, &found[i], err)))
            return st;
        if (!step->data_set_id && found[i].created_at > gone_before)
            gone_before = found[i].created_at;
        step->n_deleted++;
    }
    return delete_requests(db, gone_before, err);
}

/* ---- pixels ---- */

static enum xpl_status set_gone_seq(struct xpl_db *db, const char *data_set_id, int64_t seq, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    update = xpl_db_query(db, "UPDATE data_set_usage SET pixels_gone_seq = ? WHERE data_set_id = ?");

    xpl_bind_int(update, seq);
    xpl_bind_text(update, data_set_id);
    return xpl_run(update, NULL, err);
}

enum xpl_status xpl_pixel_retention_run(struct xpl_db *db, struct xpl_arena *arena, struct xpl_pixel_step *step,
                                        struct xpl_error *err)
{
    int64_t bytes, gone_seq, started = xpl_monotonic_us();
    struct xpl_removable *found;
    enum xpl_status st;
    size_t n, i;

    if ((st = usage_of(db, step->data_set_id, &bytes, &gone_seq, err)) ||
        (st = find_oldest(db, arena, step->data_set_id, gone_seq, &found, &n, err)))
        return st;
    for (i = 0; i < n && found[i].created_at < step->older_than && !found[i].in_progress; i++) {
        if (xpl_monotonic_us() - started > XPL_REMOVAL_STEP_US)
            break;
        if ((st = xpl_pixels_remove(db, found[i].payload_id, err)))
            return st;
        gone_seq = found[i].seq;
    }
    step->n_dropped = (int64_t)i;
    step->done = i < n ? found[i].created_at >= step->older_than || found[i].in_progress : n < XPL_REMOVAL_STEP_RECORDS;
    return i > 0 ? set_gone_seq(db, step->data_set_id, gone_seq, err) : XPL_OK;
}

/* ---- rules ---- */

static void read_rules(struct xpl_row *row, void *out)
{
    struct xpl_retention_rules *rules = out;

    rules->data_set_id = xpl_row_text(row, "id");
    rules->days = xpl_row_int(row, "days");
    rules->records = xpl_row_int(row, "records");
    rules->bytes = xpl_row_int(row, "bytes");
    rules->pixel_days = xpl_row_int(row, "pixel_days");
}

enum xpl_status xpl_retention_rules_list(struct xpl_db *db, struct xpl_arena *arena, const char *after,
                                         struct xpl_retention_rules **ret, size_t *ret_count, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT d.id AS id, s.entity ->> '$.retention.days' AS days,"
                             " s.entity ->> '$.retention.records' AS records,"
                             " s.entity ->> '$.retention.bytes' AS bytes,"
                             " s.entity ->> '$.retention.pixel_days' AS pixel_days"
                             " FROM data_sets d JOIN subscriptions s ON s.id = d.target_id"
                             " WHERE d.id > ? AND d.target_type = 'subscription' ORDER BY d.id LIMIT ?");

    xpl_bind_text(query, after);
    xpl_bind_int(query, XPL_RETENTION_RULES_PAGE);
    return xpl_fetch_all(query, arena, read_rules, sizeof **ret, XPL_RETENTION_RULES_PAGE, ret, ret_count, err);
}
