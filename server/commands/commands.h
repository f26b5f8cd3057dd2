/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that work on a database without serving it. Each prints what it finds and gives the exit status. */
#ifndef XPL_SERVER_COMMANDS_H
#define XPL_SERVER_COMMANDS_H

#include "lib/base/arena.h"

/** Copies the database of `data_dir` to the new file `copy`. */
int xpl_backup_command(struct xpl_arena *arena, const char *data_dir, const char *copy);

/** Checks `file`, or the database of `data_dir` when it is NULL: 0 = sound, 1 = not. */
int xpl_fsck_command(struct xpl_arena *arena, const char *data_dir, const char *file);

#endif
