/* SPDX-License-Identifier: Apache-2.0 */
/* A decoding process and the socket to it. Nothing here trusts it, or waits for it longer than was said. */
#ifndef XPL_SERVER_DECODE_PROCESS_H
#define XPL_SERVER_DECODE_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "server/decoding/decode_wire.h"

enum xpl_decode_outcome {
    XPL_DECODE_DONE,
    XPL_DECODE_ENDED, /* the process is gone */
    XPL_DECODE_TIMEOUT,
    XPL_DECODE_LIED /* it says what cannot be */
};

/** Zeroed = there is none. */
struct xpl_decode_process {
    pid_t pid;
    int fd;
    int64_t deadline_us; /* of everything that is sent and received; monotonic */
};

/** `program` NULL = this one. It gets the socket, no other file, and no environment. XPL_OVERLOADED. */
enum xpl_status xpl_decode_process_start(const char *program, struct xpl_decode_process *ret, struct xpl_error *err);

static inline bool xpl_decode_process_runs(const struct xpl_decode_process *process)
{
    return process->pid > 0;
}

/** Kills it, waits for its end and zeroes *process. */
void xpl_decode_process_end(struct xpl_decode_process *process);

/** What follows has to be done within this time. */
void xpl_decode_process_begin(struct xpl_decode_process *process, int64_t time_us);

enum xpl_decode_outcome xpl_decode_send(const struct xpl_decode_process *process, const void *data, size_t length);
enum xpl_decode_outcome xpl_decode_receive(const struct xpl_decode_process *process, void *data, size_t length);
enum xpl_decode_outcome xpl_decode_receive_head(const struct xpl_decode_process *process,
                                                struct xpl_decode_answer *ret);

/** Printable ASCII, whatever was sent. */
enum xpl_decode_outcome xpl_decode_receive_reason(const struct xpl_decode_process *process,
                                                  const struct xpl_decode_answer *answer,
                                                  char ret[XPL_ERROR_MESSAGE_MAX]);

#endif
