/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#define STBI_NO_STDIO
#include <stb_image.h>

#include "lib/image/encode.h"
#include "tests/unit/image/image_test.h"

static double bytes(uint32_t r, uint32_t c, uint32_t k)
{
    return (r * 31 + c * 7 + k * 3) % 256;
}

static double unit(uint32_t r, uint32_t c, uint32_t k)
{
    return bytes(r, c, k) / 255;
}

static double signed_unit(uint32_t r, uint32_t c, uint32_t k)
{
    return unit(r, c, k) * 2 - 1;
}

static double odd(uint32_t r, uint32_t c, uint32_t k)
{
    return unit(r, c, k) * 300 - 20;
}

static void the_range_is_told_from_the_values(void **state)
{
    static const struct {
        paint_fn colour;
        enum xpl_pixel_range range;
    } cases[] = {
        {bytes, XPL_RANGE_BYTE}, {unit, XPL_RANGE_UNIT}, {signed_unit, XPL_RANGE_SIGNED}, {odd, XPL_RANGE_MIN_MAX}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double low, high;

        assert_int_equal(xpl_pixels_range(paint(state, 20, 20, 3, false, cases[i].colour), &low, &high),
                         cases[i].range);
        assert_true(low < high);
    }
}

static void every_range_gives_the_same_picture(void **state)
{
    const uint8_t *wanted = xpl_pixels_to_rgb8(*state, paint(state, 20, 20, 3, true, bytes));

    assert_memory_equal(xpl_pixels_to_rgb8(*state, paint(state, 20, 20, 3, false, unit)), wanted, 1200);
    assert_memory_equal(xpl_pixels_to_rgb8(*state, paint(state, 20, 20, 3, false, signed_unit)), wanted, 1200);
    for (size_t i = 0; i < 1200; i++)
        assert_int_equal(wanted[i], bytes((uint32_t)(i / 60), (uint32_t)(i / 3 % 20), (uint32_t)(i % 3)));
}

static void one_channel_is_grey_and_alpha_is_left_out(void **state)
{
    const uint8_t *grey = xpl_pixels_to_rgb8(*state, paint(state, 5, 5, 1, true, bytes));
    const uint8_t *rgba = xpl_pixels_to_rgb8(*state, paint(state, 5, 5, 4, true, bytes));
    const uint8_t *rgb = xpl_pixels_to_rgb8(*state, paint(state, 5, 5, 3, true, bytes));

    for (size_t i = 0; i < 25; i++) {
        assert_int_equal(grey[i * 3], bytes((uint32_t)(i / 5), (uint32_t)(i % 5), 0));
        assert_int_equal(grey[i * 3], grey[i * 3 + 1]);
        assert_int_equal(grey[i * 3], grey[i * 3 + 2]);
    }
    assert_memory_equal(rgba, rgb, 75);
}

static void a_jpeg_of_noise_fits_and_reads_back(void **state)
{
    uint8_t *pixels = xpl_arena_alloc(*state, 65 * 33 * 4), *out = xpl_arena_alloc(*state, xpl_jpeg_max(65, 33));
    uint32_t seed = 1;

    for (size_t i = 0; i < 65 * 33 * 4; i++)
        pixels[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24 & 0x80 ? 255 : 0);
    for (uint32_t channels = 1; channels <= 4; channels += channels == 1 ? 2 : 1) {
        size_t length = xpl_jpeg_write(pixels, 65, 33, channels, out);
        int width, height, found;

        assert_in_range(length, 1000, xpl_jpeg_max(65, 33));
        assert_int_equal(out[length - 1], 0xd9);
        assert_int_equal(stbi_info_from_memory(out, (int)length, &width, &height, &found), 1);
        assert_int_equal(width, 33);
        assert_int_equal(height, 65);
    }
}

static void a_png_says_its_size_and_is_the_same_every_time(void **state)
{
    static const uint8_t magic[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    const uint8_t *rgb = xpl_pixels_to_rgb8(*state, paint(state, 7, 12, 3, true, bytes));
    uint8_t *first, *second;
    size_t first_length, second_length;

    assert_int_equal(xpl_encode_png(*state, rgb, 7, 12, &first, &first_length, NULL), XPL_OK);
    assert_int_equal(xpl_encode_png(*state, rgb, 7, 12, &second, &second_length, NULL), XPL_OK);
    assert_memory_equal(first, magic, sizeof magic);
    assert_memory_equal(first + 16, "\0\0\0\x0c\0\0\0\x07\x08\x02", 10); /* width, height, 8 bit, RGB */
    assert_int_equal(first_length, second_length);
    assert_memory_equal(first, second, first_length);
}

static void others_read_the_png_as_it_was_written(void **state)
{
    static const uint32_t sizes[][2] = {{1, 1}, {7, 12}, {90, 90}, {1, 300}, {300, 1}};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint32_t height = sizes[i][0], width = sizes[i][1];
        const uint8_t *rgb = xpl_pixels_to_rgb8(*state, paint(state, height, width, 3, true, bytes));
        int read_width, read_height, channels;
        uint8_t *png, *read;
        size_t length;

        assert_int_equal(xpl_encode_png(*state, rgb, height, width, &png, &length, NULL), XPL_OK);
        read = stbi_load_from_memory(png, (int)length, &read_width, &read_height, &channels, 0);
        assert_non_null(read);
        assert_int_equal(read_height, height);
        assert_int_equal(read_width, width);
        assert_int_equal(channels, 3);
        assert_memory_equal(read, rgb, (size_t)height * width * 3);
        stbi_image_free(read);
    }
}

static void a_picture_without_pixels_is_refused(void **state)
{
    struct xpl_error err = {0};
    uint8_t *png;
    size_t length;

    assert_int_equal(xpl_encode_png(*state, (const uint8_t *)"", 0, 4, &png, &length, &err), XPL_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IMAGE_TEST(the_range_is_told_from_the_values),
        IMAGE_TEST(every_range_gives_the_same_picture),
        IMAGE_TEST(one_channel_is_grey_and_alpha_is_left_out),
        IMAGE_TEST(a_jpeg_of_noise_fits_and_reads_back),
        IMAGE_TEST(a_png_says_its_size_and_is_the_same_every_time),
        IMAGE_TEST(others_read_the_png_as_it_was_written),
        IMAGE_TEST(a_picture_without_pixels_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
