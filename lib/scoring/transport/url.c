/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/transport/url.h"

#include <curl/curl.h>

#include "lib/base/text.h"

enum xpl_status xpl_url_check(const char *url, const char *field, struct xpl_error *err)
{
    CURLU *parsed;
    CURLUcode code;

    if (!xpl_starts_with(url, "http://") && !xpl_starts_with(url, "https://"))
        return xpl_fail_field(err, XPL_BAD_FIELD, field, "must start with http:// or https://");
    if (!(parsed = curl_url()))
        return xpl_no_memory(err);
    code = curl_url_set(parsed, CURLUPART_URL, url, CURLU_DISALLOW_USER);
    curl_url_cleanup(parsed);
    if (code == CURLUE_OUT_OF_MEMORY)
        return xpl_no_memory(err);
    if (code == CURLUE_USER_NOT_ALLOWED)
        return xpl_fail_field(err, XPL_BAD_FIELD, field,
                              "must not hold user and password: anyone who reads it would see"
                              " them");
    if (code)
        return xpl_fail_field(err, XPL_BAD_FIELD, field, "is no URL that can be called: %s", curl_url_strerror(code));
    return XPL_OK;
}
