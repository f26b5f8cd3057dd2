/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of records: time window, filters, order, paging.
 *
 * A page begins behind the key of the last row of the one before, where an index gives the order: then it costs the
 * same wherever it is. Behind an offset it costs what is skipped, except in the order of logging without filters, where
 * the counts that the database keeps say where the row is.
 */
#ifndef XPL_DB_RECORD_QUERY_H
#define XPL_DB_RECORD_QUERY_H

#include "db/parts.h"
#include "db/records.h"
#include "lib/base/buf.h"

#define XPL_RECORD_MAX_FILTERS       16
#define XPL_RECORD_MAX_FILTER_VALUES 50

/** Columns that can be filtered and ordered by; xpl_record_column_names is in this order. */
enum xpl_record_column {
    XPL_RECORD_SCORING_ID,
    XPL_RECORD_TRANSACTION_ID,
    XPL_RECORD_SCORING_TIMESTAMP,
    XPL_RECORD_RESPONSE_TIME,
    XPL_RECORD_PREDICTION,
    XPL_RECORD_PREDICTION_PROBABILITY,
    XPL_RECORD_ASSET_REVISION,
    XPL_RECORD_USER_ID,
    XPL_RECORD_DEPLOYMENT_ID,
    XPL_RECORD_N_COLUMNS
};
extern const char *const xpl_record_column_names[XPL_RECORD_N_COLUMNS + 1];

enum xpl_record_operator {
    XPL_OPERATOR_EQ,
    XPL_OPERATOR_GT,
    XPL_OPERATOR_GTE,
    XPL_OPERATOR_LT,
    XPL_OPERATOR_LTE,
    XPL_OPERATOR_LIKE,
    XPL_OPERATOR_IN,
    XPL_OPERATOR_NULL,
    XPL_OPERATOR_NONNULL,
    XPL_N_OPERATORS
};

/** A prediction is a number or a label: a value for it that reads as a number has both `number` and `text`. */
struct xpl_filter_value {
    enum {
        XPL_FILTER_TEXT,
        XPL_FILTER_INT,
        XPL_FILTER_DOUBLE
    } type;
    const char *text;
    int64_t integer;
    double number;
};

struct xpl_record_filter {
    enum xpl_record_column column;
    enum xpl_record_operator operator;
    struct xpl_filter_value values[XPL_RECORD_MAX_FILTER_VALUES];
    size_t n_values;
};

enum xpl_record_order {
    XPL_ORDER_LOGGED, /* as they came in; in a window of time: by the scoring timestamp, then as they came in */
    XPL_ORDER_COLUMN,
    XPL_ORDER_RANDOM /* repeatable: by a hash of the row drawn with `seed` */
};

/** What of a row its place in a list depends on. */
enum xpl_record_key_kind {
    XPL_RECORD_KEY_NONE, /* no index gives this order */
    XPL_RECORD_KEY_SEQ,
    XPL_RECORD_KEY_TIME, /* timestamp, then seq */
    XPL_RECORD_KEY_SCORING_ID
};
struct xpl_record_key {
    int64_t seq, timestamp;
    const char *scoring_id;
};

struct xpl_record_query {
    const char *data_mart_id, *data_set_id;
    struct xpl_part part; /* of the rows in the order of logging, which then is theirs */
    int64_t start, end;   /* window of the scoring timestamp, start included, end excluded; 0 = open */
    struct xpl_record_filter filters[XPL_RECORD_MAX_FILTERS];
    size_t n_filters;
    enum xpl_record_order order;
    enum xpl_record_column order_column;
    bool descending;
    int64_t seed;
    bool has_after;
    struct xpl_record_key after; /* only rows behind it: members by the kind of key; not for XPL_RECORD_KEY_NONE */
    int64_t offset, limit;
};

enum xpl_record_key_kind xpl_record_key_kind_of(const struct xpl_record_query *query);

enum xpl_status xpl_records_list(struct xpl_db *db, struct xpl_arena *arena, const struct xpl_record_query *query,
                                 struct xpl_record **ret, size_t *ret_count, struct xpl_error *err);

/** How many there are without `after`, offset and limit. Without window and filters it costs next to nothing. */
enum xpl_status xpl_records_count(struct xpl_db *db, const struct xpl_record_query *query, int64_t *ret,
                                  struct xpl_error *err);

/** " FROM records WHERE …" of a query, without its page, and the values in it: for other questions about the same rows.
 */
void xpl_record_where_append(struct xpl_buf *sql, const struct xpl_record_query *query);
void xpl_record_where_bind(struct xpl_stmt *stmt, const struct xpl_record_query *query);

/** A row number from 0 in the order of logging, and a seq behind which that row is the `skip`-th: `skip` is small. */
struct xpl_record_place {
    int64_t after_seq, skip;
};
enum xpl_status xpl_record_place_of(struct xpl_db *db, const char *data_set_id, int64_t row,
                                    struct xpl_record_place *ret, struct xpl_error *err);

#endif
