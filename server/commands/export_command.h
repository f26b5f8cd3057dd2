/* SPDX-License-Identifier: Apache-2.0 */
/* `explaind export`. */
#ifndef XPL_SERVER_EXPORT_COMMAND_H
#define XPL_SERVER_EXPORT_COMMAND_H

/**
 * Prints the "records" or "explanations" of a database, a line of JSON each, as the API streams them; `includes` as
 * there, NULL = the default. Beside a running daemon, too. Gives the exit status.
 */
int xpl_export_command(const char *what, const char *database, const char *includes);

#endif
