/* SPDX-License-Identifier: Apache-2.0 */
#include "server/commands/picture_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_BYTES ((size_t)64 << 20)

enum xpl_status xpl_read_picture_file(struct xpl_arena *arena, const char *path, void **ret, size_t *ret_length,
                                      struct xpl_error *err)
{
    FILE *file = fopen(path, "rb");
    char *data = file ? xpl_arena_alloc(arena, MAX_BYTES) : NULL;
    int failed;

    if (!file)
        return xpl_fail_field(err, XPL_BAD_FIELD, "image", "%.200s cannot be opened: %s", path, strerror(errno));
    *ret_length = data ? fread(data, 1, MAX_BYTES, file) : 0;
    failed = ferror(file) ? errno : 0;
    fclose(file);
    *ret = data;
    if (!data)
        return xpl_no_memory(err);
    if (failed)
        return xpl_fail_field(err, XPL_BAD_FIELD, "image", "%.200s cannot be read: %s", path, strerror(failed));
    return *ret_length < MAX_BYTES ? XPL_OK
                                   : xpl_fail_field(err, XPL_BAD_FIELD, "image", "%.200s is larger than 64 MiB", path);
}
