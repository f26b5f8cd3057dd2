/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who makes a call, and whether they may.
 *
 * Authorization is a Bearer token, ZenApiKey base64(user:key), or Basic. The caller's row tells role and data mart; the
 * route table tells the role that is needed.
 */
#ifndef XPL_API_AUTH_H
#define XPL_API_AUTH_H

#include "api/call.h"
#include "db/users.h"

/** A name and what proves it. */
struct xpl_login {
    const char *name, *secret;
};

/** The credentials of "Authorization: Basic ...". XPL_UNAUTHORIZED when there are none. */
enum xpl_status xpl_login_basic(struct xpl_call *call, struct xpl_login *ret, struct xpl_error *err);

/** Verifies a password; slow unless it was verified just now. XPL_UNAUTHORIZED, XPL_TOO_MANY. */
enum xpl_status xpl_login_password(struct xpl_call *call, const struct xpl_login *login, struct xpl_user *ret,
                                   struct xpl_error *err);

/** Finds the owner of an API key, who must be `login->name` unless that is NULL. XPL_UNAUTHORIZED. */
enum xpl_status xpl_login_key(struct xpl_call *call, const struct xpl_login *login, struct xpl_user *ret,
                              struct xpl_error *err);

/** A new API key (43 characters), and the hash of one. */
const char *xpl_api_key_make(struct xpl_arena *arena);
void xpl_api_key_hash(const char *key, uint8_t ret_hash[XPL_HASH_BYTES]);

#endif
