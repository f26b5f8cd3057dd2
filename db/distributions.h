/* SPDX-License-Identifier: Apache-2.0 */
/* Counting records by what is in their columns, and keeping what was counted. */
#ifndef XPL_DB_DISTRIBUTIONS_H
#define XPL_DB_DISTRIBUTIONS_H

#include "db/record_query.h"

#define XPL_DISTRIBUTION_MAX_AXES 3
#define XPL_DISTRIBUTION_MAX_ROWS 10000
#define XPL_DISTRIBUTIONS_KEPT    100 /* of a data set: the latest */

/** What is counted by: each value of a column, or n_bins intervals of it, of equal length from `low` on. */
struct xpl_distribution_axis {
    enum xpl_record_column column;
    uint32_t n_bins;   /* 0 = each value */
    double low, width; /* of a bin; what is above the last belongs to it */
};

/** Columns with numbers that can be aggregated. */
enum xpl_distribution_number {
    XPL_DISTRIBUTION_PROBABILITY,
    XPL_DISTRIBUTION_RESPONSE_TIME,
    XPL_DISTRIBUTION_N_NUMBERS
};

struct xpl_distribution_numbers {
    int64_t n; /* that are not null; without one the others mean nothing */
    double sum, squares, low, high;
};

struct xpl_distribution_row {
    struct {
        const char *value; /* NULL = the column is null, or is in a bin */
        int64_t bin;       /* -1 = the column is null, or each value counts */
    } groups[XPL_DISTRIBUTION_MAX_AXES];
    int64_t n;
    struct xpl_distribution_numbers numbers[XPL_DISTRIBUTION_N_NUMBERS];
};

/** Which records: those of data mart, data set, window and filters, the first records.limit of them by time. */
struct xpl_distribution_query {
    struct xpl_record_query records;
    struct xpl_distribution_axis axes[XPL_DISTRIBUTION_MAX_AXES];
    size_t n_axes;
};

/** All of them in one row. What it costs is bounded by records.limit, when there are no filters. */
enum xpl_status xpl_distribution_total(struct xpl_db *db, struct xpl_arena *arena, const struct xpl_record_query *query,
                                       struct xpl_distribution_row *ret, struct xpl_error *err);

/** A row for each group that is not empty, ordered by the axes; XPL_TOO_LARGE for more than
 * XPL_DISTRIBUTION_MAX_ROWS. */
enum xpl_status xpl_distribution_count(struct xpl_db *db, struct xpl_arena *arena,
                                       const struct xpl_distribution_query *query, struct xpl_distribution_row **ret,
                                       size_t *ret_count, struct xpl_error *err);

struct xpl_distribution {
    const char *id, *data_mart_id, *data_set_id;
    const char *entity; /* JSON text */
    int64_t created_at;
    const char *created_by;
};

/** The oldest of the data set goes when there are more than XPL_DISTRIBUTIONS_KEPT. */
enum xpl_status xpl_distribution_insert(struct xpl_db *db, const struct xpl_distribution *distribution,
                                        struct xpl_error *err);
enum xpl_status xpl_distribution_get(struct xpl_db *db, struct xpl_arena *arena, const char *data_set_id,
                                     const char *id, struct xpl_distribution *ret, struct xpl_error *err);
enum xpl_status xpl_distributions_delete(struct xpl_db *db, const char *data_set_id, struct xpl_error *err);

#endif
