/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that are not JSON: NumPy files, pictures, and forms with one of them. */
#include "lib/scoring/requests/raw_body.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xpl_raw_body body = {fuzz_exact(data, size), NULL, false, NULL};
    struct xpl_arena *arena = xpl_arena_new(FUZZ_ARENA_BYTES);
    struct xpl_error err = {0};
    struct xpl_text text;

    if (xpl_raw_body_as_json(arena, &body, &text, &err))
        FUZZ_REQUIRE(*err.message);
    else
        FUZZ_REQUIRE(text.ptr == body.bytes.ptr || fuzz_is_json(text));
    xpl_arena_free(arena);
    fuzz_free(body.bytes);
    return 0;
}
