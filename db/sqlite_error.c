/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sqlite_error.h"

#include <errno.h>
#include <stdbool.h>

static bool is_duplicate(int rc)
{
    return rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY || rc == SQLITE_CONSTRAINT_ROWID;
}

/* No room: on the disk, in a quota, for a file of that size, or on a file system that became read-only. */
static bool is_full(int system_error)
{
    return system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG || system_error == EROFS;
}

/* A full disk shows as SQLITE_FULL where pages are written, as an I/O error where the WAL or its index grows. */
static enum xpl_status status_of(sqlite3 *handle, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
    case SQLITE_READONLY:
        return XPL_STORAGE_FULL;
    case SQLITE_IOERR:
        /* SQLite keeps the system's reason for some failures only; errno still has that of a write to the WAL */
        return is_full(errno) || (handle && is_full(sqlite3_system_errno(handle))) ? XPL_STORAGE_FULL
                                                                                   : XPL_STORAGE_FAILED;
    case SQLITE_CONSTRAINT:
        return is_duplicate(rc) ? XPL_CONFLICT : XPL_INTERNAL;
    case SQLITE_BUSY:
        return XPL_OVERLOADED;
    case SQLITE_NOMEM:
        return XPL_NO_MEMORY;
    default:
        return XPL_STORAGE_FAILED;
    }
}

enum xpl_status xpl_sqlite_failed(sqlite3 *handle, int rc, struct xpl_error *err)
{
    enum xpl_status st = status_of(handle, rc);
    const char *reason = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(rc);

    if (st == XPL_CONFLICT) /* a client reads this: no names of tables */
        return xpl_fail(err, st, "there is one with the same id already");
    if (st == XPL_STORAGE_FULL)
        return xpl_fail(
            err, st,
            "the storage is full or read-only (%s): nothing can be written, not even that something is deleted",
            reason);
    return xpl_fail(err, st, "storage: %s", reason);
}
