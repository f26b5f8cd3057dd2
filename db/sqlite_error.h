/* SPDX-License-Identifier: Apache-2.0 */
/* What a result code of SQLite means to a client. Private to db. */
#ifndef XPL_DB_SQLITE_ERROR_H
#define XPL_DB_SQLITE_ERROR_H

#include <sqlite3.h>

#include "lib/base/status.h"

/** The status of `rc`, described in `err`; to be called right after the failure. `handle` may be NULL. */
enum xpl_status xpl_sqlite_failed(sqlite3 *handle, int rc, struct xpl_error *err);

#endif
