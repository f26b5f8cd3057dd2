/* SPDX-License-Identifier: Apache-2.0 */
/* The command line. */
#ifndef XPL_SERVER_OPTIONS_H
#define XPL_SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#define XPL_MAX_LISTEN   16
#define XPL_MAX_SETTINGS 64
#define XPL_MAX_WORDS    5

enum xpl_command {
    XPL_COMMAND_SERVE,
    XPL_COMMAND_ROUTES,
    XPL_COMMAND_CONFIG,
    XPL_COMMAND_BACKUP,
    XPL_COMMAND_FSCK,
    XPL_COMMAND_RESTORE,
    XPL_COMMAND_EXPORT,
    XPL_COMMAND_USER,
    XPL_COMMAND_TOKEN
};

struct xpl_options {
    enum xpl_command command;
    const char *listen[XPL_MAX_LISTEN];
    size_t n_listen;
    const char *data_dir;
    const char *config_file; /* NULL = none */
    const char *file;        /* of backup, fsck, restore and export; NULL = none */
    const char *what;        /* export: records or explanations */
    const char *includes;    /* export; NULL = the default */
    const char *set[XPL_MAX_SETTINGS];
    size_t n_set;
    bool no_auth, check, verify;
    const char *words[XPL_MAX_WORDS]; /* of the commands user and token, these included */
    size_t n_words;
    const char *role, *data_mart; /* of a new user; NULL = the defaults */
};

/** Reads the command line; on an error, --help or --version it prints and ends the process (64 for an error). */
void xpl_options_read(int argc, char **argv, struct xpl_options *ret);

#endif
