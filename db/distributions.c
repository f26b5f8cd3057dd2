/* SPDX-License-Identifier: Apache-2.0 */
#include "db/distributions.h"

#include <stdio.h>

#include "lib/base/buf.h"

#define MAX_SQL_BYTES 16384
#define NUMBERS(x)                                                                                                     \
    "COUNT(" x ") AS " x "_n, SUM(" x ") AS " x "_sum, SUM(" x " * " x ") AS " x "_squares, MIN(" x ") AS " x          \
    "_low, MAX(" x ") AS " x "_high"

static const char *const number_columns[XPL_DISTRIBUTION_N_NUMBERS] = {"prediction_probability", "response_time"};

static void read_numbers(struct xpl_row *row, const char *column, struct xpl_distribution_numbers *ret)
{
    static const char *const names[] = {"sum", "squares", "low", "high"};
    double *const values[] = {&ret->sum, &ret->squares, &ret->low, &ret->high};
    char name[48];

    snprintf(name, sizeof name, "%s_n", column);
    ret->n = xpl_row_int(row, name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(name, sizeof name, "%s_%s", column, names[i]);
        *values[i] = xpl_row_double(row, name);
    }
}

static void read_row(struct xpl_row *row, void *out)
{
    struct xpl_distribution_row *ret = out;
    char value[] = "value0", bin[] = "bin0";

    *ret = (struct xpl_distribution_row){.n = xpl_row_int(row, "n")};
    for (size_t i = 0; i < XPL_DISTRIBUTION_MAX_AXES; i++) {
        value[sizeof value - 2] = bin[sizeof bin - 2] = (char)('0' + i);
        ret->groups[i].value = xpl_row_text(row, value);
        ret->groups[i].bin = xpl_row_is_null(row, bin) ? -1 : xpl_row_int(row, bin);
    }
    for (size_t i = 0; i < XPL_DISTRIBUTION_N_NUMBERS; i++)
        read_numbers(row, number_columns[i], &ret->numbers[i]);
}

/* Both columns of each axis, so that all rows are read alike. */
static void append_axis(struct xpl_buf *sql, const struct xpl_distribution_axis *axis, size_t i)
{
    const char *column = axis ? xpl_record_column_names[axis->column] : NULL;

    if (axis && axis->n_bins)
        xpl_buf_printf(sql,
                       ", NULL AS value%zu, CASE WHEN %s >= ? THEN ? ELSE CAST((%s - ?) / ? AS BIGINT) END AS bin%zu",
                       i, column, column, i);
    else
        xpl_buf_printf(sql, ", %s AS value%zu, NULL AS bin%zu", axis ? column : "NULL", i, i);
}

static void bind_axis(struct xpl_stmt *stmt, const struct xpl_distribution_axis *axis)
{
    if (axis->n_bins == 0)
        return;
    xpl_bind_double(stmt, axis->low + axis->width * (axis->n_bins - 1));
    xpl_bind_int(stmt, axis->n_bins - 1);
    xpl_bind_double(stmt, axis->low);
    xpl_bind_double(stmt, axis->width);
}

static enum xpl_status run(struct xpl_db *db, struct xpl_arena *arena, const struct xpl_distribution_query *query,
                           struct xpl_distribution_row **ret, size_t *ret_count, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) sql = xpl_buf_new(MAX_SQL_BYTES);

    if (!sql)
        return xpl_no_memory(err);
    xpl_buf_string(sql,
                   "SELECT value0, value1, value2, bin0, bin1, bin2, COUNT(*) AS n, " NUMBERS(
                       "prediction_probability") ", " NUMBERS("response_time") " FROM (SELECT prediction_probability, "
                                                                               "response_time");
    for (size_t i = 0; i < XPL_DISTRIBUTION_MAX_AXES; i++)
        append_axis(sql, i < query->n_axes ? &query->axes[i] : NULL, i);
    xpl_record_where_append(sql, &query->records);
    xpl_buf_string(sql, " ORDER BY scoring_timestamp, seq LIMIT ?)");
    if (query->n_axes)
        xpl_buf_string(sql, " GROUP BY value0, bin0, value1, bin1, value2, bin2"
                            " ORDER BY value0, bin0, value1, bin1, value2, bin2");
    if (sql->failed)
        return xpl_fail(err, XPL_BAD_REQUEST, "the filter is too long");

    XPL_AUTO(xpl_stmt) stmt = xpl_db_query_once(db, sql->data);
    for (size_t i = 0; i < query->n_axes; i++)
        bind_axis(stmt, &query->axes[i]);
    xpl_record_where_bind(stmt, &query->records);
    xpl_bind_int(stmt, query->records.limit);
    return xpl_fetch_all(stmt, arena, read_row, sizeof **ret, XPL_DISTRIBUTION_MAX_ROWS + 1, ret, ret_count, err);
}

