/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records from CSV: each row becomes the JSON object that could have been sent in its place, and goes the same way. The
 * cells of images, requests, responses and probabilities are JSON; an image may also be PNG or JPEG in base64.
 */
#ifndef XPL_API_RECORDS_CSV_H
#define XPL_API_RECORDS_CSV_H

#include "api/records/record_batch.h"

/** What became of the rows. */
struct xpl_csv_rows {
    bool go_on;           /* on_error=continue: rows that cannot be used are left out */
    const size_t *lines;  /* where the transactions of the batch begin */
    const char *problems; /* JSON array {"line","place","code","message"} of rows left out, the first 100 */
    size_t n_left_out;
};

/** Whether the body is said to be CSV. */
bool xpl_records_are_csv(const struct xpl_call *call);

/**
 * Reads and checks the body as the query says (header, skip, limit, delimiter, on_error, csv_max_line_length). An error
 * of a row has "line N, column N (name)" as its field.
 */
enum xpl_status xpl_records_csv_prepare(struct xpl_call *call, struct xpl_record_batch *batch, struct xpl_csv_rows *ret,
                                        struct xpl_error *err);

#endif
