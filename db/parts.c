/* SPDX-License-Identifier: Apache-2.0 */
#include "db/parts.h"

#define TEXT_OF(number)  TEXT_OF_(number)
#define TEXT_OF_(number) #number

/* The seq of the last row of a part of this table. */
#define PART_END(table, owner)                                                                                         \
    "SELECT COALESCE((SELECT seq FROM " table " WHERE " owner " = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq"          \
    " LIMIT 1 OFFSET " TEXT_OF(XPL_PART_ROWS) " - 1), ?3)"
#define LAST(table, owner) "SELECT COALESCE(MAX(seq), 0) FROM " table " WHERE " owner " = ?"

static enum xpl_status fetch_whole(struct xpl_stmt *query, const char *owner, struct xpl_part *ret,
                                   struct xpl_error *err)
{
    ret->after = 0;
    xpl_bind_text(query, owner);
    return xpl_fetch_int(query, &ret->last, err);
}

static enum xpl_status fetch_part(struct xpl_stmt *query, const char *owner, const struct xpl_part *left,
                                  struct xpl_part *ret, struct xpl_error *err)
{
    ret->after = left->after;
    xpl_bind_text(query, owner);
    xpl_bind_int(query, left->after);
    xpl_bind_int(query, left->last);
    return xpl_fetch_int(query, &ret->last, err);
}

enum xpl_status xpl_records_whole(struct xpl_db *db, const char *data_set_id, struct xpl_part *ret,
                                  struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, LAST("records", "data_set_id"));

    return fetch_whole(query, data_set_id, ret, err);
}

enum xpl_status xpl_tasks_whole(struct xpl_db *db, const char *data_mart_id, struct xpl_part *ret,
                                struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, LAST("explanation_tasks", "data_mart_id"));

    return fetch_whole(query, data_mart_id, ret, err);
}

enum xpl_status xpl_records_part(struct xpl_db *db, const char *data_set_id, const struct xpl_part *left,
                                 struct xpl_part *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, PART_END("records", "data_set_id"));

    return fetch_part(query, data_set_id, left, ret, err);
}

enum xpl_status xpl_tasks_part(struct xpl_db *db, const char *data_mart_id, const struct xpl_part *left,
                               struct xpl_part *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, PART_END("explanation_tasks", "data_mart_id"));

    return fetch_part(query, data_mart_id, left, ret, err);
}
