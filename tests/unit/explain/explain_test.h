/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the engine share. */
#ifndef XPL_TESTS_EXPLAIN_TEST_H
#define XPL_TESTS_EXPLAIN_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/arena.h"

#define ARENA_BYTES ((size_t)1 << 30)

static inline int start_arena(void **state)
{
    *state = xpl_arena_new(ARENA_BYTES);
    return *state ? 0 : -1;
}

static inline int free_arena(void **state)
{
    xpl_arena_free(*state);
    return 0;
}

/* cmocka compares floats only. */
static inline void check_near(double a, double b, double tolerance, const char *file, int line)
{
    if (fabs(a - b) <= tolerance)
        return;
    print_error("%.17g is not %.17g (to %g)\n", a, b, tolerance);
    _fail(file, line);
}

#define assert_near(a, b, tolerance) check_near((a), (b), (tolerance), __FILE__, __LINE__)

#define TEST(function) cmocka_unit_test_setup_teardown(function, start_arena, free_arena)

#endif
