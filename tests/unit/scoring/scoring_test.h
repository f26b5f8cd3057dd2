/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of lib/scoring share: cmocka and an arena that lives as long as one test. */
#ifndef XPL_SCORING_TEST_H
#define XPL_SCORING_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/base/text.h"

static inline int with_arena(void **state)
{
    *state = xpl_arena_new((size_t)64 << 20);
    return *state ? 0 : -1;
}

static inline int without_arena(void **state)
{
    xpl_arena_free(*state);
    return 0;
}

#define SCORING_TEST(name) cmocka_unit_test_setup_teardown(name, with_arena, without_arena)

/* A copy without a terminating zero, so that a sanitizer sees a read behind its end. */
static inline struct xpl_text exact_copy(const char *string)
{
    size_t length = strlen(string);
    char *copy = malloc(length ? length : 1);

    assert_non_null(copy);
    memcpy(copy, string, length);
    return (struct xpl_text){copy, length};
}

static inline void free_copy(struct xpl_text text)
{
    union {
        const char *borrowed;
        void *owned;
    } pointer = {.borrowed = text.ptr};

    free(pointer.owned);
}

#endif
