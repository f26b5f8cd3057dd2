/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "lib/image/exif.h"
#include "tests/unit/image/image_test.h"

/* A comment, then EXIF with another entry before the orientation, then where pixels begin. */
static const uint8_t intel[] = {0xff, 0xd8, 0xff, 0xfe, 0,   4,   'h', 'i', 0xff, 0xe1, 0,    42,   'E',  'x',
                                'i',  'f',  0,    0,    'I', 'I', 42,  0,   8,    0,    0,    0,    2,    0,
                                0x0f, 0x01, 2,    0,    1,   0,   0,   0,   'x',  0,    0,    0,    0x12, 0x01,
                                3,    0,    1,    0,    0,   0,   6,   0,   0,    0,    0xff, 0xda, 0,    2};
static const uint8_t motorola[] = {0xff, 0xd8, 0xff, 0xe1, 0, 30, 'E', 'x', 'i', 'f', 0,    0,
                                   'M',  'M',  0,    42,   0, 0,  0,   8,   0,   1,   0x01, 0x12,
                                   0,    3,    0,    0,    0, 1,  0,   8,   0,   0,   0xff, 0xda};

static void the_orientation_is_read_in_both_orders_of_bytes(void **state)
{
    static const uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

    (void)state;
    assert_int_equal(xpl_jpeg_orientation(intel, sizeof intel), 6);
    assert_int_equal(xpl_jpeg_orientation(motorola, sizeof motorola), 8);
    assert_int_equal(xpl_jpeg_orientation(png, sizeof png), 1);
    assert_int_equal(xpl_jpeg_orientation(png, 0), 1);
}

/* Copies of the exact length: a sanitizer sees what is read beyond. */
static void no_length_is_believed(void **state)
{
    for (size_t length = 1; length < sizeof intel; length++)
        assert_in_range(xpl_jpeg_orientation(xpl_arena_copy(*state, intel, length), length), 1, 8);
    for (size_t at = 2; at < sizeof intel; at++) {
        for (uint32_t value = 0; value < 256; value++) {
            uint8_t *copy = malloc(sizeof intel);

            assert_non_null(copy);
            memcpy(copy, intel, sizeof intel);
            copy[at] = (uint8_t)value;
            assert_in_range(xpl_jpeg_orientation(copy, sizeof intel), 1, 8);
            free(copy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IMAGE_TEST(the_orientation_is_read_in_both_orders_of_bytes),
        IMAGE_TEST(no_length_is_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
