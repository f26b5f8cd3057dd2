/* SPDX-License-Identifier: Apache-2.0 */
/* Texts come back as they were, whatever they are, and whatever is unpacked stays within its bounds. */
#include "db/packing.h"
#include "tests/fuzz/fuzz.h"

#define UNPACKED_BYTES 4096

static void text_comes_back(struct xpl_arena *arena, struct xpl_text text)
{
    char *out = malloc(text.length + XPL_PACKING_SLACK);
    struct xpl_blob packed;
    enum xpl_packing packing;

    FUZZ_REQUIRE(out);
    if ((packing = xpl_pack(arena, text, &packed))) {
        struct xpl_text exact = fuzz_exact(packed.data, packed.length);

        FUZZ_REQUIRE(packed.length <= text.length + 16);
        FUZZ_REQUIRE(!xpl_unpack(arena, packing, (struct xpl_blob){exact.ptr, exact.length}, out, text.length));
        FUZZ_REQUIRE(memcmp(out, text.ptr, text.length) == 0);
        fuzz_free(exact);
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xpl_text input = fuzz_exact(data, size);
    XPL_AUTO(xpl_arena) arena = xpl_arena_new(FUZZ_ARENA_BYTES);
    char *out = malloc(UNPACKED_BYTES + XPL_PACKING_SLACK);

    FUZZ_REQUIRE(arena && out);
    text_comes_back(arena, input);
    for (size_t length = 0; length <= UNPACKED_BYTES; length += length < 256 ? 1 : 256)
        for (enum xpl_packing packing = XPL_PACKED_BYTES; packing <= XPL_PACKED_TEXTS; packing++)
            xpl_unpack(arena, packing, (struct xpl_blob){input.ptr, input.length}, out, length);
    free(out);
    fuzz_free(input);
    return 0;
}
