/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.h on SQLite. The writer's connection runs in WAL mode with synchronous=FULL and does every checkpoint; readers are
 * query only and never checkpoint (SQLite before 3.51.3 can corrupt a WAL when two connections write or checkpoint at
 * once).
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "db/sqlite_error.h"
#include "db/sqlite_row.h"
#include "lib/base/cleanup.h"

#define MAX_CACHED      128
#define SAVEPOINT_BYTES 0x1ffff /* SQLite moves it to a file in one piece, and writes no larger ones at once */

struct xpl_stmt {
    struct xpl_db *db;
    const char *sql; /* key of the cache; NULL = used once */
    char *built;     /* the same, when the cache owns the text */
    sqlite3_stmt *handle;
    int n_bound;
    int rc; /* first error of compiling and binding */
    bool busy;
};

struct xpl_db {
    sqlite3 *handle;
    struct xpl_stmt cache[MAX_CACHED];
    size_t n_cached;
    const char *first; /* is to run before the first statement; NULL = nothing */
    xpl_row_changed_fn changed;
    void *changed_context;
};

static enum xpl_status failed(struct xpl_db *db, int rc, struct xpl_error *err)
{
    return xpl_sqlite_failed(db->handle, rc, err);
}

/* Counting memory takes a lock that all connections share, for every allocation. What a savepoint could roll back is
 * kept in memory, which spares the writes of usual requests a temporary file each.
 */
void xpl_db_start(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, SAVEPOINT_BYTES);
}

/* Some file systems cannot share memory; then SQLite silently keeps the rollback journal, and readers block the writer.
 */
static enum xpl_status require_wal(struct xpl_db *db, struct xpl_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db->handle, "PRAGMA journal_mode=WAL", -1, &stmt, NULL);
    bool wal;

    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    wal = rc == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(stmt, 0), "wal") == 0;
    sqlite3_finalize(stmt);
    if (rc != SQLITE_ROW)
        return failed(db, rc, err);
    return wal ? XPL_OK : xpl_fail(err, XPL_STORAGE_FAILED, "storage: this file system does not support WAL");
}

static enum xpl_status set_up(struct xpl_db *db, enum xpl_db_mode mode, struct xpl_error *err)
{
    static const char writer_setup[] = "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA mmap_size=0;"
                                       "PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864;"
                                       "PRAGMA cache_size=-16384;";
    static const char reader_setup[] = "PRAGMA query_only=ON; PRAGMA wal_autocheckpoint=0; PRAGMA mmap_size=0;";
    enum xpl_status st;

    if (mode == XPL_DB_READER) {
        /* the last connection to close checkpoints otherwise */
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        /* reads the whole schema, which a reader that is not used yet need not */
        db->first = "PRAGMA cache_size=-8192";
        return xpl_db_exec(db, reader_setup, err);
    }
    if ((st = require_wal(db, err)))
        return st;
    return xpl_db_exec(db, writer_setup, err);
}

/* What does not fit into memory, of a sort or of what may have to be undone: a container may have no other place that
 * can be written. The one connection of a process that writes is opened before those that read. */
static void keep_temporary_files_beside(const char *path)
{
    const char *slash = strrchr(path, '/');

    sqlite3_free(sqlite3_temp_directory);
    sqlite3_temp_directory = slash ? sqlite3_mprintf("%.*s", (int)(slash - path) + 1, path) : NULL;
}

enum xpl_status xpl_db_open(const char *path, enum xpl_db_mode mode, struct xpl_db **ret, struct xpl_error *err)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | (mode == XPL_DB_WRITER ? SQLITE_OPEN_CREATE : 0);
    XPL_AUTO(xpl_db) db = calloc(1, sizeof *db);
    enum xpl_status st;
    int rc;

    if (!db)
        return xpl_no_memory(err);
    if (mode == XPL_DB_WRITER)
        keep_temporary_files_beside(path);
    if ((rc = sqlite3_open_v2(path, &db->handle, flags, NULL)) != SQLITE_OK)
        return failed(db, rc, err);
    sqlite3_busy_timeout(db->handle, 5000);
    sqlite3_extended_result_codes(db->handle, 1);
    if ((st = set_up(db, mode, err)))
        return st;
    *ret = db;
    db = NULL;
    return XPL_OK;
}

void xpl_db_close(struct xpl_db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < db->n_cached; i++) {
        sqlite3_finalize(db->cache[i].handle);
        free(db->cache[i].built);
    }
    sqlite3_close(db->handle);
    free(db);
}

