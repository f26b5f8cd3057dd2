/* SPDX-License-Identifier: Apache-2.0 */
/* The body of POST records as transactions. */
#include "api/records/records_read.h"
#include "tests/fuzz/fuzz_call.h"

static void check(const struct xpl_transaction *transactions, size_t n)
{
    FUZZ_REQUIRE(n > 0 && n <= XPL_MAX_TRANSACTIONS);
    for (size_t i = 0; i < n; i++) {
        FUZZ_REQUIRE(fuzz_is_json(transactions[i].request) && transactions[i].request.ptr[0] == '{');
        FUZZ_REQUIRE(fuzz_is_json(transactions[i].response) && transactions[i].response.ptr[0] == '{');
        if (transactions[i].scoring_id)
            FUZZ_REQUIRE(xpl_is_utf8(transactions[i].scoring_id, strlen(transactions[i].scoring_id)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xpl_app app = {0};
    struct xpl_transaction *transactions;
    struct xpl_call call;
    struct xpl_error err = {0};
    size_t n;

    fuzz_call_start(&call, &app);
    xpl_buf_init(&call.body, size);
    FUZZ_REQUIRE(xpl_buf_append(&call.body, size ? data : (const uint8_t *)"", size));
    if (xpl_records_read(&call, xpl_call_body(&call), &transactions, &n, &err) == XPL_OK)
        check(transactions, n);
    else
        FUZZ_REQUIRE(*err.message);
    fuzz_call_end(&call);
    return 0;
}
