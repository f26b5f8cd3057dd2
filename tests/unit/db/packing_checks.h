/* SPDX-License-Identifier: Apache-2.0 */
/* What both kinds of packing must keep to. */
#ifndef XPL_TESTS_DB_PACKING_CHECKS_H
#define XPL_TESTS_DB_PACKING_CHECKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "db/packing.h"
#include "db/records.h"

#define PACKING_ARENA_BYTES ((size_t)64 << 20)

static inline bool comes_back(struct xpl_arena *arena, enum xpl_packing packing, struct xpl_blob packed,
                              struct xpl_text text)
{
    char *out = xpl_arena_alloc(arena, text.length + XPL_PACKING_SLACK);

    return !xpl_unpack(arena, packing, packed, out, text.length) && memcmp(out, text.ptr, text.length) == 0;
}

/* A copy of its own, so that the sanitizer sees a read beyond the end. */
static inline bool damaged_unpacks(enum xpl_packing packing, struct xpl_blob packed, size_t at, unsigned bit, char *out,
                                   size_t size)
{
    struct xpl_arena *arena = xpl_arena_new(PACKING_ARENA_BYTES);
    uint8_t *damaged = malloc(packed.length);
    bool ret;

    assert_non_null(damaged);
    memcpy(damaged, packed.data, packed.length);
    damaged[at] ^= (uint8_t)(1u << bit);
    ret = xpl_unpack(arena, packing, (struct xpl_blob){damaged, packed.length}, out, size) == XPL_OK;
    free(damaged);
    xpl_arena_free(arena);
    return ret;
}

/* Each beginning of a packed text, and each of its bits changed: a head of `head` bytes is refused, numbers up to
 * `numbers_end` are others; behind them it may mean the same. */
static inline void check_damaged(enum xpl_packing packing, struct xpl_text text, size_t head, size_t numbers_end)
{
    struct xpl_arena *arena = xpl_arena_new(PACKING_ARENA_BYTES);
    struct xpl_blob packed;
    char *out;

    assert_int_equal(xpl_pack(arena, text, &packed), packing);
    out = xpl_arena_alloc(arena, text.length + XPL_PACKING_SLACK + 1);
    for (size_t length = 0; length < packed.length; length++)
        assert_int_equal(xpl_unpack(arena, packing, (struct xpl_blob){packed.data, length}, out, text.length),
                         XPL_STORAGE_FAILED);
    assert_int_equal(xpl_unpack(arena, packing, packed, out, text.length - 1), XPL_STORAGE_FAILED);
    assert_int_equal(xpl_unpack(arena, packing, packed, out, text.length + 1), XPL_STORAGE_FAILED);
    for (size_t at = 0; at < packed.length; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            bool is_text = damaged_unpacks(packing, packed, at, bit, out, text.length);

            if (at < head)
                assert_false(is_text);
            else if (at < numbers_end && is_text)
                assert_memory_not_equal(out, text.ptr, text.length);
        }
    xpl_arena_free(arena);
}

/* A text as payloads keep it, of `most` bytes: whole, of another length, and each beginning of it. */
static inline void check_stored(struct xpl_text text, size_t most)
{
    struct xpl_arena *arena = xpl_arena_new(PACKING_ARENA_BYTES);
    struct xpl_error err = {0};
    struct xpl_text back;
    struct xpl_blob blob;
    char *bytes;

    assert_int_equal(xpl_payload_compress(arena, text, &blob, &err), XPL_OK);
    assert_in_range(blob.length, 1, most);
    assert_int_equal(xpl_payload_decompress(arena, blob, (int64_t)text.length, &back, &err), XPL_OK);
    assert_int_equal(back.length, text.length);
    assert_memory_equal(back.ptr, text.ptr, text.length);
    assert_int_equal(xpl_payload_decompress(arena, blob, (int64_t)text.length - 1, &back, &err), XPL_STORAGE_FAILED);
    bytes = xpl_arena_alloc(arena, blob.length);
    memcpy(bytes, blob.data, blob.length);
    for (size_t length = 1; length < blob.length; length++)
        assert_int_equal(
            xpl_payload_decompress(arena, (struct xpl_blob){bytes, length}, (int64_t)text.length, &back, &err),
            XPL_STORAGE_FAILED);
    xpl_arena_free(arena);
}

#endif
