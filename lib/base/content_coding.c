/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/content_coding.h"

#include <stdint.h>
#include <strings.h>
#include <zlib.h>

#define STEP_BYTES  ((size_t)64 << 10)
#define ZLIB_WINDOW 15        /* zlib.h: the largest one */
#define GZIP_WINDOW (15 + 16) /* the same, behind a gzip head */

enum xpl_content_coding xpl_content_coding_of(const char *encoding)
{
    if (!encoding || !*encoding || strcasecmp(encoding, "identity") == 0)
        return XPL_CODING_NONE;
    if (strcasecmp(encoding, "gzip") == 0 || strcasecmp(encoding, "x-gzip") == 0)
        return XPL_CODING_GZIP;
    return strcasecmp(encoding, "deflate") == 0 ? XPL_CODING_DEFLATE : XPL_CODING_OTHER;
}

/* gzip that was made in parts is as good as the whole (RFC 1952, 2.2). */
static bool is_next_member(z_stream *stream, enum xpl_content_coding coding)
{
    return coding == XPL_CODING_GZIP && stream->avail_in && inflateReset(stream) == Z_OK;
}

/* One more piece, which may go a byte over the limit; *more is false at the end. */
static enum xpl_status step(z_stream *stream, enum xpl_content_coding coding, struct xpl_buf *plain, bool *more,
                            struct xpl_error *err)
{
    size_t room = plain->max - plain->length < STEP_BYTES ? plain->max - plain->length : STEP_BYTES;
    int result;

    if (!xpl_buf_reserve(plain, room))
        return xpl_no_memory(err);
    stream->next_out = (unsigned char *)plain->data + plain->length;
    stream->avail_out = (unsigned)room;
    result = inflate(stream, Z_NO_FLUSH);
    plain->length += room - stream->avail_out;
    plain->data[plain->length] = '\0';
    if (plain->length == plain->max)
        return xpl_fail(err, XPL_TOO_LARGE, "it would be longer than %zu bytes", plain->max - 1);
    if (result == Z_MEM_ERROR)
        return xpl_no_memory(err);
    *more = result == Z_OK || (result == Z_STREAM_END && is_next_member(stream, coding));
    if ((result != Z_OK && result != Z_STREAM_END) || (!*more && stream->avail_in))
        return xpl_fail(err, XPL_BAD_REQUEST, "it is not one whole compressed stream");
    return XPL_OK;
}

enum xpl_status xpl_content_decode(struct xpl_text packed, enum xpl_content_coding coding, size_t max,
                                   struct xpl_buf *ret, struct xpl_error *err)
{
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)packed.ptr, .avail_in = (unsigned)packed.length};
    enum xpl_status st = XPL_OK;
    bool more = true;

    xpl_buf_init(ret, max + 1);
    if (inflateInit2(&stream, coding == XPL_CODING_GZIP ? GZIP_WINDOW : ZLIB_WINDOW) != Z_OK)
        return xpl_no_memory(err);
    while (!st && more)
        st = step(&stream, coding, ret, &more, err);
    inflateEnd(&stream);
    return st;
}
