/* SPDX-License-Identifier: Apache-2.0 */
/* Where the pages of a list of records begin, and how many records there are: by the counts of blocks of them. */
#include "db/record_query.h"

enum xpl_record_key_kind xpl_record_key_kind_of(const struct xpl_record_query *query)
{
    if (query->order == XPL_ORDER_LOGGED)
        return (query->start || query->end) && !query->part.last ? XPL_RECORD_KEY_TIME : XPL_RECORD_KEY_SEQ;
    if (query->order == XPL_ORDER_COLUMN && query->order_column == XPL_RECORD_SCORING_TIMESTAMP)
        return XPL_RECORD_KEY_TIME;
    if (query->order == XPL_ORDER_COLUMN && query->order_column == XPL_RECORD_SCORING_ID)
        return XPL_RECORD_KEY_SCORING_ID;
    return XPL_RECORD_KEY_NONE;
}

enum xpl_status xpl_data_set_count_records(struct xpl_db *db, const char *data_set_id, int64_t *ret,
                                           struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT COALESCE(SUM(n), 0) FROM record_blocks WHERE data_set_id = ?");

    xpl_bind_text(query, data_set_id);
    return xpl_fetch_int(query, ret, err);
}

struct block {
    int64_t number, before;
};

static void read_block(struct xpl_row *row, void *out)
{
    struct block *block = out;

    block->number = xpl_row_int(row, "block");
    block->before = xpl_row_int(row, "before");
}

enum xpl_status xpl_record_place_of(struct xpl_db *db, const char *data_set_id, int64_t row,
                                    struct xpl_record_place *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT block, before FROM (SELECT block, n, SUM(n) OVER (ORDER BY block) - n AS before"
                             " FROM record_blocks WHERE data_set_id = ?1) WHERE before + n > ?2 LIMIT 1");
    struct block block;
    enum xpl_status st;

    xpl_bind_text(query, data_set_id);
    xpl_bind_int(query, row);
    st = xpl_fetch_one(query, NULL, read_block, &block, err);
    if (st == XPL_NOT_FOUND) {
        xpl_error_clear(err);
        *ret = (struct xpl_record_place){.after_seq = INT64_MAX};
        return XPL_OK;
    }
    if (st)
        return st;
    *ret = (struct xpl_record_place){.after_seq = block.number * XPL_RECORD_BLOCK - 1, .skip = row - block.before};
    return XPL_OK;
}
