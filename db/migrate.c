/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schema versions. Migrations are append-only files in db/migrations; number n takes the schema from n-1 to n, in one
 * transaction with the bookkeeping. A schema newer than this program knows is refused.
 */
#include "db/db.h"

#include "lib/base/time.h"

extern const char *const xpl_migrations[]; /* made by CMakeLists.txt of migrations/; NULL ends it */

static int64_t count_migrations(void)
{
    int64_t n = 0;

    while (xpl_migrations[n])
        n++;
    return n;
}

static enum xpl_status current_version(struct xpl_db *db, int64_t *ret, struct xpl_error *err)
{
    static const char table[] = "CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY,"
                                " applied_at INTEGER NOT NULL)";
    enum xpl_status st = xpl_db_exec(db, table, err);

    if (st)
        return st;
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, "SELECT COALESCE(MAX(version), 0) FROM schema_versions");
    return xpl_fetch_int(query, ret, err);
}

static enum xpl_status record_version(struct xpl_db *db, int64_t version, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) insert = xpl_db_query(db, "INSERT INTO schema_versions (version, applied_at) VALUES (?, ?)");

    xpl_bind_int(insert, version);
    xpl_bind_int(insert, xpl_now_us());
    return xpl_run(insert, NULL, err);
}

static enum xpl_status apply(struct xpl_db *db, int64_t version, struct xpl_error *err)
{
    enum xpl_status st;

    if ((st = xpl_db_exec(db, "BEGIN IMMEDIATE", err)))
        return st;
    if ((st = xpl_db_exec(db, xpl_migrations[version - 1], err)) || (st = record_version(db, version, err)) ||
        (st = xpl_db_exec(db, "COMMIT", err)))
        xpl_db_exec(db, "ROLLBACK", NULL);
    return st;
}

enum xpl_status xpl_db_migrate(struct xpl_db *db, struct xpl_error *err)
{
    int64_t version;
    enum xpl_status st = current_version(db, &version, err);

    if (st)
        return st;
    if (version > count_migrations())
        return xpl_fail(err, XPL_STORAGE_FAILED,
                        "the database has schema version %lld, this program knows versions up to %lld: "
                        "use the newer program that wrote it",
                        (long long)version, (long long)count_migrations());
    while (version < count_migrations())
        if ((st = apply(db, ++version, err)))
            return st;
    return XPL_OK;
}

enum xpl_status xpl_db_check_version(struct xpl_db *db, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, "SELECT COALESCE(MAX(version), 0) FROM schema_versions");
    struct xpl_error inner = {0};
    int64_t version;

    if (xpl_fetch_int(query, &version, &inner))
        return xpl_fail(err, XPL_STORAGE_FAILED, "not a database of explaind (%s)", inner.message);
    if (version != count_migrations())
        return xpl_fail(err, XPL_STORAGE_FAILED,
                        "the database has schema version %lld, this program works on version %lld; explaind serve"
                        " brings an older one up to date",
                        (long long)version, (long long)count_migrations());
    return XPL_OK;
}
