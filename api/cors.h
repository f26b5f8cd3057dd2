/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cross-Origin Resource Sharing (Fetch standard): which web pages may call the API, by the setting cors.origins. A page
 * of another origin is not refused, it just gets none of these headers and its browser keeps the answer from it; so a
 * client that is no browser may send whatever `Origin` it likes, as IBM's SDK does.
 */
#ifndef XPL_API_CORS_H
#define XPL_API_CORS_H

#include "api/call.h"

/** Whether `origins` is a list of *, null and of scheme://host[:port], as browsers send it. XPL_BAD_FIELD says what is
 * none. */
enum xpl_status xpl_cors_check(const char *origins, struct xpl_error *err);

/** Answers a browser's question whether it may call: 204. False when it is none, or from an origin not allowed. */
bool xpl_cors_preflight(struct xpl_call *call, const char *allowed_methods);

/** Adds to an answer that is made what lets the page read it. */
void xpl_cors_apply(struct xpl_call *call);

#endif
