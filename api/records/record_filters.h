/* SPDX-License-Identifier: Apache-2.0 */
/* The query parameters of a list of records. */
#ifndef XPL_API_RECORD_FILTERS_H
#define XPL_API_RECORD_FILTERS_H

#include "api/call.h"
#include "api/records/record_views.h"
#include "db/record_query.h"

/** Reads which records are meant, and what of them: start, end, filter, includes, exclude, exclude_annotations,
 * binary_format. XPL_BAD_FIELD names the parameter. */
enum xpl_status xpl_record_selection_read(struct xpl_call *call, struct xpl_record_query *ret_query,
                                          struct xpl_record_view *ret_view, struct xpl_error *err);

/** Reads `filter`, as the query parameter of that name, into the conditions of `ret`; NULL = none. */
enum xpl_status xpl_record_filter_read(struct xpl_arena *arena, const char *filter, struct xpl_record_query *ret,
                                       struct xpl_error *err);

/**
 * Reads the same and a page of it: limit, offset, after, order, seed. With the image the page is bounded to
 * XPL_IMAGES_PAGE_MAX rows. XPL_BAD_FIELD names the parameter.
 */
enum xpl_status xpl_record_query_read(struct xpl_call *call, struct xpl_record_query *ret_query,
                                      struct xpl_record_view *ret_view, struct xpl_error *err);

/** The query's binary_format into a view: only "reference" exists. */
enum xpl_status xpl_record_view_read_binary_format(struct xpl_call *call, struct xpl_record_view *view,
                                                   struct xpl_error *err);

#endif
