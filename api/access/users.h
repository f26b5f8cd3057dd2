/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XPL_API_USERS_H
#define XPL_API_USERS_H

#include "db/users.h"

/** A new user's row; slow (it hashes the password). Name, role and data mart are not checked here. */
enum xpl_status xpl_user_make(struct xpl_arena *arena, const char *name, const char *password, const char *role,
                              const char *data_mart_id, const char *created_by, struct xpl_user *ret,
                              struct xpl_error *err);

#endif
