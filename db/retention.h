/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes by itself: the oldest records by age, number or size, of everything or of one data set, and pixels before
 * their numbers. In steps, to be run on the writer.
 */
#ifndef XPL_DB_RETENTION_H
#define XPL_DB_RETENTION_H

#include "db/db.h"

/** One step: the oldest records that are to go. */
struct xpl_retention_step {
    const char *data_set_id; /* NULL = of all */
    int64_t older_than;      /* microseconds; records logged before go; 0 = none */
    int64_t used_bytes;      /* while the whole database holds more, the oldest go; 0 = no bound */
    int64_t keep_records;    /* of the data set; 0 = no bound */
    int64_t keep_bytes;      /* of the data set's payloads as stored; 0 = no bound */
    int64_t after_seq;       /* where the last step ended; 0 = at the oldest */

    /* the result; written anew by every run */
    int64_t next_seq;  /* for `after_seq` of the next step */
    int64_t n_deleted; /* records */
    bool done;         /* nothing else is to go at present */
};

/**
 * Looks at the records behind `after_seq`, oldest first, for some milliseconds, and deletes those that are to go, with
 * payload and explanations; one with an explanation in progress stays.
 */
enum xpl_status xpl_retention_run(struct xpl_db *db, struct xpl_arena *arena, struct xpl_retention_step *step,
                                  struct xpl_error *err);

/** One step of dropping pixels: those of a data set's records that were logged before `older_than`, oldest first. */
struct xpl_pixel_step {
    const char *data_set_id;
    int64_t older_than;

    /* the result */
    int64_t n_dropped; /* records */
    bool done;
};
/** Stops at a record with an explanation in progress: it needs its pixels. */
enum xpl_status xpl_pixel_retention_run(struct xpl_db *db, struct xpl_arena *arena, struct xpl_pixel_step *step,
                                        struct xpl_error *err);

/** What a subscription says about the records of its data set; 0 = nothing. */
struct xpl_retention_rules {
    const char *data_set_id;
    int64_t days, records, bytes, pixel_days;
};
#define XPL_RETENTION_RULES_PAGE 100

/** Those of all subscriptions, a page at a time: `after` is the last data set of the page before, "" at first. */
enum xpl_status xpl_retention_rules_list(struct xpl_db *db, struct xpl_arena *arena, const char *after,
                                         struct xpl_retention_rules **ret, size_t *ret_count, struct xpl_error *err);

#endif
