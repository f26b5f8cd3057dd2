/* SPDX-License-Identifier: Apache-2.0 */
/* The headers of a slot's requests: inside of the transport. */
#ifndef XPL_SCORING_TRANSPORT_HEADERS_H
#define XPL_SCORING_TRANSPORT_HEADERS_H

#include "lib/scoring/transport/transport.h"

/** Digits of the number that tells a task's calls apart, at the end of the last header. */
#define XPL_SEQUENCE_DIGITS 8

/** XPL_BAD_FIELD: a header holds a line break or is too long. */
enum xpl_status xpl_slot_add_headers(struct xpl_slot *slot, const struct xpl_endpoint *endpoint,
                                     const struct xpl_call_options *options, const struct xpl_media *media,
                                     struct xpl_error *err);

/** Writes the numbers that change with every request into the headers. */
void xpl_slot_number_headers(struct xpl_slot *slot, uint64_t sequence);

#endif
