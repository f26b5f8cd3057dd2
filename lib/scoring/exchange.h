/* SPDX-License-Identifier: Apache-2.0 */
/* The first request to a model and what came back, for people to look at. */
#ifndef XPL_SCORING_EXCHANGE_H
#define XPL_SCORING_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XPL_EXCERPT_BYTES  600u
#define XPL_LOCATION_BYTES 256u
#define XPL_ENCODING_BYTES 32u

/** Texts are zero-terminated, long ones shortened in the middle. */
struct xpl_exchange {
    char request[XPL_EXCERPT_BYTES], answer[XPL_EXCERPT_BYTES];
    size_t request_bytes, answer_bytes; /* of the whole texts; 0 = nothing was sent, nothing came */
    long status;                        /* of HTTP; 0 = none */
    char location[XPL_LOCATION_BYTES];  /* where a redirect points to, shortened; "" = nowhere */
    char encoding[XPL_ENCODING_BYTES];  /* Content-Encoding of the answer; "" = none */
    double ms;                          /* from the request's start, connecting included, to the answer's end */

    /* of the latest exchange */
    long last_status;
    int64_t retry_after_ms; /* 0 = not said */
};

struct xpl_slot;

/** What is known of an exchange besides its slot. */
struct xpl_exchange_facts {
    size_t body_length; /* of the request */
    int64_t took_us, retry_after_ms;
};

/** Notes the exchange of a slot that ended; all of it, unless one was noted before. */
void xpl_exchange_note(struct xpl_exchange *exchange, const struct xpl_slot *slot,
                       const struct xpl_exchange_facts *facts);

/** Whether the answer was compressed, which is never asked for. */
bool xpl_exchange_is_compressed(const struct xpl_exchange *exchange);

#endif
