/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of images and segments share: cmocka, an arena a test, and pictures made by a function. */
#ifndef XPL_IMAGE_TEST_H
#define XPL_IMAGE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/image/pixels.h"

static inline int with_arena(void **state)
{
    *state = xpl_arena_new((size_t)256 << 20);
    return *state ? 0 : -1;
}

static inline int without_arena(void **state)
{
    xpl_arena_free(*state);
    return 0;
}

#define IMAGE_TEST(name) cmocka_unit_test_setup_teardown(name, with_arena, without_arena)

typedef double (*paint_fn)(uint32_t row, uint32_t column, uint32_t channel);

static inline struct xpl_pixels *paint(void **state, uint32_t height, uint32_t width, uint32_t channels, bool integers,
                                       paint_fn colour)
{
    struct xpl_pixels *p = XPL_NEW(*state, struct xpl_pixels);

    assert_non_null(p);
    *p = (struct xpl_pixels){height, width, channels, integers, NULL};
    p->values = XPL_NEW_ARRAY(*state, double, xpl_pixels_count(p));
    assert_non_null(p->values);
    for (uint32_t r = 0; r < height; r++)
        for (uint32_t c = 0; c < width; c++)
            for (uint32_t k = 0; k < channels; k++)
                p->values[((size_t)r * width + c) * channels + k] = colour(r, c, k);
    return p;
}

#endif
