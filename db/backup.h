/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of the database, made while a daemon goes on writing to it. */
#ifndef XPL_DB_BACKUP_H
#define XPL_DB_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/status.h"

/**
 * Copies one state of the database `path` to the new file `copy`: written under another name, checked, synced, and
 * named `copy` at the end, so that a file of that name is always a whole one. XPL_CONFLICT when there is a file `copy`
 * already. Takes no lock that a daemon would wait for, and never writes to `path`. `*ret_bytes` is the size of the
 * copy. `*ret_damaged`, written with an error, too, tells that `path` is a database, but not a sound one.
 */
enum xpl_status xpl_db_backup(const char *path, const char *copy, int64_t *ret_bytes, bool *ret_damaged,
                              struct xpl_error *err);

/** Whether `path` is a database that cannot even be opened: torn, or damaged in its first page. */
bool xpl_db_is_damaged(const char *path);

#endif
