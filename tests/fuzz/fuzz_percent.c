/* SPDX-License-Identifier: Apache-2.0 */
/* Percent-decoding and UTF-8, the first things done with a path or query. */
#include "lib/base/time.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool plus = size && data[0] & 1;
    char *text = strndup(size ? (const char *)data + 1 : "", size ? size - 1 : 0);
    struct xpl_text exact = fuzz_exact(data, size);
    int64_t number, time_us;
    size_t before;

    FUZZ_REQUIRE(text);
    before = strlen(text);
    xpl_is_utf8(exact.ptr, exact.length);
    if (xpl_percent_decode(text, plus)) {
        FUZZ_REQUIRE(strlen(text) <= before);
        if (xpl_parse_int(text, -1000, 1000, &number))
            FUZZ_REQUIRE(number >= -1000 && number <= 1000);
        xpl_time_parse(text, &time_us);
        xpl_parse_double(text, strlen(text));
    }
    fuzz_free(exact);
    free(text);
    return 0;
}
