/* SPDX-License-Identifier: Apache-2.0 */
/* W3C Trace Context: what is a traceparent, and what is passed on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/trace.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN  "b7ad6b7169203331"

static void well_formed_headers_are_accepted(void **state)
{
    (void)state;
    assert_true(xpl_traceparent_valid("00-" TRACE "-" SPAN "-01"));
    assert_true(xpl_traceparent_valid("00-" TRACE "-" SPAN "-00"));
    assert_true(xpl_traceparent_valid("cc-" TRACE "-" SPAN "-01-what-the-future-brings"));
}

static void anything_else_is_not(void **state)
{
    static const char *const bad[] = {
        "",
        "00",
        "00-" TRACE "-" SPAN,
        "00-" TRACE "-" SPAN "-",
        "00-" TRACE "-" SPAN "-1",
        "00-" TRACE "-" SPAN "-01-more",
        "00-" TRACE "-" SPAN "-01 ",
        "ff-" TRACE "-" SPAN "-01",
        "cc-" TRACE "-" SPAN "-01more",
        "00-00000000000000000000000000000000-" SPAN "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
        "00-" TRACE "0-" SPAN "-01",
        "00_" TRACE "_" SPAN "_01",
        "0-" TRACE "-" SPAN "-01",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (xpl_traceparent_valid(bad[i]))
            fail_msg("accepted: %s", bad[i]);
}

static void a_child_keeps_trace_and_flags_and_has_a_span_of_its_own(void **state)
{
    struct xpl_arena *arena = xpl_arena_new(4096);
    char *one = xpl_traceparent_child(arena, "00-" TRACE "-" SPAN "-01");
    char *other = xpl_traceparent_child(arena, "cc-" TRACE "-" SPAN "-00-future");

    (void)state;
    assert_true(xpl_traceparent_valid(one) && xpl_traceparent_valid(other));
    assert_memory_equal(one, "00-" TRACE "-", 36);
    assert_memory_equal(other, "00-" TRACE "-", 36);
    assert_string_equal(one + 52, "-01");
    assert_string_equal(other + 52, "-00");
    assert_memory_not_equal(one + 36, SPAN, 16);
    assert_memory_not_equal(one + 36, other + 36, 16);
    assert_null(xpl_traceparent_child(arena, NULL));
    xpl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_headers_are_accepted),
        cmocka_unit_test(anything_else_is_not),
        cmocka_unit_test(a_child_keeps_trace_and_flags_and_has_a_span_of_its_own),
    };

    return xpl_crypto_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
