/* SPDX-License-Identifier: Apache-2.0 */
/* Texts are looked at eight bytes at a time; what is found does not depend on where in them it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/base/json_scan.h"
#include "lib/base/words.h"

#define LONGEST 40

static void every_byte_is_known_for_what_it_is(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++)
        for (int at = 0; at < XPL_WORD_BYTES; at++) {
            char text[XPL_WORD_BYTES + 1] = "5\x80\"7\x1F:/9";
            uint64_t word, here = UINT64_C(0x80) << (8 * at);

            text[at] = (char)c;
            word = xpl_word_at(text);
            assert_int_equal((xpl_word_equal(word, '"') & here) != 0, c == '"');
            assert_int_equal((xpl_word_not_digit(word) & here) != 0, c < '0' || c > '9');
            assert_int_equal((xpl_word_control(word) & here) != 0, c < 0x20);
        }
}

/* ["xxxx<what>xxx"] with `before` and `after` letters; a byte of `what` 0 ends it. */
static enum xpl_status check_string(const char *what, int before, int after)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
    char text[3 * LONGEST];
    struct xpl_error err = {0};
    int n = snprintf(text, sizeof text, "[\"%.*s%s%.*s\"]", before, letters, what, after, letters);

    return xpl_json_check(text, (size_t)n, NULL, &err);
}

static void strings_are_checked_at_every_byte(void **state)
{
    static const struct {
        const char *what;
        bool fine;
    } cases[] = {{"", true},         {"\\n", true},   {"\\\\", true},         {"\\\"", true},  {"\\u00e9", true},
                 {"\xC3\xA9", true}, {"\x7F", true},  {"\\\\\\\"\\\\", true}, {"\x1F", false}, {"\x01", false},
                 {"\\x", false},     {"\xC3", false}, {"\xC3\\n\xA9", false}, {"\xFF", false}, {"\"", false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int before = 0; before < LONGEST; before++)
            for (int after = 1; after < 12; after++)
                if ((check_string(cases[i].what, before, after) == XPL_OK) != cases[i].fine)
                    fail_msg("case %zu behind %d bytes, before %d", i, before, after);
}

static size_t skipped(const char *text, bool checked)
{
    struct xpl_error err = {0};
    struct xpl_json_scan scan;

    if (checked)
        xpl_json_rescan_start(&scan, xpl_text_of(text), &err);
    else
        xpl_json_scan_start(&scan, text, strlen(text), NULL, &err);
    assert_int_equal(xpl_json_skip(&scan, NULL), XPL_OK);
    return scan.at;
}

static void a_value_ends_at_the_same_byte_when_it_was_checked(void **state)
{
    static const char *const values[] = {
        "[]",
        "[[],[[]],[[[1]]],{\"a\":[{}]}]",
        "[[[12,3],[255,0]],[[1,22],[333,4444]],[[12345678901,2.5e3]]]",
        "{\"a]}\":\"[{\\\"\",\"b\":[\"\\\\\",\"]\",[\"x\\\\\\\"]\"]]}",
        "\"abc\\\\\\\"defgh\\\\\"",
        "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]",
        "[[0,1,2,3,4,5,6],[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]],[\"]]]]]]]]]]]]]]]]]]]]]]]]\"],{},{},{},{},{},{},{}]",
        "[{\"long name of a member\":[1,2,3,[4,5,6,[7,8,9,[10,11,12]]]]},[],[],[],{},{},{}]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        for (int blanks = 0; blanks < 2 * XPL_WORD_BYTES; blanks++) {
            char text[256];

            snprintf(text, sizeof text, "%*s%s,[]]}\"rest\"", blanks, "", values[i]);
            assert_int_equal(skipped(text, false), blanks + (int)strlen(values[i]));
            assert_int_equal(skipped(text, true), blanks + (int)strlen(values[i]));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_known_for_what_it_is),
        cmocka_unit_test(strings_are_checked_at_every_byte),
        cmocka_unit_test(a_value_ends_at_the_same_byte_when_it_was_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
