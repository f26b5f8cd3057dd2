/* SPDX-License-Identifier: Apache-2.0 */
/* A password from whoever types or pipes it: never from the command line, which others can read. */
#ifndef XPL_SERVER_ASK_PASSWORD_H
#define XPL_SERVER_ASK_PASSWORD_H

#include "lib/base/arena.h"
#include "lib/base/status.h"

/** On a terminal asked for twice without echo; else the first line of the standard input. */
enum xpl_status xpl_ask_password(struct xpl_arena *arena, const char **ret, struct xpl_error *err);

#endif