static void on_change(void *arg, int operation, const char *database, const char *table, sqlite3_int64 rowid)
{
    struct xpl_db *db = arg;
    enum xpl_row_change change = operation == SQLITE_INSERT   ? XPL_ROW_INSERTED
                                 : operation == SQLITE_UPDATE ? XPL_ROW_UPDATED
                                                              : XPL_ROW_DELETED;

    (void)database, (void)rowid;
    db->changed(db->changed_context, change, table);
}

void xpl_db_watch(struct xpl_db *db, xpl_row_changed_fn changed, void *context)
{
    db->changed = changed;
    db->changed_context = context;
    sqlite3_update_hook(db->handle, on_change, db);
}

enum xpl_status xpl_db_exec(struct xpl_db *db, const char *sql, struct xpl_error *err)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? XPL_OK : failed(db, rc, err);
}

/* ---- statements ---- */

static struct xpl_stmt *cached(struct xpl_db *db, const char *sql)
{
    for (size_t i = 0; i < db->n_cached; i++)
        if (db->cache[i].sql == sql && !db->cache[i].busy)
            return &db->cache[i];
    return NULL;
}

static struct xpl_stmt *make(struct xpl_db *db, const char *sql, struct xpl_stmt *stmt, bool keep)
{
    if (db->first)
        sqlite3_exec(db->handle, db->first, NULL, NULL, NULL);
    db->first = NULL;
    *stmt = (struct xpl_stmt){.db = db, .sql = keep ? sql : NULL};
    stmt->rc = sqlite3_prepare_v3(db->handle, sql, -1, keep ? SQLITE_PREPARE_PERSISTENT : 0, &stmt->handle, NULL);
    return stmt;
}

struct xpl_stmt *xpl_db_query_once(struct xpl_db *db, const char *sql)
{
    struct xpl_stmt *stmt = calloc(1, sizeof *stmt);

    return stmt ? make(db, sql, stmt, false) : NULL;
}

static struct xpl_stmt *use(struct xpl_stmt *stmt)
{
    stmt->busy = true;
    stmt->n_bound = 0;
    stmt->rc = SQLITE_OK;
    return stmt;
}

/* A new entry of the cache; NULL when there is no room, or the text does not compile. */
static struct xpl_stmt *add_cached(struct xpl_db *db, const char *sql)
{
    struct xpl_stmt *stmt = &db->cache[db->n_cached];

    if (db->n_cached == MAX_CACHED || make(db, sql, stmt, true)->rc != SQLITE_OK)
        return NULL;
    db->n_cached++;
    return stmt;
}

struct xpl_stmt *xpl_db_query(struct xpl_db *db, const char *sql)
{
    struct xpl_stmt *stmt = cached(db, sql);

    if (!stmt)
        stmt = add_cached(db, sql);
    return stmt ? use(stmt) : xpl_db_query_once(db, sql);
}

struct xpl_stmt *xpl_db_query_built(struct xpl_db *db, const char *sql)
{
    struct xpl_stmt *stmt;
    char *copy;

    for (size_t i = 0; i < db->n_cached; i++)
        if (db->cache[i].built && !db->cache[i].busy && strcmp(db->cache[i].built, sql) == 0)
            return use(&db->cache[i]);
    if (!(copy = strdup(sql)) || !(stmt = add_cached(db, copy))) {
        free(copy);
        return xpl_db_query_once(db, sql);
    }
    stmt->built = copy;
    return use(stmt);
}

void xpl_stmt_done(struct xpl_stmt *stmt)
{
    if (!stmt)
        return;
    if (!stmt->sql) {
        sqlite3_finalize(stmt->handle);
        free(stmt);
        return;
    }
    sqlite3_reset(stmt->handle);
    sqlite3_clear_bindings(stmt->handle);
    stmt->busy = false;
}

static void note(struct xpl_stmt *stmt, int rc)
{
    if (stmt->rc == SQLITE_OK)
        stmt->rc = rc;
}

void xpl_bind_text_n(struct xpl_stmt *stmt, const char *text, size_t length)
{
    if (stmt)
        note(stmt, sqlite3_bind_text64(stmt->handle, ++stmt->n_bound, text, length, SQLITE_STATIC, SQLITE_UTF8));
}

void xpl_bind_text(struct xpl_stmt *stmt, const char *text)
{
    xpl_bind_text_n(stmt, text, text ? strlen(text) : 0);
}

void xpl_bind_int(struct xpl_stmt *stmt, int64_t value)
{
    if (stmt)
        note(stmt, sqlite3_bind_int64(stmt->handle, ++stmt->n_bound, value));
}

void xpl_bind_double(struct xpl_stmt *stmt, double value)
{
    if (stmt)
        note(stmt, sqlite3_bind_double(stmt->handle, ++stmt->n_bound, value));
}

