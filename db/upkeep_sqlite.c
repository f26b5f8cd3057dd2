/* SPDX-License-Identifier: Apache-2.0 */
/* Backups and sizes on SQLite. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/backup.h"
#include "db/sqlite_error.h"
#include "db/upkeep.h"

#define MAX_PATH     4096
#define SAFE_VERSION 3051003

const char *xpl_db_version(void)
{
    return sqlite3_libversion();
}

const char *xpl_db_warning(void)
{
    if (sqlite3_libversion_number() >= SAFE_VERSION)
        return NULL;
    return "this SQLite is older than 3.51.3; the database must not be written by any other program while the daemon "
           "runs";
}

enum xpl_status xpl_used_bytes(struct xpl_db *db, int64_t *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT (page_count - freelist_count) * page_size"
                             " FROM pragma_page_count, pragma_freelist_count, pragma_page_size");

    return xpl_fetch_int(query, ret, err);
}

/* ---- backup ---- */

static void close_handle(sqlite3 **handle)
{
    sqlite3_close(*handle);
}
#define AUTO_HANDLE __attribute__((cleanup(close_handle))) sqlite3 *

static enum xpl_status failed(sqlite3 *handle, const char *path, int rc, struct xpl_error *err)
{
    struct xpl_error inner = {0};
    enum xpl_status st = xpl_sqlite_failed(handle, rc, &inner);

    return xpl_fail(err, st, "%.200s: %s", path, inner.message);
}

static enum xpl_status system_failed(const char *path, struct xpl_error *err)
{
    return xpl_fail(err, errno == ENOSPC ? XPL_STORAGE_FULL : XPL_STORAGE_FAILED, "%.200s: %s", path, strerror(errno));
}

static enum xpl_status open_handle(const char *path, const char *setup, sqlite3 **ret, struct xpl_error *err)
{
    int rc = sqlite3_open_v2(path, ret, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(*ret, 5000);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(*ret, setup, NULL, NULL, NULL);
    return rc == SQLITE_OK ? XPL_OK : failed(*ret, path, rc, err);
}

bool xpl_db_is_damaged(const char *path)
{
    AUTO_HANDLE handle = NULL;
    int rc = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_exec(handle, "SELECT 1 FROM sqlite_schema WHERE rowid = 1", NULL, NULL, NULL);
    return (rc & 0xff) == SQLITE_CORRUPT;
}

struct copying {
    const char *path, *temporary;
    bool damaged;
    char verdict[256];
};

/* Damage is told of the file that was read, whichever connection found it; all else of the one that is written. */
static enum xpl_status copy_failed(struct copying *copying, sqlite3 *to, int rc, struct xpl_error *err)
{
    bool of_content = (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;

    copying->damaged = (rc & 0xff) == SQLITE_CORRUPT;
    return failed(to, of_content ? copying->path : copying->temporary, rc, err);
}

/* All pages in one step: within one read transaction, so that writes of a daemon meanwhile do not start it anew. */
static enum xpl_status copy_pages(sqlite3 *from, sqlite3 *to, struct copying *copying, struct xpl_error *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    int rc;

    if (!backup)
        return copy_failed(copying, to, sqlite3_errcode(to), err);
    sqlite3_backup_step(backup, -1);
    rc = sqlite3_backup_finish(backup);
    return rc == SQLITE_OK ? XPL_OK : copy_failed(copying, to, rc, err);
}

static int take_verdict(void *context, int n_columns, char **values, char **names)
{
    struct copying *copying = context;

    (void)n_columns, (void)names;
    snprintf(copying->verdict, sizeof copying->verdict, "%s", values[0] ? values[0] : "");
    return 0;
}

/* A copy is one file: without the WAL of the original. */
static enum xpl_status finish_copy(sqlite3 *to, struct copying *copying, struct xpl_error *err)
{
    int rc = sqlite3_exec(to, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_exec(to, "PRAGMA integrity_check(1)", take_verdict, copying, NULL);
    if (rc != SQLITE_OK)
        return copy_failed(copying, to, rc, err);
    if (strcmp(copying->verdict, "ok") == 0)
        return XPL_OK;
    copying->damaged = true;
    return xpl_fail(err, XPL_STORAGE_FAILED, "%.200s: its copy is damaged, and so it probably is itself (%.200s)",
                    copying->path, copying->verdict);
}

static enum xpl_status make_copy(struct copying *copying, struct xpl_error *err)
{
    AUTO_HANDLE from = NULL;
    AUTO_HANDLE to = NULL;
    enum xpl_status st;

    if ((st = open_handle(copying->path, "PRAGMA query_only=ON; PRAGMA mmap_size=0", &from, err)) ||
        (st = open_handle(copying->temporary, "PRAGMA synchronous=OFF", &to, err)))
        return st;
    /* `from` may be the last connection to close, and must not checkpoint then */
    sqlite3_db_config(from, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if ((st = copy_pages(from, to, copying, err)))
        return st;
    return finish_copy(to, copying, err);
}

static enum xpl_status sync_path(const char *path, int flags, struct xpl_error *err)
{
    int fd = open(path, flags | O_CLOEXEC), rc = fd < 0 ? -1 : fsync(fd);
    enum xpl_status st = rc == 0 ? XPL_OK : system_failed(path, err);

    if (fd >= 0)
        close(fd);
    return st;
}

/* link, not rename: it fails when somebody was quicker. */
static enum xpl_status publish(const char *temporary, const char *copy, int64_t *ret_bytes, struct xpl_error *err)
{
    char directory[MAX_PATH];
    struct stat info;
    enum xpl_status st;

    if ((st = sync_path(temporary, O_RDONLY, err)))
        return st;
    if (stat(temporary, &info) != 0)
        return system_failed(temporary, err);
    if (link(temporary, copy) != 0)
        return errno == EEXIST ? xpl_fail(err, XPL_CONFLICT, "%.200s exists already", copy) : system_failed(copy, err);
    *ret_bytes = (int64_t)info.st_size;
    snprintf(directory, sizeof directory, "%s", copy);
    return sync_path(dirname(directory), O_RDONLY | O_DIRECTORY, err);
}

enum xpl_status xpl_db_backup(const char *path, const char *copy, int64_t *ret_bytes, bool *ret_damaged,
                              struct xpl_error *err)
{
    char temporary[MAX_PATH];
    struct copying copying = {.path = path, .temporary = temporary};
    enum xpl_status st;
    int fd;

    *ret_damaged = false;
    if (access(copy, F_OK) == 0)
        return xpl_fail(err, XPL_CONFLICT, "%.200s exists already", copy);
    if (snprintf(temporary, sizeof temporary, "%s.%ld.part", copy, (long)getpid()) >= (int)sizeof temporary)
        return xpl_fail(err, XPL_BAD_FIELD, "the name of the file is too long");
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return system_failed(temporary, err);
    close(fd);
    st = make_copy(&copying, err);
    *ret_damaged = copying.damaged;
    if (!st)
        st = publish(temporary, copy, ret_bytes, err);
    unlink(temporary);
    return st;
}

enum xpl_status xpl_db_undo_in_memory(struct xpl_db *db, bool in_memory, struct xpl_error *err)
{
    return xpl_db_exec(db, in_memory ? "PRAGMA temp_store=MEMORY" : "PRAGMA temp_store=FILE", err);
}
