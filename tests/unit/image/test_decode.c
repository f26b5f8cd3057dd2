/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lib/image/decode.h"
#include "tests/unit/image/image_test.h"

#define SIDE 16u

struct file {
    uint8_t bytes[8192];
    size_t length;
};

static void put(struct file *file, const void *data, size_t length)
{
    assert_true(length <= sizeof file->bytes - file->length);
    memcpy(file->bytes + file->length, data, length);
    file->length += length;
}

static void put_number(struct file *file, size_t number)
{
    const uint8_t bytes[] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};

    put(file, bytes, sizeof bytes);
}

/* Readers of pictures need not look at the check sum. */
static void put_chunk(struct file *file, const char *name, const uint8_t *data, size_t length)
{
    put_number(file, length);
    put(file, name, 4);
    put(file, data, length);
    put_number(file, 0);
}

/* One byte of data, whose bits are the indexes, for each row and column / (8 / depth), stored as they are. */
static void put_indexes(struct file *file, uint32_t depth)
{
    uint32_t row_bytes = SIDE * depth / 8, n = SIDE * (row_bytes + 1);
    uint8_t stream[16 + SIDE * (SIDE + 1)] = {
        0x78, 1, 1, (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)~n, (uint8_t)(~n >> 8)};
    size_t at = 7;

    for (uint32_t r = 0; r < SIDE; r++) {
        stream[at++] = 0;
        for (uint32_t c = 0; c < row_bytes; c++)
            stream[at++] = (uint8_t)(r * SIDE + c);
    }
    put_chunk(file, "IDAT", stream, at + 4);
}

static uint32_t index_at(uint32_t depth, uint32_t r, uint32_t c)
{
    uint32_t byte = r * SIDE + c * depth / 8, shift = 8 - depth - c * depth % 8;

    return byte >> shift & ((1u << depth) - 1);
}

static void make_png(struct file *file, uint32_t depth, size_t colours, size_t alphas)
{
    const uint8_t head[13] = {0, 0, 0, SIDE, 0, 0, 0, SIDE, (uint8_t)depth, 3};
    uint8_t palette[256 * 3], alpha[256];

    for (size_t i = 0; i < colours * 3; i++)
        palette[i] = (uint8_t)(i * 37 + 11);
    for (size_t i = 0; i < alphas; i++)
        alpha[i] = (uint8_t)(i * 3);
    file->length = 0;
    put(file, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(file, "IHDR", head, sizeof head);
    put_chunk(file, "PLTE", palette, colours * 3);
    if (alphas)
        put_chunk(file, "tRNS", alpha, alphas);
    put_indexes(file, depth);
    put_chunk(file, "IEND", head, 0);
}

static void check_pixels(const uint8_t *pixels, uint32_t channels, uint32_t depth, size_t colours, size_t alphas)
{
    for (uint32_t i = 0; i < SIDE * SIDE; i++) {
        uint32_t index = index_at(depth, i / SIDE, i % SIDE);

        for (uint32_t k = 0; k < 3; k++)
            assert_int_equal(pixels[i * channels + k], index < colours ? ((index * 3 + k) * 37 + 11) % 256 : 0);
        if (channels == 4)
            assert_int_equal(pixels[i * channels + 3], index < alphas ? index * 3 % 256 : index < colours ? 255 : 0);
    }
}

/* What the decoder finds on the stack when nothing sets it. */
static void dirty_stack(void)
{
    volatile uint8_t bytes[32768];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = 0x5a;
}

static void check_palette(void *arena, uint32_t depth, size_t colours, size_t alphas)
{
    struct xpl_picture_size size;
    uint32_t height = 0, width = 0;
    uint8_t *pixels;
    struct file file;

    make_png(&file, depth, colours, alphas);
    dirty_stack();
    assert_int_equal(xpl_picture_read(file.bytes, file.length, &size, &pixels, NULL), XPL_OK);
    assert_int_equal(size.channels, alphas ? 4 : 3);
    check_pixels(pixels, size.channels, depth, colours, alphas);
    xpl_picture_free(pixels);
    dirty_stack();
    assert_int_equal(xpl_decode_image(arena, file.bytes, file.length, 3, &height, &width, &pixels, NULL), XPL_OK);
    check_pixels(pixels, 3, depth, colours, alphas);
}

static void an_index_beyond_a_short_palette_is_black(void **state)
{
    for (uint32_t depth = 1; depth <= 8; depth *= 2) {
        for (size_t colours = 1; colours <= (size_t)1 << depth; colours += colours < 20 ? 1 : 59) {
            check_palette(*state, depth, colours, 0);
            check_palette(*state, depth, colours, 1);
            check_palette(*state, depth, colours, colours);
        }
    }
}

static void what_the_chunks_say_is_never_read_beyond_the_file(void **state)
{
    struct xpl_picture_size size;
    uint8_t *pixels, *cut;
    struct file file;

    make_png(&file, 8, 5, 2);
    for (size_t length = 0; length < file.length; length++) {
        cut = xpl_arena_copy(*state, file.bytes, length);
        if (cut && xpl_picture_read(cut, length, &size, &pixels, NULL) == XPL_OK)
            xpl_picture_free(pixels);
    }
    for (size_t at = 8; at < file.length; at++) {
        for (uint32_t bit = 0; bit < 8; bit++) {
            file.bytes[at] ^= (uint8_t)(1u << bit);
            if (xpl_picture_read(file.bytes, file.length, &size, &pixels, NULL) == XPL_OK)
                xpl_picture_free(pixels);
            file.bytes[at] ^= (uint8_t)(1u << bit);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IMAGE_TEST(an_index_beyond_a_short_palette_is_black),
        IMAGE_TEST(what_the_chunks_say_is_never_read_beyond_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
