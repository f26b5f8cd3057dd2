/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/model_settings.h"

#include <string.h>

/* Whether the path of an address ends like this. */
static bool path_ends(const char *url, const char *suffix)
{
    size_t path = strcspn(url, "?#"), length = strlen(suffix);

    return path >= length && memcmp(url + path - length, suffix, length) == 0;
}

enum xpl_wire_format xpl_wire_of_url(const char *url)
{
    if (strstr(url, "/ml/v4/"))
        return XPL_WIRE_WML_V4;
    if (path_ends(url, ":predict"))
        return XPL_WIRE_INSTANCES;
    return strstr(url, "/v2/models/") && path_ends(url, "/infer") ? XPL_WIRE_TENSOR : XPL_WIRE_AS_LOGGED;
}
