/* SPDX-License-Identifier: Apache-2.0 */
#include "db/removal.h"

#include "db/records.h"

void xpl_removable_read(struct xpl_row *row, void *out)
{
    struct xpl_removable *r = out;

    r->seq = xpl_row_int(row, "seq");
    r->id = xpl_row_text(row, "id");
    r->data_mart_id = xpl_row_text(row, "data_mart_id");
    r->transaction_id = xpl_row_text(row, "transaction_id");
    r->payload_id = xpl_row_int(row, "payload_id");
    r->created_at = xpl_row_int(row, "created_at");
    r->scoring_timestamp = xpl_row_int(row, "scoring_timestamp");
    r->in_progress = xpl_row_int(row, "in_progress") != 0;
}

/* A payload may hold several images; it goes with the last of its records, which all have one transaction id. */
static enum xpl_status remove_payload(struct xpl_db *db, const struct xpl_removable *r, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    deletion = xpl_db_query(db, "DELETE FROM payloads WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM records"
                                " WHERE data_mart_id = ?2 AND " XPL_OF_TRANSACTION("?3") " AND payload_id = ?1)");

    xpl_bind_int(deletion, r->payload_id);
    xpl_bind_text(deletion, r->data_mart_id);
    xpl_bind_text(deletion, r->transaction_id);
    return xpl_run(deletion, NULL, err);
}

enum xpl_status xpl_record_remove(struct xpl_db *db, const struct xpl_removable *record, struct xpl_error *err)
{
    static const char *const statements[] = {"DELETE FROM explanation_tasks WHERE record_id = ?",
                                             "DELETE FROM records WHERE id = ?"};

    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        XPL_AUTO(xpl_stmt) deletion = xpl_db_query(db, statements[i]);
        enum xpl_status st;

        xpl_bind_text(deletion, record->id);
        if ((st = xpl_run(deletion, NULL, err)))
            return st;
    }
    return remove_payload(db, record, err);
}

enum xpl_status xpl_pixels_remove(struct xpl_db *db, int64_t payload_id, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    update = xpl_db_query(db, "UPDATE payloads SET request_text_id = NULL, request = x'', request_size = 0,"
                              " response = x'', response_size = 0 WHERE id = ? AND request_size > 0");

    xpl_bind_int(update, payload_id);
    return xpl_run(update, NULL, err);
}
