/* SPDX-License-Identifier: Apache-2.0 */
/* The records of the data set that a path names. */
#ifndef XPL_API_RECORDS_H
#define XPL_API_RECORDS_H

#include "api/call.h"
#include "db/records.h"

/** XPL_NOT_FOUND when there is no such data set. */
enum xpl_status xpl_check_data_set(struct xpl_db *db, struct xpl_call *call, struct xpl_error *err);

/** The record `id` of the data set; XPL_NOT_FOUND says which of them is missing. */
enum xpl_status xpl_record_find(struct xpl_db *db, struct xpl_call *call, const char *id, struct xpl_record *ret,
                                struct xpl_error *err);

/** Replies 200 with one record, its image as the query's binary_format has it. `db` is where the image is read. */
enum xpl_status xpl_record_reply(struct xpl_db *db, struct xpl_call *call, const struct xpl_record *record,
                                 struct xpl_error *err);

#endif
