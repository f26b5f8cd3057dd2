/* SPDX-License-Identifier: Apache-2.0 */
/* Picture files that are named at a shell. */
#ifndef XPL_SERVER_PICTURE_FILE_H
#define XPL_SERVER_PICTURE_FILE_H

#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/status.h"

/** The file's bytes, at most 64 MiB. XPL_BAD_FIELD "image": it cannot be opened or is larger. */
enum xpl_status xpl_read_picture_file(struct xpl_arena *arena, const char *path, void **ret, size_t *ret_length,
                                      struct xpl_error *err);

#endif
