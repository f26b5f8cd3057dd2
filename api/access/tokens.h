/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens of the login routes: JWTs (RFC 7519) signed with HMAC-SHA-256 by the key of the data directory.
 *
 * IBM's SDKs decode them and want numeric `iat` and `exp`. What a token allows is not taken from it but from its user's
 * row, so that a changed role holds at once.
 */
#ifndef XPL_API_TOKENS_H
#define XPL_API_TOKENS_H

#include "api/app.h"
#include "db/users.h"
#include "lib/base/arena.h"

#define XPL_TOKEN_SECONDS (12 * 3600)

/** What is needed of a verified token. */
struct xpl_token {
    const char *id, *user_name, *epoch;
    int64_t expires_at_s; /* seconds since 1970 */
};

/** A new token of `user`; NULL without memory. */
const char *xpl_token_make(const struct xpl_app *app, struct xpl_arena *arena, const struct xpl_user *user,
                           int64_t now_s);

/** Checks signature and time: XPL_UNAUTHORIZED says what is wrong. */
enum xpl_status xpl_token_read(const struct xpl_app *app, struct xpl_arena *arena, const char *text, int64_t now_s,
                               struct xpl_token *ret, struct xpl_error *err);

#endif
