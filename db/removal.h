/* SPDX-License-Identifier: Apache-2.0 */
/* How a record goes: with its explanations, and with its payload when it is the last one of that. */
#ifndef XPL_DB_REMOVAL_H
#define XPL_DB_REMOVAL_H

#include "db/db.h"

/** A record that may have to go. */
struct xpl_removable {
    int64_t seq, payload_id, created_at, scoring_timestamp;
    bool in_progress; /* an explanation of it did not end yet */
    const char *id, *data_mart_id, *transaction_id;
};

/** For queries over `records r`. */
#define XPL_REMOVABLE_COLUMNS                                                                                          \
    "seq, id, data_mart_id, transaction_id, payload_id, created_at, scoring_timestamp,"                                \
    " EXISTS (SELECT 1 FROM explanation_tasks t WHERE t.record_id = r.id"                                              \
    " AND t.state IN ('queued', 'leased')) AS in_progress"
void xpl_removable_read(struct xpl_row *row, void *removable);

/** Deletes the record and all tasks for it. */
enum xpl_status xpl_record_remove(struct xpl_db *db, const struct xpl_removable *record, struct xpl_error *err);

/** Empties a payload: xpl_payload_load says XPL_GONE from then on. The hash of what was logged stays. */
enum xpl_status xpl_pixels_remove(struct xpl_db *db, int64_t payload_id, struct xpl_error *err);

/* Steps of long removals are short, so that whoever logs meanwhile hardly waits. */
#define XPL_REMOVAL_STEP_RECORDS 100
#define XPL_REMOVAL_STEP_US      5000

#endif
