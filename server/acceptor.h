/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread that accepts connections and looks at their first byte: 0x16 begins a TLS handshake, anything else is
 * plain HTTP. The undecided ones wait in its poll set, for http.header_timeout_ms at most.
 */
#ifndef XPL_SERVER_ACCEPTOR_H
#define XPL_SERVER_ACCEPTOR_H

#include <sys/socket.h>

#include "lib/base/status.h"
#include "server/listen.h"

struct xpl_acceptor;

/** Takes over a connected socket. */
typedef void (*xpl_connection_fn)(void *context, int fd, const struct sockaddr *address, socklen_t length, bool tls);

/** `listeners` must outlive the acceptor; it closes their sockets when it stops. */
enum xpl_status xpl_acceptor_start(struct xpl_listener *listeners, size_t n, int64_t first_byte_timeout_ms,
                                   xpl_connection_fn take, void *context, struct xpl_acceptor **ret,
                                   struct xpl_error *err);

/** Accepts no more. NULL is fine. */
void xpl_acceptor_stop(struct xpl_acceptor *acceptor);

#endif
