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
#include "tests/unit/image/paint.h"

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

#endif
