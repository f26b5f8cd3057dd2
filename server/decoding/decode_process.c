/* SPDX-License-Identifier: Apache-2.0 */
#include "server/decoding/decode_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/time.h"

#define OWN_PROGRAM "/proc/self/exe"
#define PATH_BYTES  4096

/* ---- starting ---- */

/* The link's target, so that tools which run a program inside of theirs start the program; the link itself when the
 * file was replaced since, so that both processes are of one version. */
static const char *own_program(char path[PATH_BYTES])
{
    ssize_t length = readlink(OWN_PROGRAM, path, PATH_BYTES - 1);

    if (length <= 0)
        return OWN_PROGRAM;
    path[length] = '\0';
    return access(path, X_OK) == 0 ? path : OWN_PROGRAM;
}

/* What a sanitizer has to report comes with the daemon's own log. */
static int set_stderr(posix_spawn_file_actions_t *files)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    return posix_spawn_file_actions_adddup2(files, STDERR_FILENO, STDERR_FILENO);
#else
    return posix_spawn_file_actions_addopen(files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
#endif
}

/* It ends when its socket does; what ends the daemon politely is sent to all processes of a service or a terminal. */
static int spawn_with(const char *program, int fd, posix_spawn_file_actions_t *files, posix_spawnattr_t *attributes,
                      pid_t *ret_pid)
{
    static char name[] = "explaind", command[] = XPL_DECODE_COMMAND;
    char *const words[] = {name, command, NULL}, *const environment[] = {NULL};
    sigset_t blocked;
    int failed;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGHUP);
    if ((failed = posix_spawn_file_actions_adddup2(files, fd, STDIN_FILENO)) ||
        (failed = posix_spawn_file_actions_adddup2(files, fd, STDOUT_FILENO)) || (failed = set_stderr(files)) ||
        (failed = posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1)) ||
        (failed = posix_spawnattr_setsigmask(attributes, &blocked)) ||
        (failed = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK)))
        return failed;
    return posix_spawn(ret_pid, program, files, attributes, words, environment);
}

static int spawn(const char *program, int fd, pid_t *ret_pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int failed;

    if ((failed = posix_spawn_file_actions_init(&files)))
        return failed;
    if (!(failed = posix_spawnattr_init(&attributes))) {
        failed = spawn_with(program, fd, &files, &attributes, ret_pid);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

enum xpl_status xpl_decode_process_start(const char *program, struct xpl_decode_process *ret, struct xpl_error *err)
{
    char path[PATH_BYTES];
    int pair[2], failed;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return xpl_fail(err, XPL_OVERLOADED, "pictures cannot be decoded now: %s", strerror(errno));
    failed = spawn(program ? program : own_program(path), pair[1], &pid);
    close(pair[1]);
    if (failed) {
        close(pair[0]);
        return xpl_fail(err, XPL_OVERLOADED, "pictures cannot be decoded now: %s", strerror(failed));
    }
    *ret = (struct xpl_decode_process){.pid = pid, .fd = pair[0]};
    return XPL_OK;
}

void xpl_decode_process_end(struct xpl_decode_process *process)
{
    if (!xpl_decode_process_runs(process))
        return;
    close(process->fd);
    kill(process->pid, SIGKILL);
    while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    *process = (struct xpl_decode_process){0};
}

/* ---- talking ---- */

void xpl_decode_process_begin(struct xpl_decode_process *process, int64_t time_us)
{
    process->deadline_us = xpl_monotonic_us() + time_us;
}

static enum xpl_decode_outcome wait_for(const struct xpl_decode_process *process, short events)
{
    int64_t left_us = process->deadline_us - xpl_monotonic_us();
    struct pollfd fd = {.fd = process->fd, .events = events};

    if (left_us <= 0)
        return XPL_DECODE_TIMEOUT;
    return poll(&fd, 1, (int)(left_us / 1000) + 1) >= 0 || errno == EINTR ? XPL_DECODE_DONE : XPL_DECODE_ENDED;
}

/* After a transfer of `n` bytes, or an error. */
static enum xpl_decode_outcome go_on(const struct xpl_decode_process *process, ssize_t n, short events)
{
    if (n > 0)
        return XPL_DECODE_DONE;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return wait_for(process, events);
    return XPL_DECODE_ENDED;
}

enum xpl_decode_outcome xpl_decode_send(const struct xpl_decode_process *process, const void *data, size_t length)
{
    enum xpl_decode_outcome outcome;

    for (size_t done = 0; done < length;) {
        ssize_t n = send(process->fd, (const char *)data + done, length - done, MSG_DONTWAIT | MSG_NOSIGNAL);

        if ((outcome = go_on(process, n, POLLOUT)))
            return outcome;
        done += n > 0 ? (size_t)n : 0;
    }
    return XPL_DECODE_DONE;
}

enum xpl_decode_outcome xpl_decode_receive(const struct xpl_decode_process *process, void *data, size_t length)
{
    enum xpl_decode_outcome outcome;

    for (size_t done = 0; done < length;) {
        ssize_t n = recv(process->fd, (char *)data + done, length - done, MSG_DONTWAIT);

        if ((outcome = go_on(process, n, POLLIN)))
            return outcome;
        done += n > 0 ? (size_t)n : 0;
    }
    return XPL_DECODE_DONE;
}

enum xpl_decode_outcome xpl_decode_receive_head(const struct xpl_decode_process *process, struct xpl_decode_answer *ret)
{
    return xpl_decode_receive(process, ret, sizeof *ret);
}

enum xpl_decode_outcome xpl_decode_receive_reason(const struct xpl_decode_process *process,
                                                  const struct xpl_decode_answer *answer,
                                                  char ret[XPL_ERROR_MESSAGE_MAX])
{
    enum xpl_decode_outcome outcome;

    if (answer->length >= XPL_ERROR_MESSAGE_MAX)
        return XPL_DECODE_LIED;
    if ((outcome = xpl_decode_receive(process, ret, answer->length)))
        return outcome;
    for (size_t i = 0; i < answer->length; i++)
        if (ret[i] < ' ' || ret[i] > '~')
            ret[i] = '?';
    ret[answer->length] = '\0';
    return XPL_DECODE_DONE;
}
