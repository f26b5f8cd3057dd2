/* SPDX-License-Identifier: Apache-2.0 */
#include "api/body_encoding.h"

#include <strings.h>
#include <zlib.h>

#include "api/routes.h"

#define STEP_BYTES  ((size_t)64 << 10)
#define GZIP_WINDOW (15 + 16) /* zlib.h: the largest window, and a gzip head */

enum xpl_status xpl_body_encoding_check(struct xpl_call *call, struct xpl_error *err)
{
    const char *encoding = xpl_call_header(call, "Content-Encoding");

    if (!encoding || !*encoding || strcasecmp(encoding, "identity") == 0)
        return XPL_OK;
    if (call->route->body_limit != XPL_BODY_RECORDS)
        return xpl_fail(err, XPL_BAD_MEDIA_TYPE, "a body with Content-Encoding %.40s is not accepted; send it plain",
                        encoding);
    if (strcasecmp(encoding, "gzip") != 0 && strcasecmp(encoding, "x-gzip") != 0)
        return xpl_fail(err, XPL_BAD_MEDIA_TYPE,
                        "a body with Content-Encoding %.40s is not accepted; send it plain or gzip", encoding);
    call->body_encoded = true;
    return XPL_OK;
}

/* One more piece of the plain body, which may grow a byte longer than its limit; *more is false at its end. */
static enum xpl_status inflate_step(struct xpl_call *call, z_stream *stream, struct xpl_buf *plain, bool *more,
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
        return xpl_call_body_too_long(call, "the decompressed body", err);
    if (result == Z_MEM_ERROR)
        return xpl_no_memory(err);
    *more = result == Z_OK || stream->avail_in;
    if ((result == Z_STREAM_END && stream->avail_in) /* what was compressed in parts is as good as the whole */
            ? inflateReset(stream) != Z_OK
            : result != Z_OK && result != Z_STREAM_END)
        return xpl_fail(err, XPL_BAD_REQUEST, "the body is not a whole gzip stream");
    return XPL_OK;
}

enum xpl_status xpl_body_decode(struct xpl_call *call, struct xpl_error *err)
{
    z_stream stream = {.next_in = (unsigned char *)call->body.data, .avail_in = (unsigned)call->body.length};
    enum xpl_status st = XPL_OK;
    struct xpl_buf plain;
    bool more = true;

    if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
        return xpl_no_memory(err);
    xpl_buf_init(&plain, xpl_call_body_limit(call) + 1);
    while (!st && more)
        st = inflate_step(call, &stream, &plain, &more, err);
    inflateEnd(&stream);
    xpl_buf_release(&call->body);
    call->body = plain;
    call->body_encoded = false;
    return st;
}
