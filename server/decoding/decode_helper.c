/* SPDX-License-Identifier: Apache-2.0 */
#include "server/decoding/decode_helper.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/image/stb_memory.h"
#include "server/decoding/decode_wire.h"

#define QUESTION_FD 0
#define ANSWER_FD   1

/* The largest pictures need some 150 MiB: 16-bit RGBA with all passes of an interlaced PNG, progressive CMYK of JPEG.
 */
#define REGION_BYTES  ((size_t)256 << 20)
#define ADDRESS_BYTES ((rlim_t)1 << 30) /* the program's own libraries included */

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* ---- the socket ---- */

static bool read_all(void *data, size_t length)
{
    for (ssize_t n; length > 0; length -= (size_t)n, data = (char *)data + n)
        if ((n = read(QUESTION_FD, data, length)) <= 0)
            return false;
    return true;
}

static bool write_all(const void *data, size_t length)
{
    for (ssize_t n; length > 0; length -= (size_t)n, data = (const char *)data + n)
        if ((n = write(ANSWER_FD, data, length)) <= 0)
            return false;
    return true;
}

static bool refuse(const char *reason, size_t memory_used)
{
    struct xpl_decode_answer answer = {
        .refused = 1, .length = (uint32_t)strlen(reason), .memory_used = (uint32_t)memory_used};

    return write_all(&answer, sizeof answer) && write_all(reason, answer.length);
}

/* ---- locking itself in ---- */

static bool limit(__rlimit_resource_t resource, rlim_t value)
{
    const struct rlimit both = {value, value};

    return setrlimit(resource, &both) == 0;
}

/* Sanitizers map terabytes of shadow memory. Without files and new memory the other limits are a second fence. */
static bool limit_resources(void)
{
    return limit(RLIMIT_CPU, XPL_DECODE_CPU_SECONDS) && limit(RLIMIT_CORE, 0) && limit(RLIMIT_NOFILE, 3) &&
           (SANITIZED || limit(RLIMIT_AS, ADDRESS_BYTES));
}

/*
 * A filter and not the strict mode of the kernel: that cannot be entered inside of a container or a service with a
 * filter of its own. What is not allowed ends the only thread, and so the process (to end the process as such cannot be
 * asked for where a service's filter hides seccomp()); a sanitizer's report needs calls that may fail instead.
 */
static bool allow_nothing_else(void)
{
    static const int allowed[] = {SCMP_SYS(read),         SCMP_SYS(write),  SCMP_SYS(exit),   SCMP_SYS(exit_group),
                                  SCMP_SYS(rt_sigreturn),
#ifdef __SANITIZE_THREAD__ /* its shadow of memory is mapped when that is used first */
                                  SCMP_SYS(mmap),         SCMP_SYS(munmap), SCMP_SYS(madvise)
#endif
    };
    scmp_filter_ctx filter = seccomp_init(SANITIZED ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_THREAD);

    if (!filter)
        return false;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0) != 0)
            return false;
    errno = -seccomp_load(filter);
    return errno == 0; /* from here on memory cannot be given back, nor has it to be */
}

/* ---- pictures ---- */

static bool answer_one(uint8_t *file, size_t length)
{
    struct xpl_decode_answer answer = {0};
    struct xpl_error err = {0};
    uint8_t *pixels;
    bool sent;

    if (xpl_picture_read(file, length, &answer.picture, &pixels, &err))
        sent = refuse(err.message, xpl_stb_region_used());
    else {
        answer.length = answer.picture.height * answer.picture.width * answer.picture.channels;
        answer.memory_used = (uint32_t)xpl_stb_region_used();
        sent = write_all(&answer, sizeof answer) && write_all(pixels, answer.length);
    }
    xpl_stb_region_clear();
    return sent;
}

/* Nothing of one picture is there any more when the next one comes: it may be another client's. */
static void answer_all(uint8_t *file)
{
    struct xpl_decode_question question;
    bool more = true;

    while (more && read_all(&question, sizeof question) && question.length <= XPL_PICTURE_MAX_BYTES &&
           read_all(file, question.length)) {
        more = answer_one(file, question.length);
        memset(file, 0, question.length);
    }
}

static bool is_socket(int fd)
{
    int type;
    socklen_t length = sizeof type;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0;
}

int xpl_decode_helper(void)
{
    uint8_t *memory;

    if (!is_socket(QUESTION_FD)) {
        fputs("explaind: " XPL_DECODE_COMMAND " is started by explaind serve\n", stderr);
        return EX_USAGE;
    }
    memory = mmap(NULL, XPL_PICTURE_MAX_BYTES + REGION_BYTES, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || !limit_resources() || !allow_nothing_else()) {
        refuse(strerror(errno), 0);
        return EX_OSERR;
    }
    xpl_stb_region_use(memory + XPL_PICTURE_MAX_BYTES, REGION_BYTES);
    if (write_all(&(struct xpl_decode_answer){0}, sizeof(struct xpl_decode_answer)))
        answer_all(memory);
    syscall(SYS_exit_group, EX_OK); /* exit() and _exit() of sanitizers would want more */
    __builtin_unreachable();
}
