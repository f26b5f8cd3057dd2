/* SPDX-License-Identifier: Apache-2.0 */
#include "db/record_query.h"

#include "lib/base/hash.h"

#define MAX_SQL_BYTES 16384
#define PRIME         "2147483647" /* 2^31 - 1 */
#define PRIME_VALUE   2147483647u

/* The only texts of a request that become SQL are chosen from these two tables. */
const char *const xpl_record_column_names[XPL_RECORD_N_COLUMNS + 1] = {
    [XPL_RECORD_SCORING_ID] = "scoring_id",
    [XPL_RECORD_TRANSACTION_ID] = "transaction_id",
    [XPL_RECORD_SCORING_TIMESTAMP] = "scoring_timestamp",
    [XPL_RECORD_RESPONSE_TIME] = "response_time",
    [XPL_RECORD_PREDICTION] = "prediction",
    [XPL_RECORD_PREDICTION_PROBABILITY] = "prediction_probability",
    [XPL_RECORD_ASSET_REVISION] = "asset_revision",
    [XPL_RECORD_USER_ID] = "user_id",
    [XPL_RECORD_DEPLOYMENT_ID] = "deployment_id",
};

static const char *const operators[XPL_N_OPERATORS] = {
    [XPL_OPERATOR_EQ] = " = ?",       [XPL_OPERATOR_GT] = " > ?",
    [XPL_OPERATOR_GTE] = " >= ?",     [XPL_OPERATOR_LT] = " < ?",
    [XPL_OPERATOR_LTE] = " <= ?",     [XPL_OPERATOR_LIKE] = " LIKE ?",
    [XPL_OPERATOR_NULL] = " IS NULL", [XPL_OPERATOR_NONNULL] = " IS NOT NULL",
};

/* Predictions are stored as JSON: numbers as they are, labels in quotes, null without one. Numbers compare as numbers,
 * labels as text. */
#define IS_LABEL  "substr(prediction, 1, 1) = '\"'"
#define IS_NUMBER "substr(prediction, 1, 1) BETWEEN '-' AND '9'"
#define UNQUOTED  "CASE WHEN " IS_LABEL " THEN substr(prediction, 2, length(prediction) - 2) ELSE prediction END"
#define AS_NUMBER "CAST(prediction AS DOUBLE PRECISION)"

/* Equality with a number holds for a label of the same text, too. */
static void append_prediction(struct xpl_buf *sql, enum xpl_record_operator operator,
                              const struct xpl_filter_value * value)
{
    if (operator== XPL_OPERATOR_LIKE ||(operator== XPL_OPERATOR_EQ && value->type == XPL_FILTER_TEXT))
        xpl_buf_printf(sql, "(" UNQUOTED ")%s", operators[operator]);
    else if (operator== XPL_OPERATOR_EQ)
        xpl_buf_string(sql,
                       "(CASE WHEN " IS_LABEL " THEN " UNQUOTED " = ? ELSE " IS_NUMBER " AND " AS_NUMBER " = ? END)");
    else if (value->type == XPL_FILTER_TEXT)
        xpl_buf_printf(sql, "(" IS_LABEL " AND (" UNQUOTED ")%s)", operators[operator]);
    else
        xpl_buf_printf(sql, "(" IS_NUMBER " AND " AS_NUMBER "%s)", operators[operator]);
}

static bool is_prediction(const struct xpl_record_filter *filter)
{
    return filter->column == XPL_RECORD_PREDICTION && filter->n_values > 0;
}

static bool is_transaction(const struct xpl_record_filter *filter)
{
    return filter->column == XPL_RECORD_TRANSACTION_ID && filter->operator== XPL_OPERATOR_EQ;
}

/* A range of scoring ids or times is read by its index only where that gives the order, too: else all of it would be
 * sorted before the first page. */
static const char *compared(const struct xpl_record_filter *filter, enum xpl_record_key_kind kind)
{
    bool exact = filter->operator== XPL_OPERATOR_EQ || filter->operator== XPL_OPERATOR_IN;

    if (filter->column == XPL_RECORD_SCORING_ID && !exact && kind != XPL_RECORD_KEY_SCORING_ID)
        return "scoring_id || ''";
    if (filter->column == XPL_RECORD_SCORING_TIMESTAMP && !exact && kind == XPL_RECORD_KEY_SEQ)
        return "scoring_timestamp + 0";
    return xpl_record_column_names[filter->column];
}

