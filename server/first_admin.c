/* SPDX-License-Identifier: Apache-2.0 */
#include "server/first_admin.h"

#include <string.h>

#include "api/access/users.h"
#include "lib/base/log.h"

#define RANDOM_BYTES 18 /* 24 characters */
#define MIN_PASSWORD 8

static enum xpl_status count_users(struct xpl_db *db, void *ret, struct xpl_error *err)
{
    return xpl_user_count(db, ret, err);
}

static enum xpl_status insert_user(struct xpl_db *db, void *user, struct xpl_error *err)
{
    return xpl_user_insert(db, user, err);
}

static enum xpl_status read_password(struct xpl_arena *arena, const char *path, const char **ret, struct xpl_error *err)
{
    char *text = xpl_read_file(arena, path);

    if (!text)
        return xpl_fail_field(err, XPL_BAD_FIELD, "auth.admin_password_file", "%.200s cannot be read", path);
    text[strcspn(text, "\r\n")] = '\0';
    if (strlen(text) < MIN_PASSWORD)
        return xpl_fail_field(err, XPL_BAD_FIELD, "auth.admin_password_file",
                              "the first line of %.200s must be a password of at least %d bytes", path, MIN_PASSWORD);
    *ret = text;
    return XPL_OK;
}

/* The file is there before the user is: a crash between the two leaves a password that is replaced. */
static enum xpl_status leave_random_password(struct xpl_arena *arena, const struct xpl_data_dir *dir,
                                             const char **ret_password, const char **ret_path, struct xpl_error *err)
{
    uint8_t bytes[RANDOM_BYTES];
    const char *line;

    xpl_random(bytes, sizeof bytes);
    *ret_password = xpl_base64url(arena, bytes, sizeof bytes);
    *ret_path = xpl_arena_printf(arena, "%s/admin-password", dir->path);
    line = *ret_password ? xpl_arena_printf(arena, "%s\n", *ret_password) : NULL;
    if (!line || !*ret_path)
        return xpl_no_memory(err);
    return xpl_write_private(arena, *ret_path, 0600, line, strlen(line), err);
}

enum xpl_status xpl_first_admin(struct xpl_app *app, struct xpl_arena *arena, const struct xpl_data_dir *dir,
                                struct xpl_error *err)
{
    const char *configured = app->settings.auth_admin_password_file, *path = configured, *password = "";
    struct xpl_user admin;
    enum xpl_status st;
    int64_t n = 0;

    if ((st = xpl_writer_run(app->writer, count_users, &n, 0, err)) || n)
        return st;
    st = *configured ? read_password(arena, configured, &password, err)
                     : leave_random_password(arena, dir, &password, &path, err);
    if (st ||
        (st = xpl_user_make(arena, "admin", password, "admin", XPL_DEFAULT_INSTANCE, "(first start)", &admin, err)) ||
        (st = xpl_writer_run(app->writer, insert_user, &admin, 0, err)))
        return st;
    xpl_log(XPL_LOG_INFO, "first administrator", "user", "admin", "password_file", path, NULL);
    return XPL_OK;
}
