/* SPDX-License-Identifier: Apache-2.0 */
#include "server/commands/ask_password.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define MAX_LINE 2048

static char *read_line(struct xpl_arena *arena)
{
    char *line = xpl_arena_alloc(arena, MAX_LINE);

    if (!line || !fgets(line, MAX_LINE, stdin))
        return NULL;
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

static char *read_hidden(struct xpl_arena *arena, const char *prompt)
{
    struct termios shown, hidden;
    char *line;

    if (tcgetattr(STDIN_FILENO, &shown) != 0)
        return NULL;
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    fputs(prompt, stderr);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    line = read_line(arena);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fputc('\n', stderr);
    return line;
}

enum xpl_status xpl_ask_password(struct xpl_arena *arena, const char **ret, struct xpl_error *err)
{
    bool terminal = isatty(STDIN_FILENO);
    const char *password = terminal ? read_hidden(arena, "Password: ") : read_line(arena);
    const char *again = terminal && password ? read_hidden(arena, "Again: ") : password;

    if (!password || !again)
        return xpl_fail(err, XPL_BAD_REQUEST, "a password is needed, typed or as a line on the standard input");
    if (strcmp(password, again) != 0)
        return xpl_fail(err, XPL_BAD_REQUEST, "the two passwords differ");
    *ret = password;
    return XPL_OK;
}
