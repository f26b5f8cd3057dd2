/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deleting on demand: records of a time, or those that are named, of one data set; or only their pixels. A purge is a
 * row, so it goes on after a restart; the oldest one is worked on, in steps on the writer.
 */
#ifndef XPL_DB_PURGES_H
#define XPL_DB_PURGES_H

#include "db/db.h"

enum xpl_purge_kind {
    XPL_PURGE_TIME,
    XPL_PURGE_SCORING_IDS,
    XPL_PURGE_TRANSACTION_IDS
};

struct xpl_purge {
    int64_t seq;
    const char *id, *data_mart_id, *data_set_id;
    enum xpl_purge_kind kind;
    bool pixels_only, finished;
    int64_t starts_at, ends_at; /* of scoring timestamps, end excluded; 0 = open */
    const char *ids;            /* JSON array of strings; NULL by time */
    int64_t n_records;          /* that went, or whose pixels went, so far */
    int64_t cursor_time, cursor_seq, until_seq;
    int64_t created_at, updated_at; /* updated: 0 = not begun */
    const char *created_by;
};

/** Sets seq, cursor and until_seq itself. XPL_TOO_MANY when XPL_PURGES_ACTIVE of the data set are not finished. */
enum xpl_status xpl_purge_insert(struct xpl_db *db, const struct xpl_purge *purge, struct xpl_error *err);
#define XPL_PURGES_ACTIVE 100

enum xpl_status xpl_purge_get(struct xpl_db *db, struct xpl_arena *arena, const char *data_set_id, const char *id,
                              struct xpl_purge *ret, struct xpl_error *err);

/** One step of the oldest purge that is not finished. */
struct xpl_purge_step {
    int64_t now;

    /* the result; written anew by every run */
    int64_t n_records;
    const char **task_ids; /* explanations in progress that went with their records */
    size_t n_tasks;
    bool idle; /* there was nothing to do */
};
enum xpl_status xpl_purge_run(struct xpl_db *db, struct xpl_arena *arena, struct xpl_purge_step *step,
                              struct xpl_error *err);

#endif
