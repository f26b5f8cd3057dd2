/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XPL_API_OUTPUT_SCHEMA_H
#define XPL_API_OUTPUT_SCHEMA_H

#include "api/call.h"

/** On the writer: after the first payload the subscription says what its output looks like, as the original's does. */
enum xpl_status xpl_output_schema_fill(struct xpl_db *db, struct xpl_call *call, const char *subscription_id,
                                       struct xpl_error *err);

#endif
