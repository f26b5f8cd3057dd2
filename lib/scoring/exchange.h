/* SPDX-License-Identifier: Apache-2.0 */
/* The first request to a model and what came back, for people to look at. */
#ifndef XPL_SCORING_EXCHANGE_H
#define XPL_SCORING_EXCHANGE_H

#include <stddef.h>

#define XPL_EXCERPT_BYTES 600u

/** Texts are zero-terminated, long ones shortened in the middle. */
struct xpl_exchange {
    char request[XPL_EXCERPT_BYTES], answer[XPL_EXCERPT_BYTES];
    size_t request_bytes, answer_bytes; /* of the whole texts; 0 = nothing was sent, nothing came */
    long status;                        /* of HTTP; 0 = none */
};

struct xpl_slot;

/** Notes the exchange of a slot unless one was noted before. */
void xpl_exchange_note(struct xpl_exchange *exchange, const struct xpl_slot *slot, size_t body_length);

#endif
