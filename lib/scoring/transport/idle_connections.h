/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections to models that a forwarder keeps between calls (forward.h), by address and credentials; a bounded number.
 * Private to forward.c.
 */
#ifndef XPL_SCORING_IDLE_CONNECTIONS_H
#define XPL_SCORING_IDLE_CONNECTIONS_H

#include "lib/base/hash.h"
#include "lib/scoring/transport/forward.h"
#include "lib/scoring/transport/transport.h"

/** A connection serves one address with one set of credentials. */
void xpl_idle_key(const struct xpl_endpoint *endpoint, uint8_t ret[XPL_HASH_BYTES]);

/** The one used last, which is the caller's then; NULL = there is none. */
struct xpl_transport *xpl_idle_take(struct xpl_forwarder *forwarder, const uint8_t key[XPL_HASH_BYTES]);

/** Keeps a connection; when there are too many, the one that was not used for longest goes. */
void xpl_idle_give_back(struct xpl_forwarder *forwarder, struct xpl_transport *transport,
                        const uint8_t key[XPL_HASH_BYTES]);

#endif
