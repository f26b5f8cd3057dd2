/* SPDX-License-Identifier: Apache-2.0 */
/* What the client says about its CSV: the options of the query, and the charset. */
#ifndef XPL_API_RECORDS_CSV_OPTIONS_H
#define XPL_API_RECORDS_CSV_OPTIONS_H

#include "api/call.h"

struct xpl_csv_options {
    bool has_header, detects_header, go_on;
    int64_t skip, limit;
    char delimiter;
    size_t max_row_bytes;
};

/** XPL_BAD_FIELD names the option. */
enum xpl_status xpl_csv_options_read(const struct xpl_call *call, struct xpl_csv_options *ret, struct xpl_error *err);

/** The body as UTF-8; XPL_BAD_MEDIA_TYPE for a charset that is not taken. */
enum xpl_status xpl_csv_text(struct xpl_call *call, struct xpl_text *ret, struct xpl_error *err);

#endif