void xpl_bind_blob(struct xpl_stmt *stmt, struct xpl_blob blob)
{
    if (stmt)
        note(stmt, sqlite3_bind_blob64(stmt->handle, ++stmt->n_bound, blob.data, blob.length, SQLITE_STATIC));
}

void xpl_bind_null(struct xpl_stmt *stmt)
{
    if (stmt)
        note(stmt, sqlite3_bind_null(stmt->handle, ++stmt->n_bound));
}

/* ---- running ---- */

/* Steps once; XPL_NOT_FOUND when there are no more rows. */
static enum xpl_status step(struct xpl_stmt *stmt, struct xpl_error *err)
{
    int rc;

    if (!stmt)
        return xpl_no_memory(err);
    rc = stmt->rc == SQLITE_OK ? sqlite3_step(stmt->handle) : stmt->rc;
    if (rc == SQLITE_ROW)
        return XPL_OK;
    if (rc == SQLITE_DONE)
        return XPL_NOT_FOUND;
    return failed(stmt->db, rc, err);
}

static enum xpl_status read_row(struct xpl_stmt *stmt, struct xpl_arena *arena, xpl_row_reader read, void *out,
                                struct xpl_error *err)
{
    struct xpl_row row = {.handle = stmt->handle, .arena = arena};

    read(&row, out);
    if (row.missing)
        return xpl_fail(err, XPL_INTERNAL, "the query has no column %s", row.missing);
    return row.no_memory ? xpl_no_memory(err) : XPL_OK;
}

enum xpl_status xpl_fetch_one(struct xpl_stmt *stmt, struct xpl_arena *arena, xpl_row_reader read, void *ret,
                              struct xpl_error *err)
{
    enum xpl_status st = step(stmt, err);

    if (st == XPL_NOT_FOUND)
        return xpl_fail(err, XPL_NOT_FOUND, "not found");
    return st ? st : read_row(stmt, arena, read, ret, err);
}

enum xpl_status xpl_fetch_all(struct xpl_stmt *stmt, struct xpl_arena *arena, xpl_row_reader read, size_t size,
                              size_t max, void *ret_rows, size_t *ret_count, struct xpl_error *err)
{
    size_t n = 0, capacity = 16 < max ? 16 : max;
    char *rows = xpl_arena_array(arena, capacity ? capacity : 1, size);
    enum xpl_status st = XPL_OK;

    while (rows && n < max && (st = step(stmt, err)) == XPL_OK) {
        if (n == capacity) {
            char *more = xpl_arena_array(arena, capacity * 2, size);

            if (!more)
                return xpl_no_memory(err);
            memcpy(more, rows, n * size);
            rows = more;
            capacity *= 2;
        }
        if ((st = read_row(stmt, arena, read, rows + n++ * size, err)))
            return st;
    }
    if (!rows)
        return xpl_no_memory(err);
    if (st && st != XPL_NOT_FOUND)
        return st;
    memcpy(ret_rows, &rows, sizeof rows); /* the caller's pointer has a type of its own */
    *ret_count = n;
    return XPL_OK;
}

enum xpl_status xpl_fetch_int(struct xpl_stmt *stmt, int64_t *ret_value, struct xpl_error *err)
{
    enum xpl_status st = step(stmt, err);

    if (st == XPL_NOT_FOUND)
        return xpl_fail(err, XPL_NOT_FOUND, "not found");
    if (st)
        return st;
    *ret_value = sqlite3_column_int64(stmt->handle, 0);
    return XPL_OK;
}

enum xpl_status xpl_run(struct xpl_stmt *stmt, int64_t *ret_changed, struct xpl_error *err)
{
    enum xpl_status st = step(stmt, err);

    if (st == XPL_OK)
        return xpl_fail(err, XPL_INTERNAL, "a statement that should return nothing returned a row");
    if (st != XPL_NOT_FOUND)
        return st;
    if (ret_changed)
        *ret_changed = sqlite3_changes64(stmt->db->handle);
    return XPL_OK;
}

/* Cheaper than RETURNING, which makes a table of its own for every use. */
enum xpl_status xpl_run_insert(struct xpl_stmt *stmt, int64_t *ret_id, struct xpl_error *err)
{
    enum xpl_status st = xpl_run(stmt, NULL, err);

    if (!st)
        *ret_id = sqlite3_last_insert_rowid(stmt->db->handle);
    return st;
}

/* ---- one state for several reads ---- */

void xpl_db_begin_read(struct xpl_db *db)
{
    XPL_AUTO(xpl_stmt) begin = xpl_db_query(db, "BEGIN");

    xpl_run(begin, NULL, NULL);
}

void xpl_db_end_read(struct xpl_db *db)
{
    XPL_AUTO(xpl_stmt) commit = xpl_db_query(db, "COMMIT");

    xpl_run(commit, NULL, NULL);
}
