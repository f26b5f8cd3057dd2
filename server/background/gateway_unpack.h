/* SPDX-License-Identifier: Apache-2.0 */
/* What went through the gateway compressed, as it is logged. */
#ifndef XPL_SERVER_GATEWAY_UNPACK_H
#define XPL_SERVER_GATEWAY_UNPACK_H

#include "api/app.h"

/** The plain bodies of a transaction; all zeros where they came plain. */
struct xpl_unpacked {
    struct xpl_buf request, response;
};

/**
 * Puts plain bodies in the place of packed ones, within the limits of records and answers. XPL_BAD_RECORD: it is not
 * known how, or not what it is said to be; XPL_TOO_LARGE. `ret` is initialised here and to be released, also after
 * errors: by then it is empty.
 */
enum xpl_status xpl_gateway_unpack(const struct xpl_settings *settings, struct xpl_scored *scored,
                                   struct xpl_unpacked *ret, struct xpl_error *err);

void xpl_unpacked_release(struct xpl_unpacked *unpacked);

/** What it takes in memory. */
static inline size_t xpl_unpacked_bytes(const struct xpl_unpacked *unpacked)
{
    return unpacked->request.capacity + unpacked->response.capacity;
}

#endif
