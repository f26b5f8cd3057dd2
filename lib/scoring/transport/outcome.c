/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/transport/outcome.h"

#include "lib/scoring/transport/transport.h"

/* How far the call came. */
static void note_progress(struct xpl_slot *slot)
{
    curl_off_t connected_us = 0;

    curl_easy_getinfo(slot->handle, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    curl_easy_getinfo(slot->handle, CURLINFO_RESPONSE_CODE, &slot->status);
    slot->connected = connected_us > 0;
}

static enum xpl_outcome judge_status(struct xpl_slot *slot, int64_t *ret_retry_after_ms, struct xpl_error *err)
{
    curl_off_t after_s = 0;
    long status = slot->status;

    if (status >= 200 && status < 300)
        return XPL_OUTCOME_ANSWER;
    if (status == 408 || status == 429 || status >= 500) {
        curl_easy_getinfo(slot->handle, CURLINFO_RETRY_AFTER, &after_s);
        *ret_retry_after_ms = (int64_t)after_s * 1000;
        xpl_fail(err, XPL_MODEL_FAILED, "the model answered with status %ld", status);
        return XPL_OUTCOME_AGAIN;
    }
    xpl_fail(err, XPL_MODEL_REFUSED, "the model refused the call with status %ld", status);
    return XPL_OUTCOME_FAILED;
}

enum xpl_outcome xpl_outcome_judge(struct xpl_slot *slot, CURLcode code, int64_t *ret_retry_after_ms,
                                   struct xpl_error *err)
{
    note_progress(slot);
    if (code == CURLE_OK)
        return judge_status(slot, ret_retry_after_ms, err);
    if (slot->refused && !slot->opened) {
        xpl_fail(err, XPL_ADDRESS_REFUSED, "the scoring address is not among those scoring.allow permits");
        return XPL_OUTCOME_FAILED;
    }
    if (slot->answer.failed) {
        xpl_fail(err, XPL_MODEL_BAD_ANSWER, "the model's answer is longer than %zu bytes", slot->answer.max);
        return XPL_OUTCOME_FAILED;
    }
    if (code == CURLE_UNSUPPORTED_PROTOCOL && slot->connected) {
        xpl_fail(err, XPL_MODEL_UNREACHABLE,
                 "what the scoring address answered is not HTTP/1.x: a server of HTTP/2 or "
                 "gRPC only, or of another protocol");
        return XPL_OUTCOME_FAILED;
    }
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_LOGIN_DENIED) {
        xpl_fail(err, XPL_MODEL_UNREACHABLE, "the scoring address is not usable: %s", curl_easy_strerror(code));
        return XPL_OUTCOME_FAILED;
    }
    if (slot->header_bytes > XPL_MAX_ANSWER_HEADERS) {
        xpl_fail(err, XPL_MODEL_BAD_ANSWER, "the headers of the model's answer are longer than %zu bytes",
                 XPL_MAX_ANSWER_HEADERS);
        return XPL_OUTCOME_FAILED;
    }
    if (code == CURLE_PEER_FAILED_VERIFICATION) {
        xpl_fail(err, XPL_MODEL_UNREACHABLE, "the certificate of the scoring address is not trusted");
        return XPL_OUTCOME_FAILED;
    }
    /* before that, a time-out is a connection error, and worth another try */
    if (code == CURLE_OPERATION_TIMEDOUT && slot->connected) {
        xpl_fail(err, XPL_MODEL_TIMEOUT, "the model did not answer in time");
        return XPL_OUTCOME_FAILED;
    }
    xpl_fail(err, XPL_MODEL_UNREACHABLE, "%s: %s",
             slot->connected ? "the connection to the model broke" : "the model cannot be reached",
             curl_easy_strerror(code));
    return XPL_OUTCOME_AGAIN;
}