enum xpl_status xpl_distribution_total(struct xpl_db *db, struct xpl_arena *arena, const struct xpl_record_query *query,
                                       struct xpl_distribution_row *ret, struct xpl_error *err)
{
    const struct xpl_distribution_query all = {.records = *query};
    struct xpl_distribution_row *rows;
    enum xpl_status st;
    size_t n;

    if ((st = run(db, arena, &all, &rows, &n, err)))
        return st;
    *ret = n ? rows[0] : (struct xpl_distribution_row){0};
    return XPL_OK;
}

enum xpl_status xpl_distribution_count(struct xpl_db *db, struct xpl_arena *arena,
                                       const struct xpl_distribution_query *query, struct xpl_distribution_row **ret,
                                       size_t *ret_count, struct xpl_error *err)
{
    enum xpl_status st = run(db, arena, query, ret, ret_count, err);

    if (!st && *ret_count > XPL_DISTRIBUTION_MAX_ROWS)
        return xpl_fail_field(err, XPL_TOO_LARGE, "group", "gives more than %d groups", XPL_DISTRIBUTION_MAX_ROWS);
    return st;
}

/* ---- keeping them ---- */

enum xpl_status xpl_distribution_insert(struct xpl_db *db, const struct xpl_distribution *d, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    insert =
        xpl_db_query(db, "INSERT INTO distributions (id, data_mart_id, data_set_id, entity, created_at, created_by)"
                         " VALUES (?, ?, ?, ?, ?, ?)");
    XPL_AUTO(xpl_stmt)
    old = xpl_db_query(db, "DELETE FROM distributions WHERE data_set_id = ? AND seq <= (SELECT seq FROM distributions"
                           " WHERE data_set_id = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)");
    enum xpl_status st;

    xpl_bind_text(insert, d->id);
    xpl_bind_text(insert, d->data_mart_id);
    xpl_bind_text(insert, d->data_set_id);
    xpl_bind_text(insert, d->entity);
    xpl_bind_int(insert, d->created_at);
    xpl_bind_text(insert, d->created_by);
    if ((st = xpl_run(insert, NULL, err)))
        return st;
    xpl_bind_text(old, d->data_set_id);
    xpl_bind_text(old, d->data_set_id);
    xpl_bind_int(old, XPL_DISTRIBUTIONS_KEPT);
    return xpl_run(old, NULL, err);
}

static void read_distribution(struct xpl_row *row, void *out)
{
    struct xpl_distribution *d = out;

    d->id = xpl_row_text(row, "id");
    d->data_mart_id = xpl_row_text(row, "data_mart_id");
    d->data_set_id = xpl_row_text(row, "data_set_id");
    d->entity = xpl_row_text(row, "entity");
    d->created_at = xpl_row_int(row, "created_at");
    d->created_by = xpl_row_text(row, "created_by");
}

enum xpl_status xpl_distribution_get(struct xpl_db *db, struct xpl_arena *arena, const char *data_set_id,
                                     const char *id, struct xpl_distribution *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT id, data_mart_id, data_set_id, entity, created_at, created_by FROM distributions"
                             " WHERE id = ? AND data_set_id = ?");

    xpl_bind_text(query, id);
    xpl_bind_text(query, data_set_id);
    return xpl_fetch_one(query, arena, read_distribution, ret, err);
}

enum xpl_status xpl_distributions_delete(struct xpl_db *db, const char *data_set_id, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) deletion = xpl_db_query(db, "DELETE FROM distributions WHERE data_set_id = ?");

    xpl_bind_text(deletion, data_set_id);
    return xpl_run(deletion, NULL, err);
}
