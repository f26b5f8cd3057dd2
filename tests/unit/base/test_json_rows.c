/* SPDX-License-Identifier: Apache-2.0 */
/* Pixels are read in runs; what comes out is the same as one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/base/json_scan.h"

/* The run of rows at the first element of `text`. */
static struct xpl_json_number_rows rows_of(const char *text, size_t *ret_at)
{
    struct xpl_json_number_rows rows;
    struct xpl_json_scan scan;
    struct xpl_error err = {0};
    bool more;

    xpl_json_scan_start(&scan, text, strlen(text), NULL, &err);
    assert_int_equal(xpl_json_enter_array(&scan), XPL_OK);
    assert_int_equal(xpl_json_next_element(&scan, &more), XPL_OK);
    xpl_json_number_rows(&scan, &rows);
    *ret_at = scan.at;
    return rows;
}

static void a_run_ends_where_rows_stop_being_alike(void **state)
{
    static const struct {
        const char *text;
        size_t n, length, at;
    } cases[] = {
        {"[[1,2,3],[4,5,6]]", 2, 3, 16},
        {"[[1, 2.5, -3], [4, 0, 0.25]]", 2, 3, 27},
        {"[[1,2],[3]]", 1, 2, 6},
        {"[[1],[2],{}]", 2, 1, 8},
        {"[[1],[2e3]]", 1, 1, 4},
        {"[[1],  [2]]", 1, 1, 4},
        {"[[1,2,3]", 1, 3, 8},
        {"[[1,2", 0, 0, 1},
        {"[[]]", 0, 0, 1},
        {"[[01]]", 0, 0, 1},
        {"[[1.]]", 0, 0, 1},
        {"[[-]]", 0, 0, 1},
        {"[[1,]]", 0, 0, 1},
        {"[[true]]", 0, 0, 1},
        {"[[ 1]]", 0, 0, 1},
        {"[1]", 0, 0, 1},
        {"[[123456,1],[1234567,2],[12345678,3]]", 3, 2, 36},
        {"[[255,0,12],[0,255,9],[1,00,2]]", 2, 3, 21},
        {"[[255,0,12],[-1,255,9],[1.5,20,2] ]", 3, 3, 33},
        {"[12[1,2],3]", 0, 0, 1},
        {"[[1,2],7[3,4]]", 1, 2, 6},
        {"[[1, 2], [3,4]]", 2, 2, 14},
        {"[[1,2], [3,4],[5,6]]", 3, 2, 19},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t at;
        struct xpl_json_number_rows rows = rows_of(cases[i].text, &at);

        if (rows.n != cases[i].n || (rows.n && rows.length != cases[i].length) || at != cases[i].at)
            fail_msg("%s: %zu rows of %zu, at %zu", cases[i].text, rows.n, rows.length, at);
    }
}

static enum xpl_status check(const char *text, size_t arrays, size_t numbers)
{
    struct xpl_json_limits limits = {.arrays = arrays, .numbers = numbers};
    struct xpl_error err = {0};

    return xpl_json_check(text, strlen(text), &limits, &err);
}

static void rows_count_towards_the_limits(void **state)
{
    static const char text[] = "[[1,2],[3,4],[5,6]]";

    (void)state;
    assert_int_equal(check(text, 4, 6), XPL_OK);
    assert_int_equal(check(text, 3, 6), XPL_BAD_JSON);
    assert_int_equal(check(text, 4, 5), XPL_BAD_JSON);
}

static void broken_rows_are_refused_wherever_they_are(void **state)
{
    static const char *const broken[] = {"[[1,2],[3,]]",      "[[1,2],[3 4]]",
                                         "[[1,2],]",          "[[1,2]",
                                         "[[1,2],[3",         "[[1,2][3,4]]",
                                         "[[1,2],,[3]]",      "[[1,2],[03]]",
                                         "[[1],[.5]]",        "[[1],[2.]]",
                                         "[12[1,2],3]",       "[[1,2],7[3,4]]",
                                         "[[0.5,1],12[1,2]]", "{\"values\":[5[1,2],[3,4]]}"};

    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        if (check(broken[i], 0, 0) != XPL_BAD_JSON)
            fail_msg("accepted: %s", broken[i]);
}

static void rows_are_no_way_around_the_depth(void **state)
{
    char text[2 * XPL_JSON_MAX_DEPTH + 8] = "";

    (void)state;
    memset(text, '[', XPL_JSON_MAX_DEPTH);
    text[XPL_JSON_MAX_DEPTH] = '1';
    memset(text + XPL_JSON_MAX_DEPTH + 1, ']', XPL_JSON_MAX_DEPTH);
    assert_int_equal(check(text, 0, 0), XPL_OK);
    memset(text, '[', XPL_JSON_MAX_DEPTH + 1);
    text[XPL_JSON_MAX_DEPTH + 1] = '1';
    memset(text + XPL_JSON_MAX_DEPTH + 2, ']', XPL_JSON_MAX_DEPTH + 1);
    assert_int_equal(check(text, 0, 0), XPL_BAD_JSON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_ends_where_rows_stop_being_alike),
        cmocka_unit_test(rows_count_towards_the_limits),
        cmocka_unit_test(broken_rows_are_refused_wherever_they_are),
        cmocka_unit_test(rows_are_no_way_around_the_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
