/* SPDX-License-Identifier: Apache-2.0 */
/* `explaind restore`. */
#ifndef XPL_SERVER_RESTORE_COMMAND_H
#define XPL_SERVER_RESTORE_COMMAND_H

#include <stdbool.h>

#include "lib/base/arena.h"

/**
 * Puts a backup in the place of the database of `data_dir`, which has none: after it was brought up to date and
 * checked, and its credentials opened with the directory's key; no key is made. With `verify_only` nothing is written
 * in `data_dir`, nor is it locked. Gives the exit status.
 */
int xpl_restore_command(struct xpl_arena *arena, const char *data_dir, const char *backup, bool verify_only);

#endif
