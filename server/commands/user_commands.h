/* SPDX-License-Identifier: Apache-2.0 */
/* The commands user and token. */
#ifndef XPL_SERVER_USER_COMMANDS_H
#define XPL_SERVER_USER_COMMANDS_H

#include "lib/base/arena.h"
#include "server/options.h"

/** Runs the command of `options->words`; the exit code. */
int xpl_user_command(struct xpl_arena *arena, const struct xpl_options *options);

#endif
