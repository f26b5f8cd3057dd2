/* SPDX-License-Identifier: Apache-2.0 */
/* `explaind explain IMAGE --model URL`: one explanation at a shell, without server and database. */
#ifndef XPL_SERVER_EXPLAIN_COMMAND_H
#define XPL_SERVER_EXPLAIN_COMMAND_H

/**
 * argv[0] is the word "explain". Returns the exit status: 0, 64 (usage), 65 (the image), 69 (the model), 130
 * (interrupted) or 70.
 */
int xpl_explain_command(int argc, char **argv);

#endif
