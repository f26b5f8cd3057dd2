/* SPDX-License-Identifier: Apache-2.0 */
/* Ids are UUIDs that grow with time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/time.h"

static void ids_of_later_microseconds_are_greater(void **state)
{
    char earlier[XPL_UUID_SIZE], later[XPL_UUID_SIZE];

    (void)state;
    xpl_uuid(earlier);
    for (int i = 0; i < 1000; i++) {
        int64_t now = xpl_now_us();

        while (xpl_now_us() <= now)
            ;
        xpl_uuid(later);
        assert_true(xpl_is_guid(later));
        assert_int_equal(later[14], '7');
        assert_non_null(strchr("89ab", later[19]));
        assert_true(strcmp(earlier, later) < 0);
        memcpy(earlier, later, sizeof earlier);
    }
}

static void ids_of_one_moment_differ(void **state)
{
    char ids[1000][XPL_UUID_SIZE];

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        xpl_uuid(ids[i]);
    for (size_t i = 1; i < 1000; i++)
        assert_string_not_equal(ids[i - 1], ids[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_of_later_microseconds_are_greater),
        cmocka_unit_test(ids_of_one_moment_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
