/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One database connection: prepared statements with typed binding, rows read by column name, savepoints.
 *
 * A statement collects the first error of its bindings and reports it where it is run, so a query reads as a list of
 * bindings and one fetch. Nothing here is specific to SQLite; the backend is (backend_sqlite.c).
 *
 *     XPL_AUTO(xpl_stmt) st = xpl_db_query(db, "SELECT name FROM service_providers WHERE id = ?");
 *     xpl_bind_text(st, id);
 *     return xpl_fetch_one(st, arena, read_provider, ret_provider, err);
 */
#ifndef XPL_DB_DB_H
#define XPL_DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/cleanup.h"
#include "lib/base/status.h"

struct xpl_db;
struct xpl_stmt;
struct xpl_row;

enum xpl_db_mode {
    XPL_DB_WRITER, /* the one read-write connection; makes the file and runs migrations */
    XPL_DB_READER  /* query only; never checkpoints */
};

struct xpl_blob {
    const void *data;
    size_t length;
};

enum xpl_status xpl_db_open(const char *path, enum xpl_db_mode mode, struct xpl_db **ret, struct xpl_error *err);
void xpl_db_close(struct xpl_db *db);
XPL_DEFINE_AUTO(xpl_db, xpl_db_close)

/** Once per process, before any connection: what all connections share. */
void xpl_db_start(void);

/** Version and advice about the storage library, for the log at start; NULL when there is nothing to warn of. */
const char *xpl_db_warning(void);
const char *xpl_db_version(void);

/** Applies every migration that is missing, one transaction each. A newer schema is XPL_STORAGE_FAILED. */
enum xpl_status xpl_db_migrate(struct xpl_db *db, struct xpl_error *err);

/** XPL_STORAGE_FAILED, saying what it is instead, unless the schema is exactly the one of this program. */
enum xpl_status xpl_db_check_version(struct xpl_db *db, struct xpl_error *err);

/** On a reader: all that is read until xpl_db_end_read is of one state of the database. Not to be nested. */
void xpl_db_begin_read(struct xpl_db *db);
void xpl_db_end_read(struct xpl_db *db);

/**
 * Called for every row that this connection inserts, updates or deletes, by triggers and cascades too, before it is
 * known whether that is committed. Of tables with a rowid.
 */
enum xpl_row_change {
    XPL_ROW_INSERTED,
    XPL_ROW_UPDATED,
    XPL_ROW_DELETED
};
typedef void (*xpl_row_changed_fn)(void *context, enum xpl_row_change change, const char *table);
void xpl_db_watch(struct xpl_db *db, xpl_row_changed_fn changed, void *context);

/** Runs statements without results (transactions, pragmas). */
enum xpl_status xpl_db_exec(struct xpl_db *db, const char *sql, struct xpl_error *err);

/**
 * A statement ready for binding, cached per connection by the address of its text: `sql` must be a string constant.
 * Never NULL unless out of memory; a text that does not compile shows when it is run.
 */
struct xpl_stmt *xpl_db_query(struct xpl_db *db, const char *sql);

/** The same for texts put together at run time of which there are few: cached by content, `sql` may go. */
struct xpl_stmt *xpl_db_query_built(struct xpl_db *db, const char *sql);

/** For texts of which there are many (lists with filters): compiled for this use only. Values are still bound. */
struct xpl_stmt *xpl_db_query_once(struct xpl_db *db, const char *sql);

void xpl_stmt_done(struct xpl_stmt *stmt);
XPL_DEFINE_AUTO(xpl_stmt, xpl_stmt_done)

/* Bindings in the order of the question marks. A NULL text or blob binds NULL. Data must live until the fetch. */
void xpl_bind_text(struct xpl_stmt *stmt, const char *text);
void xpl_bind_text_n(struct xpl_stmt *stmt, const char *text, size_t length);
void xpl_bind_int(struct xpl_stmt *stmt, int64_t value);
void xpl_bind_double(struct xpl_stmt *stmt, double value);
void xpl_bind_blob(struct xpl_stmt *stmt, struct xpl_blob blob);
void xpl_bind_null(struct xpl_stmt *stmt);

/** Fills `out` from the current row. Texts and blobs it takes are copied into the fetch's arena. */
typedef void (*xpl_row_reader)(struct xpl_row *row, void *out);

/* Columns by name; a name that the query does not have is an error of the fetch. NULL reads as NULL / 0. */
const char *xpl_row_text(struct xpl_row *row, const char *column);
int64_t xpl_row_int(struct xpl_row *row, const char *column);
double xpl_row_double(struct xpl_row *row, const char *column);
struct xpl_blob xpl_row_blob(struct xpl_row *row, const char *column);
bool xpl_row_is_null(struct xpl_row *row, const char *column);
struct xpl_arena *xpl_row_arena(struct xpl_row *row);

/** The first row; XPL_NOT_FOUND (message "not found") when there is none. */
enum xpl_status xpl_fetch_one(struct xpl_stmt *stmt, struct xpl_arena *arena, xpl_row_reader read, void *ret,
                              struct xpl_error *err);

/** All rows as an array of `size`-byte elements in `arena`; at most `max` rows. */
enum xpl_status xpl_fetch_all(struct xpl_stmt *stmt, struct xpl_arena *arena, xpl_row_reader read, size_t size,
                              size_t max, void *ret_rows, size_t *ret_count, struct xpl_error *err);

/** The first column of the first row as a number; XPL_NOT_FOUND when there is no row. */
enum xpl_status xpl_fetch_int(struct xpl_stmt *stmt, int64_t *ret_value, struct xpl_error *err);

/** Runs a statement that returns nothing; `ret_changed` (rows written) may be NULL. A broken unique constraint is
 * XPL_CONFLICT. */
enum xpl_status xpl_run(struct xpl_stmt *stmt, int64_t *ret_changed, struct xpl_error *err);

/** The same for an INSERT of one row into a table with an INTEGER PRIMARY KEY; its id. */
enum xpl_status xpl_run_insert(struct xpl_stmt *stmt, int64_t *ret_id, struct xpl_error *err);

#endif
