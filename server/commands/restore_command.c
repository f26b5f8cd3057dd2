/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way back of a backup: copied beside its place (or, to find out only, where files may be made for a while),
 * brought up to date, checked, and only then put there. No key is ever made here: a new one would open nothing.
 */
#include "server/commands/restore_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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
#define UNSOUND     1 /* the exit status of fsck, too */

struct restoring {
    struct xpl_data_dir dir;
    bool has_key; /* dir.secrets_key was read */
    const char *backup, *copy;
};

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

static enum xpl_status wrong_key(const struct restoring *r, const struct xpl_error *inner, struct xpl_error *err)
{
    if (!r->has_key)
        return xpl_fail(err, XPL_STORAGE_FAILED,
                        "there is no secrets.key in %.200s, and the backup holds credentials: copy the one of the"
                        " daemon that was backed up there",
                        r->dir.path);
    return xpl_fail(err, XPL_STORAGE_FAILED,
                    "secrets.key in %.200s does not open the credentials in the backup (%.200s): put the one there"
                    " that belongs to it",
                    r->dir.path, inner->message);
}

/* Credentials that the key of the directory does not open would make every explanation fail. */
static enum xpl_status check_keys(const struct restoring *r, struct xpl_error *err)
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
    memcpy(o.app.secrets_key, r->dir.secrets_key, sizeof o.app.secrets_key);
    if ((st = xpl_db_open(r->copy, XPL_DB_READER, &db, err)) ||
        (st = xpl_data_marts_in_use(db, arena, &data_marts, &n, err)))
        return st;
    o.db = db;
    for (size_t i = 0; !st && i < n; i++)
        if ((st = open_secrets(&o, &xpl_kind_service_provider, xpl_provider_load, data_marts[i], &inner)) == XPL_OK)
            st = open_secrets(&o, &xpl_kind_subscription, xpl_subscription_load, data_marts[i], &inner);
    return st ? wrong_key(r, &inner, err) : XPL_OK;
}

/* What is wrong with the copy is wrong with the backup, unless there is no room for it. */
static int fail_backup(const struct restoring *r, const struct xpl_error *err)
{
    bool full = err->status == XPL_STORAGE_FULL;

    fprintf(stderr, "explaind: %s: %s\n", full ? r->copy : r->backup, err->message);
    return full ? EX_IOERR : EX_DATAERR;
}

/* 0 = it is sound, else the exit status. */
static int check(const struct restoring *r)
{
    struct xpl_error err = {0};
    int64_t problems = 0;

    if (bring_up_to_date(r->copy, &err) || xpl_fsck(r->copy, print_problem, NULL, &problems, &err))
        return fail_backup(r, &err);
    if (problems > 0) {
        printf("%s: %lld problem%s\n", r->backup, (long long)problems, problems == 1 ? "" : "s");
        return UNSOUND;
    }
    return check_keys(r, &err) ? fail_backup(r, &err) : 0;
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

/* Copies and checks it; 0 = it can be put in its place. */
static int copy_and_check(struct xpl_arena *arena, const struct restoring *r, int64_t *ret_bytes)
{
    struct xpl_error err = {0};
    bool damaged;

    remove_copy(arena, r->copy); /* of a restoring that was interrupted */
    if (xpl_db_backup(r->backup, r->copy, ret_bytes, &damaged, &err))
        return fail(&err, damaged ? UNSOUND : err.status == XPL_STORAGE_FULL ? EX_IOERR : EX_DATAERR);
    return check(r);
}

static enum xpl_status lock_and_read_key(struct xpl_arena *arena, const char *data_dir, struct restoring *ret,
                                         struct xpl_error *err)
{
    enum xpl_status st;

    if ((st = xpl_data_dir_lock(arena, data_dir, &ret->dir, err)) ||
        (st = xpl_data_dir_read_secrets_key(arena, &ret->dir, &ret->has_key, err)))
        return st;
    ret->copy = xpl_arena_printf(arena, "%s.restoring", ret->dir.database);
    return ret->copy ? XPL_OK : xpl_no_memory(err);
}

static int restore(struct xpl_arena *arena, const char *data_dir, struct restoring *r)
{
    struct xpl_error err = {0};
    int64_t bytes;
    int code;

    if (lock_and_read_key(arena, data_dir, r, &err))
        return fail(&err, EX_CONFIG);
    if (is_there(arena, r->dir.database, "") || is_there(arena, r->dir.database, "-wal")) {
        fprintf(stderr, "explaind: there is a database in %s: move it away first, with its -wal and -shm\n",
                r->dir.path);
        return EX_CANTCREAT;
    }
    code = copy_and_check(arena, r, &bytes);
    if (code == 0)
        code = put_in_place(r->copy, r->dir.database);
    remove_copy(arena, r->copy);
    if (code == 0)
        printf("%s: %lld bytes, checked and restored\n", r->backup, (long long)bytes);
    return code;
}

/* ---- finding out only ---- */

static int verify_in(struct xpl_arena *arena, const char *folder, struct restoring *r)
{
    int64_t bytes;
    int code;

    r->copy = xpl_arena_printf(arena, "%s/explaind.db", folder);
    if (!r->copy)
        return EX_OSERR;
    code = copy_and_check(arena, r, &bytes);
    remove_copy(arena, r->copy);
    if (code == 0)
        printf("%s: %lld bytes, sound, and can be restored\n", r->backup, (long long)bytes);
    return code;
}

/* The directory stays as it is, and may be that of a running daemon, or one that cannot be written. */
static int verify(struct xpl_arena *arena, const char *data_dir, struct restoring *r)
{
    const char *base = getenv("TMPDIR");
    char *folder = xpl_arena_printf(arena, "%s/explaind-verify-XXXXXX", base && *base ? base : "/var/tmp");
    struct xpl_error err = {0};
    int code;

    if (xpl_data_dir_name(arena, data_dir, &r->dir, &err) ||
        xpl_data_dir_read_secrets_key(arena, &r->dir, &r->has_key, &err))
        return fail(&err, EX_CONFIG);
    if (!folder)
        return EX_OSERR;
    if (!mkdtemp(folder)) {
        fprintf(stderr, "explaind: %s: %s; TMPDIR may name a directory with room for a copy of the backup\n", folder,
                strerror(errno));
        return EX_CANTCREAT;
    }
    code = verify_in(arena, folder, r);
    rmdir(folder);
    return code;
}

int xpl_restore_command(struct xpl_arena *arena, const char *data_dir, const char *backup, bool verify_only)
{
    struct restoring r = {.dir.lock_fd = -1, .backup = backup};
    int code;

    if (access(backup, R_OK) != 0) {
        fprintf(stderr, "explaind: %s: %s\n", backup, strerror(errno));
        return EX_NOINPUT;
    }
    code = verify_only ? verify(arena, data_dir, &r) : restore(arena, data_dir, &r);
    xpl_data_dir_close(&r.dir);
    return code;
}
