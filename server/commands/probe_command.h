/* SPDX-License-Identifier: Apache-2.0 */
/* `explaind probe URL --image FILE`: which formats a scoring address takes, and what an explanation would cost. */
#ifndef XPL_SERVER_PROBE_COMMAND_H
#define XPL_SERVER_PROBE_COMMAND_H

/** argv[0] is the word "probe". Returns the exit status: 0, 64 (usage), 65 (the image), 69 (no format works) or 70. */
int xpl_probe_command(int argc, char **argv);

#endif
