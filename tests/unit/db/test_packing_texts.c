/* SPDX-License-Identifier: Apache-2.0 */
/* Texts packed with the texts of their numbers come back to the last byte; damaged ones do not come back. */
#include "tests/unit/db/packing_checks.h"

#include "lib/base/buf.h"

#define ARENA_BYTES ((size_t)64 << 20)
#define HEAD_BYTES  6

/* What a picture of floats is like. */
struct picture {
    size_t height, width, channels;
    unsigned levels; /* of the values of a channel */
    bool normalised; /* each channel by itself */
    int digits;      /* of a number, at most */
    const char *comma;
};

static void put_pixel(struct xpl_buf *buf, const struct picture *p, unsigned *value)
{
    static const double means[] = {.485, .456, .406, .5}, deviations[] = {.229, .224, .225, .25};

    for (size_t c = 0; c < p->channels; c++) {
        double number;

        *value = *value * 1664525 + 1013904223;
        number = (*value >> 8) % p->levels / 255.0;
        if (p->normalised)
            number = (number - means[c]) / deviations[c];
        xpl_buf_printf(buf, "%s%.*g", c ? p->comma : "", p->digits, number);
    }
}

static struct xpl_text text_of(struct xpl_buf *buf, const struct picture *p)
{
    unsigned value = 7;

    xpl_buf_printf(buf, "{\"input_data\":[{\"values\":[[");
    for (size_t y = 0; y < p->height; y++) {
        xpl_buf_printf(buf, "%s[", y ? p->comma : "");
        for (size_t x = 0; x < p->width; x++) {
            xpl_buf_printf(buf, "%s[", x ? p->comma : "");
            put_pixel(buf, p, &value);
            xpl_buf_printf(buf, "]");
        }
        xpl_buf_printf(buf, "]");
    }
    xpl_buf_printf(buf, "]]}]}");
    return (struct xpl_text){buf->data, buf->length};
}

/* `bytes` a number, the texts, and some for each row. */
static void check_picture(const struct picture *p, size_t bytes, size_t n_texts)
{
    XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);
    XPL_AUTO(xpl_buf) buf = xpl_buf_new(ARENA_BYTES);
    struct xpl_text text = text_of(buf, p);
    size_t n = p->height * p->width * p->channels;
    struct xpl_blob packed;

    assert_int_equal(xpl_pack(arena, text, &packed), XPL_PACKED_TEXTS);
    assert_in_range(packed.length, bytes * n, bytes * n + n_texts * 24 + p->height * 8 + 64);
    assert_true(comes_back(arena, XPL_PACKED_TEXTS, packed, text));
}

static void pictures_of_floats_come_back(void **state)
{
    static const char *const commas[] = {",", ", "};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        check_picture(&(struct picture){40, 40, 1, 256, false, 17, commas[i]}, 1, 256);
        check_picture(&(struct picture){40, 40, 3, 256, false, 17, commas[i]}, 1, 256);
        check_picture(&(struct picture){40, 40, 3, 256, true, 17, commas[i]}, 2, 768);
        check_picture(&(struct picture){40, 40, 4, 85, true, 17, commas[i]}, 2, 340);
        check_picture(&(struct picture){40, 40, 3, 85, true, 6, commas[i]}, 1, 255);
        check_picture(&(struct picture){1, 1600, 3, 256, false, 4, commas[i]}, 1, 256);
    }
}

/* Where most numbers are like no other, and where there is too little to pack. */
static void other_floats_stay_text(void **state)
{
    XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);
    XPL_AUTO(xpl_buf) different = xpl_buf_new(ARENA_BYTES);
    XPL_AUTO(xpl_buf) small = xpl_buf_new(ARENA_BYTES);
    struct xpl_blob packed;

    (void)state;
    assert_int_equal(
        xpl_pack(arena, text_of(different, &(struct picture){60, 60, 3, 1000003, false, 17, ","}), &packed),
        XPL_NOT_PACKED);
    assert_int_equal(xpl_pack(arena, text_of(small, &(struct picture){4, 4, 3, 256, false, 17, ","}), &packed),
                     XPL_NOT_PACKED);
}

