/* SPDX-License-Identifier: Apache-2.0 */
/* Paths to routes: the first byte is the method, the rest the path as sent. */
#include "api/routes.h"
#include "tests/fuzz/fuzz_call.h"

static void check_refusal(const struct xpl_call *call)
{
    unsigned status = call->reply.http_status;

    FUZZ_REQUIRE(status == 400 || status == 404 || status == 405);
    FUZZ_REQUIRE(fuzz_is_json(call->reply.body));
}

static void check_route(const struct xpl_call *call)
{
    FUZZ_REQUIRE(call->route && call->route->method == call->method);
    FUZZ_REQUIRE(xpl_is_guid(call->data_mart_id));
    for (size_t i = 0; i < XPL_MAX_PATH_PARAMS && call->path_params[i]; i++)
        FUZZ_REQUIRE(*call->path_params[i] && xpl_is_utf8(call->path_params[i], strlen(call->path_params[i])));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xpl_app app = {0};
    struct xpl_call call;
    char *path;

    fuzz_call_start(&call, &app);
    call.method = size ? (enum xpl_method)(data[0] % (XPL_OTHER_METHOD + 1)) : XPL_GET;
    path = strndup(size ? (const char *)data + 1 : "", size ? size - 1 : 0);
    FUZZ_REQUIRE(path);
    if (xpl_call_route(&call, path))
        check_route(&call);
    else
        check_refusal(&call);
    free(path);
    fuzz_call_end(&call);
    return 0;
}
