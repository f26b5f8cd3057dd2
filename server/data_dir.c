/* SPDX-License-Identifier: Apache-2.0 */
#include "server/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE_BYTES 65536

static enum xpl_status failed(const char *what, const char *path, struct xpl_error *err)
{
    return xpl_fail_field(err, XPL_BAD_FIELD, "--data", "%.200s %s: %s", path, what, strerror(errno));
}

char *xpl_read_file(struct xpl_arena *arena, const char *path)
{
    char *text = xpl_arena_alloc(arena, MAX_FILE_BYTES + 1);
    int fd = text ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t n;

    if (fd < 0)
        return NULL;
    n = read(fd, text, MAX_FILE_BYTES);
    close(fd);
    return n >= 0 ? text : NULL;
}

static enum xpl_status lock(const char *path, const char *dir, int *ret_fd, struct xpl_error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return failed("cannot be locked", path, err);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return xpl_fail_field(err, XPL_CONFLICT, "--data", "%.200s is in use by another explaind", dir);
    }
    *ret_fd = fd;
    return XPL_OK;
}

static bool write_all(int fd, const void *data, size_t length)
{
    return write(fd, data, length) == (ssize_t)length && fsync(fd) == 0;
}

/* Under a temporary name, then renamed: a crash leaves no half a file. */
enum xpl_status xpl_write_private(struct xpl_arena *arena, const char *path, unsigned mode, const void *data,
                                  size_t length, struct xpl_error *err)
{
    const char *temporary = xpl_arena_printf(arena, "%s.new", path);
    bool ok;
    int fd;

    if (!temporary)
        return xpl_no_memory(err);
    unlink(temporary);
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return failed("cannot be written", temporary, err);
    ok = write_all(fd, data, length);
    close(fd);
    return ok && rename(temporary, path) == 0 ? XPL_OK : failed("cannot be written", path, err);
}

static enum xpl_status read_key(const char *path, uint8_t ret[XPL_KEY_BYTES], bool *ret_found, struct xpl_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    *ret_found = fd >= 0;
    if (fd < 0)
        return errno == ENOENT ? XPL_OK : failed("cannot be read", path, err);
    n = read(fd, ret, XPL_KEY_BYTES);
    close(fd);
    return n == XPL_KEY_BYTES ? XPL_OK
                              : xpl_fail_field(err, XPL_BAD_FIELD, "--data", "%.200s is not a key of 32 bytes", path);
}

static enum xpl_status load_key(struct xpl_arena *arena, const char *dir, const char *name, uint8_t ret[XPL_KEY_BYTES],
                                struct xpl_error *err)
{
    const char *path = xpl_arena_printf(arena, "%s/%s", dir, name);
    enum xpl_status st;
    bool found;

    if (!path)
        return xpl_no_memory(err);
    if ((st = read_key(path, ret, &found, err)) || found)
        return st;
    xpl_random(ret, XPL_KEY_BYTES);
    return xpl_write_private(arena, path, 0400, ret, XPL_KEY_BYTES, err);
}

enum xpl_status xpl_data_dir_read_secrets_key(struct xpl_arena *arena, struct xpl_data_dir *dir, bool *ret_found,
                                              struct xpl_error *err)
{
    const char *path = xpl_arena_printf(arena, "%s/secrets.key", dir->path);

    return path ? read_key(path, dir->secrets_key, ret_found, err) : xpl_no_memory(err);
}

const char *xpl_data_dir_database(struct xpl_arena *arena, const char *path)
{
    return xpl_arena_printf(arena, "%s/explaind.db", path);
}

enum xpl_status xpl_data_dir_name(struct xpl_arena *arena, const char *path, struct xpl_data_dir *ret,
                                  struct xpl_error *err)
{
    *ret = (struct xpl_data_dir){.path = path, .database = xpl_data_dir_database(arena, path), .lock_fd = -1};
    return ret->database ? XPL_OK : xpl_no_memory(err);
}

enum xpl_status xpl_data_dir_lock(struct xpl_arena *arena, const char *path, struct xpl_data_dir *ret,
                                  struct xpl_error *err)
{
    const char *lock_path = xpl_arena_printf(arena, "%s/lock", path);
    enum xpl_status st = xpl_data_dir_name(arena, path, ret, err);

    if (st || !lock_path)
        return xpl_no_memory(err);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return failed("cannot be made", path, err);
    return lock(lock_path, path, &ret->lock_fd, err);
}

enum xpl_status xpl_data_dir_open(struct xpl_arena *arena, const char *path, struct xpl_data_dir *ret,
                                  struct xpl_error *err)
{
    enum xpl_status st;

    if ((st = xpl_data_dir_lock(arena, path, ret, err)) ||
        (st = load_key(arena, path, "token.key", ret->token_key, err)))
        return st;
    return load_key(arena, path, "secrets.key", ret->secrets_key, err);
}

void xpl_data_dir_close(struct xpl_data_dir *dir)
{
    if (dir->lock_fd >= 0)
        close(dir->lock_fd);
    dir->lock_fd = -1;
}