/* Eight rows of 40 numbers for a $, whose texts have 4 to 22 bytes. */
static void put_odd(struct xpl_buf *buf, char c)
{
    if (c != '$') {
        xpl_buf_printf(buf, "%c", c);
        return;
    }
    for (int n = 0; n < 320; n++)
        xpl_buf_printf(buf, "%s%.*g", n == 0 ? "[" : n % 40 ? "," : "],[", 2 + n % 40 % 16, -(n % 40 + 1) / 300.0);
    xpl_buf_printf(buf, "]");
}

/* Whatever stands between or within the numbers. */
static void odd_texts_come_back(void **state)
{
    static const char *const odd[] = {"$",
                                      "$$",
                                      "[$,$]",
                                      "[$, $,$]",
                                      "$[0.5,0.25,",
                                      "[0.5,0.25$",
                                      "$,[0.5 ,0.25]",
                                      "[0.5,  0.25],$",
                                      "[0.5,0.25] ,$",
                                      "[[],[0.5],[]],$",
                                      "\"[0.5,1\",$",
                                      "[$",
                                      "$]",
                                      "[[[$]]]",
                                      "[0.5,null,0.25],$",
                                      "[0.5,+0.25,0.5],$",
                                      "[0.5,-1e-300,1E+5],$",
                                      "[0.5,0.12345678901234567890123456,1],$",
                                      "[0.5,0.1234567890123456789012,1],$",
                                      "[0.5,0.123456789012345678901,1],$",
                                      "[1,1[1,1[1,1],$",
                                      "$[0,00,000,0000,-,--]",
                                      "$[0.5",
                                      "$[0.5,",
                                      "$[",
                                      "$,"};

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);
        XPL_AUTO(xpl_buf) buf = xpl_buf_new(ARENA_BYTES);
        struct xpl_text text;
        struct xpl_blob packed;

        for (const char *at = odd[i]; *at; at++)
            put_odd(buf, *at);
        text = (struct xpl_text){buf->data, buf->length};
        if (xpl_pack(arena, text, &packed) != XPL_PACKED_TEXTS)
            fail_msg("not packed: %s", odd[i]);
        if (!comes_back(arena, XPL_PACKED_TEXTS, packed, text))
            fail_msg("does not come back: %s", odd[i]);
    }
}

/* A zero byte belongs to its text. */
static void zero_bytes_come_back(void **state)
{
    XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);
    XPL_AUTO(xpl_buf) buf = xpl_buf_new(ARENA_BYTES);
    struct xpl_text text = text_of(buf, &(struct picture){20, 20, 3, 16, false, 17, ","});
    struct xpl_blob packed;

    (void)state;
    for (size_t i = 40; i < text.length; i += 97)
        if (buf->data[i] >= '0' && buf->data[i] <= '9')
            buf->data[i] = '\0';
    assert_int_equal(xpl_pack(arena, text, &packed), XPL_PACKED_TEXTS);
    assert_true(comes_back(arena, XPL_PACKED_TEXTS, packed, text));
}

static void damaged_ones_are_refused_or_another_text(void **state)
{
    XPL_AUTO(xpl_buf) buf = xpl_buf_new(ARENA_BYTES);
    struct xpl_text text = text_of(buf, &(struct picture){5, 9, 3, 12, false, 17, ", "});

    (void)state;
    check_damaged(XPL_PACKED_TEXTS, text, HEAD_BYTES, HEAD_BYTES + (size_t)5 * 9 * 3);
}

static void stored_payloads_come_back_and_damaged_ones_say_so(void **state)
{
    XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);
    XPL_AUTO(xpl_buf) buf = xpl_buf_new(ARENA_BYTES);
    struct xpl_text text = text_of(buf, &(struct picture){28, 28, 1, 256, false, 17, ","});
    struct xpl_blob blob;

    (void)state;
    assert_int_equal(xpl_payload_compress(arena, text, &blob, NULL), XPL_OK);
    assert_memory_equal(blob.data, "\1\2", 2);
    check_stored(text, text.length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_of_floats_come_back),
        cmocka_unit_test(other_floats_stay_text),
        cmocka_unit_test(odd_texts_come_back),
        cmocka_unit_test(zero_bytes_come_back),
        cmocka_unit_test(damaged_ones_are_refused_or_another_text),
        cmocka_unit_test(stored_payloads_come_back_and_damaged_ones_say_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