static void append_filter(struct xpl_buf *sql, const struct xpl_record_filter *filter, enum xpl_record_key_kind kind)
{
    bool list = filter->operator== XPL_OPERATOR_IN;

    xpl_buf_string(sql, " AND ");
    if (is_transaction(filter)) {
        xpl_buf_string(sql, XPL_OF_TRANSACTION("?"));
        return;
    }
    if (filter->column == XPL_RECORD_PREDICTION && filter->n_values == 0) {
        xpl_buf_printf(sql, "prediction %s 'null'", filter->operator== XPL_OPERATOR_NULL ? "=" : "<>");
        return;
    }
    if (is_prediction(filter)) {
        for (size_t i = 0; i < filter->n_values; i++) {
            xpl_buf_string(sql, i ? " OR " : "(");
            append_prediction(sql, list ? XPL_OPERATOR_EQ : filter->operator, & filter->values[i]);
        }
        xpl_buf_string(sql, ")");
        return;
    }
    xpl_buf_string(sql, compared(filter, kind));
    if (!list) {
        xpl_buf_string(sql, operators[filter->operator]);
        return;
    }
    for (size_t i = 0; i < filter->n_values; i++)
        xpl_buf_string(sql, i ? ", ?" : " IN (?");
    xpl_buf_string(sql, ")");
}

/* A page's key takes the place of the window's bound on its side. */
static bool has_start(const struct xpl_record_query *query)
{
    return query->start && !(query->has_after && !query->descending);
}

static bool has_end(const struct xpl_record_query *query)
{
    return query->end && !(query->has_after && query->descending);
}

/* By scoring id the index of the tenant gives the order: the one of the data set would need sorting. */
void xpl_record_where_append(struct xpl_buf *sql, const struct xpl_record_query *query)
{
    enum xpl_record_key_kind kind = xpl_record_key_kind_of(query);

    xpl_buf_printf(sql, " FROM records WHERE data_mart_id = ? AND %s = ?",
                   kind == XPL_RECORD_KEY_SCORING_ID ? "data_set_id || ''" : "data_set_id");
    if (has_start(query))
        xpl_buf_string(sql, " AND scoring_timestamp >= ?");
    if (has_end(query))
        xpl_buf_string(sql, " AND scoring_timestamp < ?");
    if (query->part.last)
        xpl_buf_string(sql, " AND seq > ? AND seq <= ?");
    for (size_t i = 0; i < query->n_filters; i++)
        append_filter(sql, &query->filters[i], kind);
}

static void append_after(struct xpl_buf *sql, const struct xpl_record_query *query)
{
    const char *behind = query->descending ? "<" : ">";

    if (!query->has_after)
        return;
    switch (xpl_record_key_kind_of(query)) {
    case XPL_RECORD_KEY_SEQ:
        xpl_buf_printf(sql, " AND seq %s ?", behind);
        break;
    case XPL_RECORD_KEY_TIME:
        xpl_buf_printf(sql, " AND (scoring_timestamp, seq) %s (?, ?)", behind);
        break;
    case XPL_RECORD_KEY_SCORING_ID:
        xpl_buf_printf(sql, " AND scoring_id %s ?", behind);
        break;
    case XPL_RECORD_KEY_NONE:
        break;
    }
}

static void append_column_order(struct xpl_buf *sql, enum xpl_record_column column, const char *direction)
{
    if (column == XPL_RECORD_PREDICTION)
        xpl_buf_printf(sql, " ORDER BY " IS_LABEL " %s, " AS_NUMBER " %s, prediction %s, seq %s", direction, direction,
                       direction, direction);
    else
        xpl_buf_printf(sql, " ORDER BY %s %s, seq %s", xpl_record_column_names[column], direction, direction);
}

static void append_order(struct xpl_buf *sql, const struct xpl_record_query *query)
{
    const char *direction = query->descending ? "DESC" : "ASC";

    switch (xpl_record_key_kind_of(query)) {
    case XPL_RECORD_KEY_SEQ:
        xpl_buf_printf(sql, " ORDER BY seq %s", direction);
        break;
    case XPL_RECORD_KEY_TIME:
        append_column_order(sql, XPL_RECORD_SCORING_TIMESTAMP, direction);
        break;
    case XPL_RECORD_KEY_SCORING_ID: /* a data set has each once */
        xpl_buf_printf(sql, " ORDER BY scoring_id %s", direction);
        break;
    case XPL_RECORD_KEY_NONE:
        if (query->order == XPL_ORDER_COLUMN)
            append_column_order(sql, query->order_column, direction);
        else
            xpl_buf_string(sql, " ORDER BY (((? * (seq % " PRIME ") + ?) % " PRIME " * (seq % " PRIME ") + ?) % " PRIME
                                " * (seq % " PRIME ") + ?) % " PRIME ", seq");
        break;
    }
    xpl_buf_string(sql, " LIMIT ? OFFSET ?");
}

/* A random polynomial of degree 3 over a prime field mixes any four rows independently; every product stays below 2^63.
 */
static void bind_random(struct xpl_stmt *stmt, int64_t seed)
{
    uint8_t key[XPL_HASH_BYTES];
    struct xpl_stream stream;

    xpl_hash(&seed, sizeof seed, key);
    xpl_stream_start(&stream, key);
    for (int i = 0; i < 4; i++)
        xpl_bind_int(stmt, (int64_t)(xpl_stream_next(&stream) % PRIME_VALUE));
}

