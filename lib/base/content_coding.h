/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that came compressed (RFC 9110, 8.4.1), unpacked within a bound. */
#ifndef XPL_BASE_CONTENT_CODING_H
#define XPL_BASE_CONTENT_CODING_H

#include "lib/base/buf.h"
#include "lib/base/status.h"
#include "lib/base/text.h"

enum xpl_content_coding {
    XPL_CODING_NONE,
    XPL_CODING_GZIP,
    XPL_CODING_DEFLATE, /* a zlib stream, as the standard has it */
    XPL_CODING_OTHER
};

/** What a header Content-Encoding says; without one, or with "identity", a body is not packed. */
enum xpl_content_coding xpl_content_coding_of(const char *content_encoding);

/**
 * Unpacks gzip or deflate. `ret` is initialised here and to be released, also after errors: XPL_TOO_LARGE when it would
 * be longer than `max` bytes, XPL_BAD_REQUEST when it is not one whole stream.
 */
enum xpl_status xpl_content_decode(struct xpl_text packed, enum xpl_content_coding coding, size_t max,
                                   struct xpl_buf *ret, struct xpl_error *err);

#endif
