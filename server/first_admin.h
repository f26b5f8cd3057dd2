/* SPDX-License-Identifier: Apache-2.0 */
/* The user admin, made when there are no users yet. */
#ifndef XPL_SERVER_FIRST_ADMIN_H
#define XPL_SERVER_FIRST_ADMIN_H

#include "api/app.h"
#include "server/data_dir.h"

/**
 * Its password is that of auth.admin_password_file, else a random one, left in the file admin-password of the data
 * directory. The writer must run. XPL_BAD_FIELD when the configured file does not hold a password.
 */
enum xpl_status xpl_first_admin(struct xpl_app *app, struct xpl_arena *arena, const struct xpl_data_dir *dir,
                                struct xpl_error *err);

#endif