static void bind_value(struct xpl_stmt *stmt, const struct xpl_filter_value *value)
{
    switch (value->type) {
    case XPL_FILTER_TEXT:
        xpl_bind_text(stmt, value->text);
        break;
    case XPL_FILTER_INT:
        xpl_bind_int(stmt, value->integer);
        break;
    case XPL_FILTER_DOUBLE:
        xpl_bind_double(stmt, value->number);
        break;
    }
}

static void bind_filter(struct xpl_stmt *stmt, const struct xpl_record_filter *filter)
{
    bool equality = filter->operator== XPL_OPERATOR_EQ || filter->operator== XPL_OPERATOR_IN;

    for (int times = is_transaction(filter) ? 3 : 1; times > 0; times--) {
        for (size_t k = 0; k < filter->n_values; k++) {
            if (is_prediction(filter) && equality && filter->values[k].type == XPL_FILTER_DOUBLE)
                xpl_bind_text(stmt, filter->values[k].text);
            bind_value(stmt, &filter->values[k]);
        }
    }
}

void xpl_record_where_bind(struct xpl_stmt *stmt, const struct xpl_record_query *query)
{
    xpl_bind_text(stmt, query->data_mart_id);
    xpl_bind_text(stmt, query->data_set_id);
    if (has_start(query))
        xpl_bind_int(stmt, query->start);
    if (has_end(query))
        xpl_bind_int(stmt, query->end);
    if (query->part.last) {
        xpl_bind_int(stmt, query->part.after);
        xpl_bind_int(stmt, query->part.last);
    }
    for (size_t i = 0; i < query->n_filters; i++)
        bind_filter(stmt, &query->filters[i]);
}

static void bind_after(struct xpl_stmt *stmt, const struct xpl_record_query *query)
{
    if (!query->has_after)
        return;
    switch (xpl_record_key_kind_of(query)) {
    case XPL_RECORD_KEY_TIME:
        xpl_bind_int(stmt, query->after.timestamp);
        xpl_bind_int(stmt, query->after.seq);
        break;
    case XPL_RECORD_KEY_SEQ:
        xpl_bind_int(stmt, query->after.seq);
        break;
    case XPL_RECORD_KEY_SCORING_ID:
        xpl_bind_text(stmt, query->after.scoring_id);
        break;
    case XPL_RECORD_KEY_NONE:
        break;
    }
}

static enum xpl_status fetch_page(struct xpl_db *db, struct xpl_arena *arena, const struct xpl_record_query *query,
                                  struct xpl_record **ret, size_t *ret_count, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) sql = xpl_buf_new(MAX_SQL_BYTES);

    if (!sql)
        return xpl_no_memory(err);
    xpl_buf_string(sql, "SELECT " XPL_RECORD_COLUMNS);
    xpl_record_where_append(sql, query);
    append_after(sql, query);
    append_order(sql, query);
    if (sql->failed)
        return xpl_fail(err, XPL_BAD_REQUEST, "the filter is too long");

    XPL_AUTO(xpl_stmt) stmt = xpl_db_query_once(db, sql->data);
    xpl_record_where_bind(stmt, query);
    bind_after(stmt, query);
    if (query->order == XPL_ORDER_RANDOM)
        bind_random(stmt, query->seed);
    xpl_bind_int(stmt, query->limit);
    xpl_bind_int(stmt, query->offset);
    return xpl_fetch_all(stmt, arena, xpl_record_read, sizeof **ret, (size_t)query->limit, ret, ret_count, err);
}

enum xpl_status xpl_records_list(struct xpl_db *db, struct xpl_arena *arena, const struct xpl_record_query *query,
                                 struct xpl_record **ret, size_t *ret_count, struct xpl_error *err)
{
    struct xpl_record_query near = *query;
    struct xpl_record_place place;
    enum xpl_status st;

    if (query->offset > 0 && !query->has_after && !query->descending && query->n_filters == 0 &&
        xpl_record_key_kind_of(query) == XPL_RECORD_KEY_SEQ) {
        if ((st = xpl_record_place_of(db, query->data_set_id, query->offset, &place, err)))
            return st;
        near.has_after = true;
        near.after.seq = place.after_seq;
        near.offset = place.skip;
    }
    return fetch_page(db, arena, &near, ret, ret_count, err);
}

enum xpl_status xpl_records_count(struct xpl_db *db, const struct xpl_record_query *query, int64_t *ret,
                                  struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) sql = xpl_buf_new(MAX_SQL_BYTES);
    struct xpl_record_query all = *query;

    if (query->n_filters == 0 && !query->start && !query->end)
        return xpl_data_set_count_records(db, query->data_set_id, ret, err);
    all.has_after = false;
    all.order = XPL_ORDER_LOGGED;
    if (!sql)
        return xpl_no_memory(err);
    xpl_buf_string(sql, "SELECT COUNT(*)");
    xpl_record_where_append(sql, &all);
    if (sql->failed)
        return xpl_fail(err, XPL_BAD_REQUEST, "the filter is too long");

    XPL_AUTO(xpl_stmt) stmt = xpl_db_query_once(db, sql->data);
    xpl_record_where_bind(stmt, &all);
    return xpl_fetch_int(stmt, ret, err);
}
