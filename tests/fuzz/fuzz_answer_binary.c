/* SPDX-License-Identifier: Apache-2.0 */
/* Answers with raw tensors. The first two bytes say how long the text in front of them is. */
#include "lib/scoring/requests/raw_tensors.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t head = size >= 2 ? (size_t)data[0] | (size_t)data[1] << 8 : 0;
    struct xpl_text answer = size >= 2 ? fuzz_exact(data + 2, size - 2) : fuzz_exact(data, 0), text;
    struct xpl_arena *arena = xpl_arena_new(FUZZ_ARENA_BYTES);
    struct xpl_error err = {0};

    if (xpl_tensors_unpack(arena, answer, head, head & 1 ? "inputs" : "outputs", &text, &err) == XPL_OK)
        FUZZ_REQUIRE(fuzz_is_json(text) && text.ptr[text.length] == '\0');
    else
        FUZZ_REQUIRE(*err.message);
    xpl_arena_free(arena);
    fuzz_free(answer);
    return 0;
}
