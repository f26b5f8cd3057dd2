/* SPDX-License-Identifier: Apache-2.0 */
/* Packed texts come back to the last byte, whatever they are; damaged ones do not come back. */
#include "tests/unit/db/packing_checks.h"

#include <stdio.h>

#include "lib/base/buf.h"

#define ARENA_BYTES ((size_t)16 << 20)

/* A picture of `height` x `width` x `channels` pixels as JSON; channels 0 = rows of numbers. */
static struct xpl_text picture(struct xpl_buf *buf, size_t height, size_t width, size_t channels, const char *comma)
{
    size_t inner = channels ? channels : 1;
    unsigned value = 7;

    xpl_buf_printf(buf, "{\"input_data\":[{\"values\":[[");
    for (size_t y = 0; y < height; y++) {
        xpl_buf_printf(buf, "%s[", y ? comma : "");
        for (size_t x = 0; x < width; x++) {
            xpl_buf_printf(buf, "%s%s", x ? comma : "", channels ? "[" : "");
            for (size_t c = 0; c < inner; c++, value = value * 1664525 + 1013904223)
                xpl_buf_printf(buf, "%s%u", c ? comma : "", value >> 24);
            xpl_buf_printf(buf, "%s", channels ? "]" : "");
        }
        xpl_buf_printf(buf, "]");
    }
    xpl_buf_printf(buf, "]]}]}");
    return (struct xpl_text){buf->data, buf->length};
}

static void pictures_come_back_and_are_a_byte_a_number(void **state)
{
    static const char *const commas[] = {",", ", "};
    static const size_t channels[] = {0, 1, 3, 4};

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);
        size_t c = channels[i / 2], n = 30 * 40 * (c ? c : 1);
        XPL_AUTO(xpl_buf) buf = xpl_buf_new(ARENA_BYTES);
        struct xpl_text text = picture(buf, 30, 40, c, commas[i % 2]);
        struct xpl_blob packed;

        assert_int_equal(xpl_pack(arena, text, &packed), XPL_PACKED_BYTES);
        assert_in_range(packed.length, n, n + 30 * 8 + 64);
        assert_true(comes_back(arena, XPL_PACKED_BYTES, packed, text));
    }
}

static void texts_of_other_things_are_left_as_they_are(void **state)
{
    static const char *const texts[] = {"",
                                        "{}",
                                        "[1,2,3]",
                                        "[0.25,0.5,1.5,2.5,3.5,4.5,5.5,6.5,7.5,8.5,9.5,1.5,2.5,3]",
                                        "[256,257,258,259,260,261,262,263,264,265,266,267,268,269,270,271,272,273]",
                                        "[-1,-2,-3,-4,-5,-6,-7,-8,-9,-1,-2,-3,-4,-5,-6,-7,-8,-9]"};
    XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);
    struct xpl_blob packed;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (xpl_pack(arena, (struct xpl_text){texts[i], strlen(texts[i])}, &packed))
            fail_msg("packed: %s", texts[i]);
}

/* Whatever stands between or within the numbers. */
static void odd_texts_come_back(void **state)
{
    static const char *const odd[] = {"%s",
                                      "%s%s",
                                      "[%s,%s]",
                                      "[%s, %s,%s]",
                                      "[[1,2], [3,4],[5,6]]%s",
                                      "%s[1,2,",
                                      "[1,2%s",
                                      "%s,[300]",
                                      "[01,2],%s",
                                      "[1 ,2]%s",
                                      "[1,2] ,[3,4]%s",
                                      "[1,  2],%s",
                                      "[[],[1],[]],%s",
                                      "\"[1,2\",%s",
                                      "[%s",
                                      "%s]",
                                      "[[[%s]]]",
                                      "[1,2,3.5,4],%s",
                                      "[1,2,-3,4],%s",
                                      "[1,2e3],%s",
                                      "%s[0,00]"};
    static const char row[] = "[0,1,2,3,4,5,6,7,8,9,10,99,100,101,199,200,249,250,254,255]";
    char text[1024];

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);
        struct xpl_blob packed;
        int length;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        length = snprintf(text, sizeof text, odd[i], row, row, row);
