/* SPDX-License-Identifier: Apache-2.0 */
/* The tenant's own data mart: there from the first look at it, until it is deleted. */
#ifndef XPL_API_DATA_MARTS_H
#define XPL_API_DATA_MARTS_H

#include "api/call.h"
#include "api/configuration/resource.h"

extern const struct xpl_resource_type xpl_data_mart_type;

/** What is known of it. A deleted one leaves a row, so that looking at it does not make it again. */
enum xpl_presence {
    XPL_NEVER_SEEN,
    XPL_PRESENT,
    XPL_DELETED
};

enum xpl_status xpl_data_mart_look(struct xpl_db *db, struct xpl_call *call, enum xpl_presence *ret,
                                   struct xpl_error *err);

/** On the writer: makes the row at the first look; XPL_NOT_FOUND when it was deleted. `arg` is not looked at. */
enum xpl_status xpl_data_mart_ensure(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err);

/** On the writer: makes it anew, with the name and description of `body`. */
enum xpl_status xpl_data_mart_make(struct xpl_db *db, struct xpl_call *call, const json_t *body,
                                   enum xpl_presence presence, struct xpl_error *err);

#endif
