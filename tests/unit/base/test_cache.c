/* SPDX-License-Identifier: Apache-2.0 */
/* Values by key and version: bounded, and alive as long as somebody holds them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/base/cache.h"

#define ARENA_BYTES ((size_t)1 << 20)
#define ROOM        ((size_t)100 << 10) /* for a few values of 20 KiB */

struct fixture {
    struct xpl_cache *cache;
    struct xpl_arena *borrower;
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){xpl_cache_new(ROOM), xpl_arena_new(ARENA_BYTES)};
    *state = &f;
    return f.cache && f.borrower ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    xpl_cache_free(f->cache);
    xpl_arena_free(f->borrower);
    return 0;
}

static const char *put(struct fixture *f, const char *key, uint64_t version, const char *text, size_t size)
{
    struct xpl_arena *home = xpl_arena_new(ARENA_BYTES);
    char *value = xpl_arena_alloc(home, size);

    memcpy(value, text, strlen(text));
    assert_true(xpl_cache_put(f->cache, f->borrower, key, version, home, value));
    return value;
}

static const char *get(struct fixture *f, const char *key, uint64_t version)
{
    return xpl_cache_get(f->cache, f->borrower, key, version);
}

static void a_value_is_there_for_its_key_and_version_only(void **state)
{
    struct fixture *f = *state;

    put(f, "a", 7, "one", 100);
    assert_string_equal(get(f, "a", 7), "one");
    assert_null(get(f, "b", 7));
    assert_null(get(f, "a", 8));
    put(f, "a", 8, "two", 100);
    assert_string_equal(get(f, "a", 8), "two");
    assert_null(get(f, "a", 7));
}

static void what_was_not_asked_for_longest_goes_first(void **state)
{
    struct fixture *f = *state;

    put(f, "a", 1, "a", 20 << 10);
    put(f, "b", 1, "b", 20 << 10);
    put(f, "c", 1, "c", 20 << 10);
    assert_non_null(get(f, "a", 1));
    put(f, "d", 1, "d", 20 << 10);
    assert_non_null(get(f, "a", 1));
    assert_null(get(f, "b", 1));
    assert_non_null(get(f, "c", 1));
    assert_non_null(get(f, "d", 1));
}

static void a_value_that_does_not_fit_is_lent_but_not_kept(void **state)
{
    struct fixture *f = *state;
    const char *value = put(f, "large", 1, "large", ROOM);

    assert_string_equal(value, "large");
    assert_null(get(f, "large", 1));
}

static void a_borrowed_value_outlives_its_place_and_the_cache(void **state)
{
    struct fixture *f = *state;
    const char *first = put(f, "a", 1, "first", 100), *second;

    second = put(f, "a", 2, "second", 100);
    xpl_cache_free(f->cache);
    f->cache = NULL;
    assert_string_equal(first, "first");
    assert_string_equal(second, "second");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_value_is_there_for_its_key_and_version_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_not_asked_for_longest_goes_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_value_that_does_not_fit_is_lent_but_not_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_borrowed_value_outlives_its_place_and_the_cache, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
