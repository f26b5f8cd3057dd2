/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: heads of requests that two servers could understand differently, or that hide something, are refused before
 * anything is made of them (RFC 9110, RFC 9112).
 */
#ifndef XPL_SERVER_HTTP_HEAD_H
#define XPL_SERVER_HTTP_HEAD_H

#include <microhttpd.h>

#include "api/call.h"

#define XPL_HTTP_MAX_HEAD_BYTES 16384u

/** A head as microhttpd shows it. Pointers into the connection's memory, where the head stands as it was received. */
struct xpl_http_head {
    struct MHD_Connection *connection;
    const char *method, *version;
    const char *target, *target_end; /* of the request line, with the query */
    bool target_printable;           /* the target was, before it was cut into pieces */
};

/** A head of which the request line is there. */
struct xpl_http_head xpl_http_head_start(struct MHD_Connection *connection, const char *target);

/**
 * `call` has the headers. XPL_BAD_REQUEST, XPL_HEADER_TOO_LARGE, or XPL_BAD_MEDIA_TYPE for an encoded body; all of them
 * are answered at once, and the connection ends.
 */
enum xpl_status xpl_http_head_check(const struct xpl_http_head *head, const struct xpl_call *call,
                                    struct xpl_error *err);

/** The path in `url`, which is one, or is an absolute URI as proxies are sent; NULL when it is neither. */
const char *xpl_http_path_of(const char *url);

#endif
