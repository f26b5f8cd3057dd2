/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a long list from its beginning to its end, part by part, while others write: every row that was there when
 * the reading began, and still is, comes once. Rows are looked at in the order in which they were made, XPL_PART_ROWS
 * in a part, so that a part costs the same wherever it is and whatever a filter leaves of it.
 */
#ifndef XPL_DB_PARTS_H
#define XPL_DB_PARTS_H

#include "db/db.h"

#define XPL_PART_ROWS 500

/** Rows with after < seq <= last; last 0 = all rows. */
struct xpl_part {
    int64_t after, last;
};

/** All of a data set's records, or of a data mart's tasks, that there are now. */
enum xpl_status xpl_records_whole(struct xpl_db *db, const char *data_set_id, struct xpl_part *ret,
                                  struct xpl_error *err);
enum xpl_status xpl_tasks_whole(struct xpl_db *db, const char *data_mart_id, struct xpl_part *ret,
                                struct xpl_error *err);

/** The first part of what is left. */
enum xpl_status xpl_records_part(struct xpl_db *db, const char *data_set_id, const struct xpl_part *left,
                                 struct xpl_part *ret, struct xpl_error *err);
enum xpl_status xpl_tasks_part(struct xpl_db *db, const char *data_mart_id, const struct xpl_part *left,
                               struct xpl_part *ret, struct xpl_error *err);

#endif
