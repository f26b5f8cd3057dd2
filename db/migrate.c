/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schema versions. Migrations are append-only files in db/migrations; number n takes the schema from n-1 to n, in one
 * transaction with the bookkeeping. A schema newer than this program knows is refused.
 */
#include "db/db.h"

#include "lib/base/time.h"

extern const char xpl_migration_0001[];
extern const char xpl_migration_0002[];
extern const char xpl_migration_0003[];
extern const char xpl_migration_0004[];
extern const char xpl_migration_0005[];
extern const char xpl_migration_0006[];
extern const char xpl_migration_0007[];
extern const char xpl_migration_0008[];
extern const char xpl_migration_0009[];
extern const char xpl_migration_0010[];

static const char *const migrations[] = {xpl_migration_0001, xpl_migration_0002, xpl_migration_0003,
                                         xpl_migration_0004, xpl_migration_0005, xpl_migration_0006,
                                         xpl_migration_0007, xpl_migration_0008, xpl_migration_0009,
                                         xpl_migration_0010};

#define N_MIGRATIONS ((int64_t)(sizeof migrations / sizeof *migrations))

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
    if ((st = xpl_db_exec(db, migrations[version - 1], err)) || (st = record_version(db, version, err)) ||
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
    if (version > N_MIGRATIONS)
        return xpl_fail(err, XPL_STORAGE_FAILED,
                        "the database has schema version %lld, this program knows versions up to %lld: "
                        "use the newer program that wrote it",
                        (long long)version, (long long)N_MIGRATIONS);
    while (version < N_MIGRATIONS)
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
    if (version != N_MIGRATIONS)
        return xpl_fail(err, XPL_STORAGE_FAILED,
                        "the database has schema version %lld, this program works on version %lld; explaind serve"
                        " brings an older one up to date",
                        (long long)version, (long long)N_MIGRATIONS);
    return XPL_OK;
}
