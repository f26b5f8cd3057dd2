/* SPDX-License-Identifier: Apache-2.0 */
/* The data directory: made when missing, locked against a second daemon, with the keys of this installation. */
#ifndef XPL_SERVER_DATA_DIR_H
#define XPL_SERVER_DATA_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/hash.h"
#include "lib/base/status.h"

struct xpl_data_dir {
    const char *path;
    const char *database; /* path of the database file */
    int lock_fd;          /* holds the lock while open */
    uint8_t token_key[XPL_KEY_BYTES], secrets_key[XPL_KEY_BYTES];
};

/** XPL_CONFLICT when another daemon uses the directory. */
enum xpl_status xpl_data_dir_open(struct xpl_arena *arena, const char *path, struct xpl_data_dir *ret,
                                  struct xpl_error *err);
/** Only the directory and its lock, for a command that makes no key. */
enum xpl_status xpl_data_dir_lock(struct xpl_arena *arena, const char *path, struct xpl_data_dir *ret,
                                  struct xpl_error *err);
/** Only its names: nothing is made and nothing locked. */
enum xpl_status xpl_data_dir_name(struct xpl_arena *arena, const char *path, struct xpl_data_dir *ret,
                                  struct xpl_error *err);
/** Reads secrets.key if it is there; `*ret_found` says so. */
enum xpl_status xpl_data_dir_read_secrets_key(struct xpl_arena *arena, struct xpl_data_dir *dir, bool *ret_found,
                                              struct xpl_error *err);
void xpl_data_dir_close(struct xpl_data_dir *dir);

/** Path of the database of a data directory, in `arena`; NULL without memory. */
const char *xpl_data_dir_database(struct xpl_arena *arena, const char *path);

/** Writes a file for the owner only, as a whole or not at all. */
enum xpl_status xpl_write_private(struct xpl_arena *arena, const char *path, unsigned mode, const void *data,
                                  size_t length, struct xpl_error *err);

/** The content of a small text file in `arena`; NULL when it cannot be read. */
char *xpl_read_file(struct xpl_arena *arena, const char *path);

#endif
