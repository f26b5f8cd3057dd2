/* SPDX-License-Identifier: Apache-2.0 */
#include "server/background/gateway_unpack.h"

#include "lib/base/content_coding.h"

static enum xpl_status unpack(const char *what, const char *encoding, size_t max, struct xpl_text *text,
                              struct xpl_buf *plain, struct xpl_error *err)
{
    enum xpl_content_coding coding = xpl_content_coding_of(encoding);
    struct xpl_error why = {0};
    enum xpl_status st;

    if (coding == XPL_CODING_NONE)
        return XPL_OK;
    if (coding == XPL_CODING_OTHER)
        return xpl_fail(err, XPL_BAD_RECORD, "the %s has the Content-Encoding %.40s; gzip and deflate can be logged",
                        what, encoding);
    if ((st = xpl_content_decode(*text, coding, max, plain, &why)))
        return xpl_fail(err, st == XPL_BAD_REQUEST ? XPL_BAD_RECORD : st, "the %s (%.40s) cannot be unpacked: %s", what,
                        encoding, why.message);
    *text = (struct xpl_text){plain->data, plain->length};
    return XPL_OK;
}

enum xpl_status xpl_gateway_unpack(const struct xpl_settings *settings, struct xpl_scored *scored,
                                   struct xpl_unpacked *ret, struct xpl_error *err)
{
    enum xpl_status st;

    *ret = (struct xpl_unpacked){0};
    if ((st = unpack("request", scored->request_encoding, (size_t)settings->limits_records_body_bytes, &scored->request,
                     &ret->request, err)) ||
        (st = unpack("answer", scored->response_encoding, (size_t)settings->scoring_answer_bytes, &scored->response,
                     &ret->response, err)))
        xpl_unpacked_release(ret);
    return st;
}

void xpl_unpacked_release(struct xpl_unpacked *unpacked)
{
    xpl_buf_release(&unpacked->request);
    xpl_buf_release(&unpacked->response);
}
