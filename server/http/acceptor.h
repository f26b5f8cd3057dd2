/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread that accepts connections and looks at their first byte: 0x16 begins a TLS handshake, anything else is
 * plain HTTP. The undecided ones wait in its poll set. It also ends the connections of all threads that take too long.
 */
#ifndef XPL_SERVER_ACCEPTOR_H
#define XPL_SERVER_ACCEPTOR_H

#include "server/http/connections.h"
#include "server/http/listen.h"

struct xpl_acceptor;

/** Takes over a connected socket, which is registered as `connection`. */
typedef void (*xpl_connection_fn)(void *context, struct xpl_connection *connection, int fd,
                                  const struct sockaddr *address, socklen_t length, bool tls);

/** `listeners` and `connections` must outlive the acceptor; it closes the listeners' sockets when it stops. */
enum xpl_status xpl_acceptor_start(struct xpl_listener *listeners, size_t n, struct xpl_connections *connections,
                                   xpl_connection_fn take, void *context, struct xpl_acceptor **ret,
                                   struct xpl_error *err);

/** Accepts no more. NULL is fine. */
void xpl_acceptor_stop(struct xpl_acceptor *acceptor);

#endif
