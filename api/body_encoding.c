/* SPDX-License-Identifier: Apache-2.0 */
#include "api/body_encoding.h"

#include "api/routes.h"
#include "lib/base/content_coding.h"

enum xpl_status xpl_body_encoding_note(struct xpl_call *call, struct xpl_error *err)
{
    const char *encoding = xpl_call_header(call, "Content-Encoding");
    enum xpl_content_coding coding = xpl_content_coding_of(encoding);

    if (coding != XPL_CODING_NONE && coding != XPL_CODING_GZIP)
        return xpl_fail(err, XPL_BAD_MEDIA_TYPE,
                        "a body with Content-Encoding %.40s is not accepted; send it plain or gzip", encoding);
    call->body_encoded = coding == XPL_CODING_GZIP;
    return XPL_OK;
}

enum xpl_status xpl_body_encoding_check(struct xpl_call *call, struct xpl_error *err)
{
    const char *encoding = xpl_call_header(call, "Content-Encoding");

    if (xpl_call_scores(call))
        return XPL_OK;
    if (call->route->body_limit == XPL_BODY_RECORDS)
        return xpl_body_encoding_note(call, err);
    if (xpl_content_coding_of(encoding) == XPL_CODING_NONE)
        return XPL_OK;
    return xpl_fail(err, XPL_BAD_MEDIA_TYPE, "a body with Content-Encoding %.40s is not accepted; send it plain",
                    encoding);
}

enum xpl_status xpl_body_decode(struct xpl_call *call, struct xpl_error *err)
{
    struct xpl_error why = {0};
    struct xpl_buf plain;
    enum xpl_status st =
        xpl_content_decode(xpl_call_body(call), XPL_CODING_GZIP, xpl_call_body_limit(call), &plain, &why);

    xpl_buf_release(&call->body);
    call->body = plain;
    call->body_encoded = false;
    if (st == XPL_TOO_LARGE)
        return xpl_call_body_too_long(call, "the decompressed body", err);
    if (st == XPL_BAD_REQUEST)
        return xpl_fail(err, st, "the body is not a whole gzip stream");
    return st ? xpl_no_memory(err) : XPL_OK;
}
