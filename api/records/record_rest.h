/* SPDX-License-Identifier: Apache-2.0 */
/* What a logged record says besides request, response and image: ids, times, who asked. */
#ifndef XPL_API_RECORD_REST_H
#define XPL_API_RECORD_REST_H

#include "api/records/records_read.h"

/** A member's name and the JSON text of its value. */
struct xpl_record_cell {
    struct xpl_text name, value;
};

/** Reads the known members among `cells` into `t`, texts in `arena`. XPL_BAD_JSON or XPL_BAD_FIELD names the member. */
enum xpl_status xpl_record_rest_read(struct xpl_arena *arena, const struct xpl_record_cell *cells, size_t n,
                                     struct xpl_transaction *t, struct xpl_error *err);

#endif
