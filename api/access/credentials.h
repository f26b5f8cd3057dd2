/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking passwords: what was verified in the last minute is known at once, and who fails too often waits.
 *
 * Wrong passwords are counted for a name from one client address, so that nobody can lock out another: some at once,
 * and then as many a minute. Memory is bounded; the oldest entries go first. All functions may be called from any
 * thread.
 */
#ifndef XPL_API_CREDENTIALS_H
#define XPL_API_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "db/users.h"
#include "lib/base/status.h"

struct xpl_credentials;

/** `failures` wrong passwords a minute are allowed. */
enum xpl_status xpl_credentials_new(int64_t failures, struct xpl_credentials **ret, struct xpl_error *err);
void xpl_credentials_free(struct xpl_credentials *credentials);

/** Whether this password of this user was verified within the last 60 s and is still the user's. Quick. */
bool xpl_credentials_known(struct xpl_credentials *credentials, const struct xpl_user *user, const char *password);

/**
 * Verifies a password: slow (lib/base/password.h). `user` NULL = there is none of that name, which takes as long.
 * XPL_UNAUTHORIZED when it is wrong; XPL_TOO_MANY after too many wrong ones for `name` from `client`.
 */
enum xpl_status xpl_credentials_verify(struct xpl_credentials *credentials, const char *name, const char *client,
                                       const struct xpl_user *user, const char *password, struct xpl_error *err);

#endif
