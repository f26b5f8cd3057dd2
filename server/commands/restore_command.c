/* SPDX-License-Identifier: Apache-2.0 */
/* The way back of a backup: copied beside its place, brought up to date, checked, and only then put there. */
#include "server/commands/restore_command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "api/configuration/service_providers.h"
#include "api/configuration/subscriptions.h"
#include "db/backup.h"
#include "db/fsck.h"
#include "db/resources.h"
#include "server/data_dir.h"

#define ARENA_BYTES ((size_t)256 << 20)

static int fail(const struct xpl_error *err, int code)
{
    fprintf(stderr, "explaind: %s%s%s\n", err->field, *err->field ? ": " : "", err->message);
    return code;
}

/* ---- whether it could be served ---- */

static void print_problem(void *context, const char *check, int64_t n_problems, const char *examples)
{
    (void)context;
    if (n_problems > 0)
        printf("BAD  %s: %lld (%s)\n", check, (long long)n_problems, examples);
}

static enum xpl_status bring_up_to_date(const char *path, struct xpl_error *err)
{
    XPL_AUTO(xpl_db) db = NULL;
    enum xpl_status st = xpl_db_open(path, XPL_DB_WRITER, &db, err);

    return st ? st : xpl_db_migrate(db, err);
}

struct opening {
    struct xpl_app app; /* its key alone is used */
    struct xpl_db *db;
    struct xpl_arena *arena;
};

typedef enum xpl_status (*load_fn)(struct xpl_app *app, struct xpl_db *db, struct xpl_arena *arena,
                                   const char *data_mart_id, const char *id, json_t **ret, struct xpl_error *err);

static enum xpl_status open_secrets(struct opening *o, const struct xpl_resource_kind *kind, load_fn load,
                                    const char *data_mart_id, struct xpl_error *err)
{
    const struct xpl_resource_filter all = {0};
    struct xpl_resource *found;
    enum xpl_status st;
    size_t n;

    st = xpl_resource_list(o->db, o->arena, kind, data_mart_id, &all, &found, &n, err);
    for (size_t i = 0; !st && i < n; i++) {
        XPL_AUTO_JSON entity = NULL;

        st = load(&o->app, o->db, o->arena, data_mart_id, found[i].id, &entity, err);
    }
    return st;
}

/* Credentials that the key of the directory does not open would make every explanation fail. */
static enum xpl_status check_keys(const char *path, const struct xpl_data_dir *dir, struct xpl_error *err)
{
    XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);
    XPL_AUTO(xpl_db) db = NULL;
    struct opening o = {.arena = arena};
    struct xpl_error inner = {0};
    const char **data_marts;
    enum xpl_status st;
    size_t n;

    if (!arena)
        return xpl_no_memory(err);
    memcpy(o.app.secrets_key, dir->secrets_key, sizeof o.app.secrets_key);
    if ((st = xpl_db_open(path, XPL_DB_READER, &db, err)) ||
        (st = xpl_data_marts_in_use(db, arena, &data_marts, &n, err)))
        return st;
    o.db = db;
    for (size_t i = 0; !st && i < n; i++)
        if ((st = open_secrets(&o, &xpl_kind_service_provider, xpl_provider_load, data_marts[i], &inner)) == XPL_OK)
            st = open_secrets(&o, &xpl_kind_subscription, xpl_subscription_load, data_marts[i], &inner);
    return st ? xpl_fail(err, XPL_STORAGE_FAILED,
                         "secrets.key in %.200s does not open the credentials in the backup (%.200s): put the one there"
                         " that belongs to it",
                         dir->path, inner.message)
              : XPL_OK;
}

/* 0 = it is sound, else the exit status. */
static int check(const char *path, const struct xpl_data_dir *dir)
{
    struct xpl_error err = {0};
    int64_t problems = 0;

    if (bring_up_to_date(path, &err) || xpl_fsck(path, print_problem, NULL, &problems, &err))
        return fail(&err, EX_DATAERR);
    if (problems > 0) {
        printf("%lld problem%s\n", (long long)problems, problems == 1 ? "" : "s");
        return 1;
    }
    return check_keys(path, dir, &err) ? fail(&err, EX_DATAERR) : 0;
}

/* ---- its place ---- */

static bool is_there(struct xpl_arena *arena, const char *path, const char *suffix)
{
    const char *name = xpl_arena_printf(arena, "%s%s", path, suffix);

    return !name || access(name, F_OK) == 0;
}

static void remove_copy(struct xpl_arena *arena, const char *copy)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        const char *name = xpl_arena_printf(arena, "%s%s", copy, suffixes[i]);

        if (name)
            unlink(name);
    }
}

/* link, not rename: it fails when a database is there. */
static int put_in_place(const char *copy, const char *database)
{
    if (link(copy, database) == 0)
        return EX_OK;
    fprintf(stderr, "explaind: %s: %s\n", database, strerror(errno));
    return errno == EEXIST ? EX_CANTCREAT : EX_IOERR;
}

static int restore(struct xpl_arena *arena, const struct xpl_data_dir *dir, const char *backup, bool verify_only)
{
    const char *copy = xpl_arena_printf(arena, "%s.restoring", dir->database);
    struct xpl_error err = {0};
    int64_t bytes;
    int code;

    if (!copy)
        return EX_OSERR;
    if (!verify_only && (is_there(arena, dir->database, "") || is_there(arena, dir->database, "-wal"))) {
        fprintf(stderr, "explaind: there is a database in %s: move it away first, with its -wal and -shm\n", dir->path);
        return EX_CANTCREAT;
    }
    remove_copy(arena, copy); /* of a restoring that was interrupted */
    if (xpl_db_backup(backup, copy, &bytes, &err))
        return fail(&err, err.status == XPL_STORAGE_FULL ? EX_IOERR : EX_DATAERR);
    code = check(copy, dir);
    if (code == 0 && !verify_only)
        code = put_in_place(copy, dir->database);
    remove_copy(arena, copy);
    if (code == 0)
        printf("%s: %lld bytes, %s\n", backup, (long long)bytes,
               verify_only ? "sound, and can be restored" : "checked and restored");
    return code;
}

int xpl_restore_command(struct xpl_arena *arena, const char *data_dir, const char *backup, bool verify_only)
{
    struct xpl_data_dir dir = {.lock_fd = -1};
    struct xpl_error err = {0};
    int code;

    if (access(backup, R_OK) != 0) {
        fprintf(stderr, "explaind: %s: %s\n", backup, strerror(errno));
        return EX_NOINPUT;
    }
    if (xpl_data_dir_open(arena, data_dir, &dir, &err)) {
        xpl_data_dir_close(&dir);
        return fail(&err, EX_CONFIG);
    }
    code = restore(arena, &dir, backup, verify_only);
    xpl_data_dir_close(&dir);
    return code;
}
