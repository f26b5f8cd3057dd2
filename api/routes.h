/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of all operations. 404, 405 + Allow, 413 and the list `explaind routes` prints come from it; a test holds
 * it against openapi.yaml in both directions.
 */
#ifndef XPL_API_ROUTES_H
#define XPL_API_ROUTES_H

#include "api/call.h"

enum xpl_role {
    XPL_ANYONE,          /* without login */
    XPL_LOCAL_OR_VIEWER, /* without login from this machine */
    XPL_VIEWER,
    XPL_EDITOR,
    XPL_ADMIN,
    XPL_OPERATOR /* an administrator of the default data mart, or whoever runs the daemon */
};

/** "anyone", "viewer", ... */
const char *xpl_role_name(enum xpl_role role);

/** Which configured limit a body has. */
enum xpl_body_limit {
    XPL_BODY_SMALL,  /* limits.body_bytes */
    XPL_BODY_TASKS,  /* limits.tasks_body_bytes */
    XPL_BODY_RECORDS /* limits.records_body_bytes */
};

struct xpl_route {
    enum xpl_method method;
    const char *path;      /* template: /v2/subscriptions/{subscription_id} */
    const char *operation; /* operationId of openapi.yaml */
    enum xpl_role role;
    enum xpl_body_limit body_limit;
    bool blocking; /* runs on the api pool: it parses a lot, draws, or calls other servers */
    enum xpl_answered (*handle)(struct xpl_call *call);
};

/** All routes; `*ret_count` of them. */
const struct xpl_route *xpl_routes(size_t *ret_count);

#endif
