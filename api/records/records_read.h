/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of POST records as logged transactions, whatever form it has:
 *   [{"request":{…},"response":{…},"scoring_id",…}]     whole or plain request and response, in any combination
 *   [{"fields":[…],"values":[[…]]}], {"fields","values"} rows of a table
 *   [{"scoring_input":[…],"probability":[…],…}]          one row as an object
 * Rows of a table become a plain request and response of one image. Found by scanning: pixels never become a tree.
 */
#ifndef XPL_API_RECORDS_READ_H
#define XPL_API_RECORDS_READ_H

#include "api/call.h"
#include "lib/base/json_scan.h"

#define XPL_MAX_TRANSACTIONS 1000u

/** One logged transaction; texts lie in the body or in the call's arena. */
struct xpl_transaction {
    struct xpl_text request, response; /* JSON; no response: length 0 */
    const char *scoring_id;            /* NULL = to be made */
    int64_t scoring_timestamp;         /* microseconds */
    bool has_response_time;
    double response_time;
    const char *asset_revision, *user_id; /* NULL = none */
    bool is_single;                       /* the request must hold one image */
    bool from_row;                        /* request and response were put together from a row of a table */
    bool request_checked;                 /* as JSON, with the body it came in */
};

/** The bounds of a body with images: pixels are numbers in arrays, and a hostile body must not cost more than its size.
 */
extern const struct xpl_json_limits xpl_records_limits;

/** XPL_BAD_JSON, XPL_BAD_FIELD (with the path "[i].member"). */
enum xpl_status xpl_records_read(struct xpl_call *call, struct xpl_text body, struct xpl_transaction **ret,
                                 size_t *ret_count, struct xpl_error *err);

/** The same for an array inside of a body that was scanned without an error; a response may be missing: length 0. */
enum xpl_status xpl_records_read_rows(struct xpl_call *call, struct xpl_text rows, struct xpl_transaction **ret,
                                      size_t *ret_count, struct xpl_error *err);

#endif
