/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which addresses the daemon may connect to: decided for the address really connected, after name resolution.
 *
 * An empty list = public unicast addresses only, and loopback and private networks too when `local` is set (the daemon
 * itself listens on loopback only). A list = nothing but what it names. Link-local, metadata and multicast addresses
 * never.
 */
#ifndef XPL_SCORING_ADDRESS_H
#define XPL_SCORING_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "lib/base/arena.h"
#include "lib/base/status.h"

struct xpl_address_policy;

/** `allow`: comma-separated host[:port], address[:port] or network a.b.c.d/n. XPL_BAD_FIELD names what is wrong. */
enum xpl_status xpl_address_policy_new(struct xpl_arena *arena, const char *allow, bool local,
                                       struct xpl_address_policy **ret, struct xpl_error *err);

/** `host` is the name in the URL, `port` its port, `address` where the connection would go. */
bool xpl_address_allowed(const struct xpl_address_policy *policy, const char *host, unsigned port,
                         const struct sockaddr *address);

#endif