#pragma GCC diagnostic pop
        if (xpl_pack(arena, (struct xpl_text){text, (size_t)length}, &packed) != XPL_PACKED_BYTES)
            fail_msg("not packed: %s", text);
        if (!comes_back(arena, XPL_PACKED_BYTES, packed, (struct xpl_text){text, (size_t)length}))
            fail_msg("does not come back: %s", text);
    }
}

static void damaged_ones_are_refused_or_another_text(void **state)
{
    XPL_AUTO(xpl_buf) buf = xpl_buf_new(ARENA_BYTES);

    (void)state;
    check_damaged(XPL_PACKED_BYTES, picture(buf, 4, 9, 3, ", "), 4, 4 + (size_t)4 * 9 * 3);
}

/* One number more than the text has, behind the others: all of the text would be there. */
static void numbers_that_no_part_takes_are_damage(void **state)
{
    XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);
    XPL_AUTO(xpl_buf) buf = xpl_buf_new(ARENA_BYTES);
    struct xpl_text text = picture(buf, 2, 50, 1, ",");
    struct xpl_blob packed;
    uint8_t *more;

    (void)state;
    assert_int_equal(xpl_pack(arena, text, &packed), XPL_PACKED_BYTES);
    assert_non_null(more = xpl_arena_alloc(arena, packed.length + 1));
    memcpy(more, packed.data, 4 + 100);
    memcpy(more + 4 + 101, (const uint8_t *)packed.data + 4 + 100, packed.length - 4 - 100);
    assert_int_equal(more[0]++, 100);
    assert_false(comes_back(arena, XPL_PACKED_BYTES, (struct xpl_blob){more, packed.length + 1}, text));
    assert_true(comes_back(arena, XPL_PACKED_BYTES, packed, text));
}

static void stored_payloads_come_back_and_damaged_ones_say_so(void **state)
{
    XPL_AUTO(xpl_buf) buf = xpl_buf_new(ARENA_BYTES);

    (void)state;
    check_stored(picture(buf, 28, 28, 1, ","), 28 * 28 + 128);
}

/* However little there is of it: a store that is sound is never called damaged. */
static void a_payload_that_finds_no_memory_says_so(void **state)
{
    XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);
    XPL_AUTO(xpl_buf) buf = xpl_buf_new(ARENA_BYTES);
    struct xpl_text text = picture(buf, 28, 28, 1, ","), back;
    struct xpl_error err = {0};
    struct xpl_blob blob;
    size_t n_refused = 0;

    (void)state;
    assert_int_equal(xpl_payload_compress(arena, text, &blob, &err), XPL_OK);
    for (size_t bytes = 1024; bytes < 64 * 1024; bytes += 256) {
        XPL_AUTO(xpl_arena) small = xpl_arena_new(bytes);
        enum xpl_status st = xpl_payload_decompress(small, blob, (int64_t)text.length, &back, &err);

        assert_true(st == XPL_OK || st == XPL_NO_MEMORY);
        n_refused += st == XPL_NO_MEMORY;
    }
    assert_true(n_refused > 4);
}

/* What cannot be JSON is kept, too, until it is listed as an error. */
static void bytes_that_look_stored_come_back(void **state)
{
    static const char *const odd[] = {"\1", "\1\2\3", "\x28\xB5\x2F\xFD", "\x28\xB5\x2F\xFD and more"};
    XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct xpl_text text = {odd[i], strlen(odd[i])}, back;
        struct xpl_error err = {0};
        struct xpl_blob blob;

        assert_int_equal(xpl_payload_compress(arena, text, &blob, &err), XPL_OK);
        assert_int_equal(xpl_payload_decompress(arena, blob, (int64_t)text.length, &back, &err), XPL_OK);
        assert_memory_equal(back.ptr, text.ptr, text.length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_come_back_and_are_a_byte_a_number),
        cmocka_unit_test(texts_of_other_things_are_left_as_they_are),
        cmocka_unit_test(odd_texts_come_back),
        cmocka_unit_test(damaged_ones_are_refused_or_another_text),
        cmocka_unit_test(numbers_that_no_part_takes_are_damage),
        cmocka_unit_test(a_payload_that_finds_no_memory_says_so),
        cmocka_unit_test(bytes_that_look_stored_come_back),
        cmocka_unit_test(stored_payloads_come_back_and_damaged_ones_say_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
