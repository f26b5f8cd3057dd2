/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register of client connections, plain and TLS together: how many there may be, in all and from one address, and
 * how long each may take for what it is doing.
 *
 * microhttpd only knows a time-out of silence, under which one byte a second keeps a connection for ever. Here every
 * phase of a request has a deadline that further bytes do not move. A connection beyond it is shut down; whoever reads
 * from it then sees its end and closes it.
 */
#ifndef XPL_SERVER_CONNECTIONS_H
#define XPL_SERVER_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/base/status.h"

struct xpl_connections;
struct xpl_connection;

struct xpl_connection_limits {
    size_t in_all, per_address;
    int64_t header_ms; /* for the head of a request, from its first byte; of the first request, from accept */
    int64_t body_ms;   /* for head and body together */
    int64_t answer_ms; /* for the client to take the answer */
    int64_t idle_ms;   /* between two requests */
};

enum xpl_connection_phase {
    XPL_PHASE_HEAD,   /* the request line is there */
    XPL_PHASE_BODY,   /* the head is there */
    XPL_PHASE_WORK,   /* the request is there: no deadline of the client's */
    XPL_PHASE_ANSWER, /* the answer leaves */
    XPL_PHASE_IDLE    /* it has left */
};

enum xpl_status xpl_connections_new(const struct xpl_connection_limits *limits, struct xpl_connections **ret,
                                    struct xpl_error *err);
void xpl_connections_free(struct xpl_connections *connections);

/** A connection that was just accepted; NULL when there are too many: the caller closes the socket. */
struct xpl_connection *xpl_connections_add(struct xpl_connections *connections, int fd, const struct sockaddr *address);

/** Its socket is about to be closed (or was, by microhttpd refusing it). NULL is fine. */
void xpl_connections_remove(struct xpl_connections *connections, struct xpl_connection *connection);

/** It goes to microhttpd, which may fail to take it without telling: its socket is left alone until it is `taken`. */
void xpl_connections_hand_over(struct xpl_connections *connections, struct xpl_connection *connection);

/** The connection of a socket that microhttpd has taken. */
struct xpl_connection *xpl_connections_taken(struct xpl_connections *connections, int fd);

/**
 * Whom a connection is counted for, as text that lives as long as it does: an IPv4 address or an IPv6 network. NULL is
 * nobody, and neither of the two that follow.
 */
const char *xpl_connection_source(const struct xpl_connection *connection);
bool xpl_connection_is_local(const struct xpl_connection *connection);    /* through a Unix socket */
bool xpl_connection_is_loopback(const struct xpl_connection *connection); /* or from an address of this machine */

/** Sets the deadline of what comes next. Called by the thread that serves the connection. NULL is fine. */
void xpl_connection_enter(struct xpl_connections *connections, struct xpl_connection *connection,
                          enum xpl_connection_phase phase);

/** How many there are, and how many were turned away because there were too many. */
void xpl_connections_count(struct xpl_connections *connections, uint64_t *ret_open, uint64_t *ret_refused);

/**
 * Shuts down every connection beyond its deadline, and those whose client has ended its side in the middle of a request
 * for several calls in a row; how many connections there are.
 */
size_t xpl_connections_reap(struct xpl_connections *connections);

#endif
