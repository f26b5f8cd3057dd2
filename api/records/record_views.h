/* SPDX-License-Identifier: Apache-2.0 */
/* How records look in answers: as objects or as rows of a table, with or without their image. */
#ifndef XPL_API_RECORD_VIEWS_H
#define XPL_API_RECORD_VIEWS_H

#include "api/call.h"
#include "db/records.h"

/** Columns of a record, in the order in which they are shown; the image last. */
enum xpl_record_view_column {
    XPL_VIEW_SCORING_ID,
    XPL_VIEW_TRANSACTION_ID,
    XPL_VIEW_SCORING_TIMESTAMP,
    XPL_VIEW_DEPLOYMENT_ID,
    XPL_VIEW_ASSET_REVISION,
    XPL_VIEW_USER_ID,
    XPL_VIEW_RESPONSE_TIME,
    XPL_VIEW_PREDICTION,
    XPL_VIEW_PROBABILITY,
    XPL_VIEW_PREDICTION_PROBABILITY,
    XPL_VIEW_SCORING_INPUT,
    XPL_VIEW_N_COLUMNS
};
extern const char *const xpl_record_view_names[XPL_VIEW_N_COLUMNS + 1];

struct xpl_record_view {
    bool shown[XPL_VIEW_N_COLUMNS];
    bool annotations;
    bool image_by_reference; /* the image's address instead of its pixels */
};

/** Everything but the image. */
struct xpl_record_view xpl_record_view_default(void);

/** Appends {"metadata","entity":{"values","annotations"}}. */
enum xpl_status xpl_record_append(struct xpl_call *call, struct xpl_buf *out, const struct xpl_record *record,
                                  const struct xpl_record_view *view, struct xpl_error *err);

/** Appends the values of the shown columns as an array. */
enum xpl_status xpl_record_append_row(struct xpl_call *call, struct xpl_buf *out, const struct xpl_record *record,
                                      const struct xpl_record_view *view, struct xpl_error *err);

/** Appends one column's value as JSON. */
enum xpl_status xpl_record_append_value(struct xpl_call *call, struct xpl_buf *out, const struct xpl_record *record,
                                        enum xpl_record_view_column column, bool image_by_reference,
                                        struct xpl_error *err);

/** The column of a name; XPL_VIEW_N_COLUMNS when there is none. */
enum xpl_record_view_column xpl_record_view_column_of(const char *name, size_t length);

#endif
