/* SPDX-License-Identifier: Apache-2.0 */
/* Answers with raw tensors behind their JSON text: what they stand for, and those that do not add up. */
#include "tests/unit/scoring/scoring_test.h"

#include "lib/scoring/requests/raw_tensors.h"
#include "lib/scoring/requests/tensor_type.h"

#define OUTPUT(type, shape, size)                                                                                      \
    "{\"outputs\":[{\"name\":\"p\",\"datatype\":\"" type "\",\"shape\":" shape                                         \
    ",\"parameters\":{\"binary_data_size\":" size "}}]}"

static enum xpl_status unpack(struct xpl_arena *arena, const char *head, const void *raw, size_t n,
                              struct xpl_text *ret, struct xpl_error *err)
{
    size_t length = strlen(head);
    char *answer = malloc(length + n + 1);
    enum xpl_status st;

    assert_non_null(answer);
    memcpy(answer, head, length);
    memcpy(answer + length, raw, n);
    st = xpl_tensors_unpack(arena, (struct xpl_text){answer, length + n}, length, "outputs", ret, err);
    free(answer);
    return st;
}

/* What it takes grows like the text: with the square of it this would take hours. */
static void a_shape_of_very_many_sides_is_read_once(void **state)
{
    size_t n_sides = 1000000;
    char *sides = xpl_arena_alloc(*state, 2 * n_sides + 2);
    struct xpl_text text;

    for (size_t i = 0; i < n_sides; i++)
        memcpy(sides + 2 * i, ",1", 2);
    sides[0] = '[';
    memcpy(sides + 2 * n_sides, "]", 2);
    assert_int_equal(unpack(*state, xpl_arena_printf(*state, OUTPUT("UINT8", "%s", "1"), sides), "\7", 1, &text, NULL),
                     XPL_OK);
    assert_non_null(strstr(text.ptr, "\"data\":[7]}]}"));
}

static void halves_are_rounded_to_even(void **state)
{
    static const struct {
        const char *type;
        double value;
        uint16_t bits;
    } cases[] = {
        {"FP16", 0, 0},          {"FP16", 1, 0x3c00},          {"FP16", -2, 0xc000},
        {"FP16", 0.1, 0x2e66},   {"FP16", 255, 0x5bf8},        {"FP16", 2049, 0x6800},
        {"FP16", 2051, 0x6802},  {"FP16", 4095.9, 0x6c00},     {"FP16", 65504, 0x7bff},
        {"FP16", 65520, 0x7c00}, {"FP16", 1e9, 0x7c00},        {"FP16", -1e9, 0xfc00},
        {"FP16", 6e-8, 1},       {"FP16", 6.1e-5, 0x03ff},     {"FP16", 6.1035e-5, 0x0400},
        {"FP16", 1e-9, 0},       {"BF16", 0.25, 0x3e80},       {"BF16", 0.1, 0x3dcd},
        {"BF16", 255, 0x437f},   {"BF16", 1.00390625, 0x3f80}, {"BF16", 1.01171875, 0x3f82},
        {"BF16", -0.0, 0x8000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t out[2];

        xpl_tensor_put(xpl_tensor_type_of(xpl_text_of(cases[i].type)), cases[i].value, out);
        if ((out[0] | out[1] << 8) != cases[i].bits)
            fail_msg("%s %g: %02x%02x", cases[i].type, cases[i].value, out[1], out[0]);
    }
}

static void every_type_reads_as_its_numbers(void **state)
{
    static const struct {
        const char *type, *shape, *size;
        uint8_t raw[16];
        size_t n;
        const char *data;
    } cases[] = {
        {"FP32", "[1,2]", "8", {0, 0, 0x80, 0x3e, 0, 0, 0x40, 0x3f}, 8, "[0.25,0.75]"},
        {"FP64", "[1]", "8", {0, 0, 0, 0, 0, 0, 0xd0, 0x3f}, 8, "[0.25]"},
        {"FP16", "[3]", "6", {0, 0x34, 1, 0, 0, 0xc0}, 6, "[0.25,5.96046448e-08,-2]"},
        {"BF16", "[3]", "6", {0x80, 0x3e, 0, 0xc0, 0x80, 0x7f}, 6, "[0.25,-2,null]"},
        {"FP32", "[3]", "12", {0, 0, 0x80, 0x7f, 0, 0, 0xc0, 0x7f, 0, 0, 0, 0}, 12, "[null,null,0]"},
        {"UINT8", "[2]", "2", {0, 255}, 2, "[0,255]"},
        {"INT8", "[2]", "2", {0x80, 255}, 2, "[-128,-1]"},
        {"INT16", "[1]", "2", {0xfe, 0xff}, 2, "[-2]"},
        {"UINT16", "[1]", "2", {0xfe, 0xff}, 2, "[65534]"},
        {"INT32", "[1]", "4", {0, 0, 0, 0x80}, 4, "[-2147483648]"},
        {"INT64", "[1]", "8", {1, 0, 0, 0, 0, 0, 0, 0x80}, 8, "[-9223372036854775807]"},
        {"UINT64", "[1]", "8", {255, 255, 255, 255, 255, 255, 255, 255}, 8, "[18446744073709551615]"},
        {"BOOL", "[2]", "2", {0, 1}, 2, "[0,1]"},
        {"FP32", "[0]", "0", {0}, 0, "[]"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *head =
            xpl_arena_printf(*state, OUTPUT("%s", "%s", "%s"), cases[i].type, cases[i].shape, cases[i].size);
        const char *wanted = xpl_arena_printf(*state, "\"data\":%s}]}", cases[i].data);
        struct xpl_text text;

        assert_int_equal(unpack(*state, head, cases[i].raw, cases[i].n, &text, NULL), XPL_OK);
        assert_non_null(strstr(text.ptr, wanted));
    }
}

static void several_outputs_follow_each_other(void **state)
{
    static const char head[] =
        " {\"id\":\"7\",\"outputs\":["
        "{\"name\":\"names\",\"datatype\":\"BYTES\",\"shape\":[1],\"parameters\":{\"binary_data_size\":5}},"
        "{\"name\":\"plain\",\"datatype\":\"FP32\",\"shape\":[1],\"data\":[9]},"
        "{\"name\":\"p\",\"datatype\":\"UINT8\",\"shape\":[1,2],\"parameters\":{\"binary_data_size\":2}}]} ";
    struct xpl_text text;

    assert_int_equal(unpack(*state, head, "\1\0\0\0x\3\4", 7, &text, NULL), XPL_OK);
    assert_string_equal(text.ptr,
                        "{\"id\":\"7\",\"outputs\":[{\"name\":\"names\",\"datatype\":\"BYTES\",\"shape\":[1]},"
                        "{\"name\":\"plain\",\"datatype\":\"FP32\",\"shape\":[1],\"data\":[9]},"
                        "{\"name\":\"p\",\"datatype\":\"UINT8\",\"shape\":[1,2],\"data\":[3,4]}]}");
}

static void inputs_keep_what_else_they_say(void **state)
{
    static const char head[] =
        "{\"inputs\":[{\"name\":\"i\",\"shape\":[2],\"datatype\":\"BYTES\",\"parameters\":"
        "{\"binary_data_size\":11,\"content_type\":\"x\"}}],\"parameters\":{\"binary_data_output\":true}}";
    struct xpl_arena *arena = *state;
    char message[sizeof head + 16];
    struct xpl_text text;

    memcpy(message, head, sizeof head - 1);
    memcpy(message + sizeof head - 1, "\3\0\0\0abc\0\0\0\0", 11);
    assert_int_equal(xpl_tensors_unpack(arena, (struct xpl_text){message, sizeof head - 1 + 11}, sizeof head - 1,
                                        "inputs", &text, NULL),
                     XPL_OK);
    assert_string_equal(text.ptr, "{\"inputs\":[{\"name\":\"i\",\"shape\":[2],\"datatype\":\"BYTES\",\"parameters\":"
                                  "{\"content_type\":\"x\"},\"data\":[\"YWJj\",\"\"]}],"
                                  "\"parameters\":{\"binary_data_output\":true}}");
    message[sizeof head - 1] = 8;
    assert_int_equal(xpl_tensors_unpack(arena, (struct xpl_text){message, sizeof head - 1 + 11}, sizeof head - 1,
                                        "inputs", &text, NULL),
                     XPL_MODEL_BAD_ANSWER);
}

static void what_does_not_add_up_is_refused(void **state)
{
    static const struct {
        const char *head;
        size_t n;
        const char *message;
    } cases[] = {
        {OUTPUT("FP32", "[1,2]", "8"), 7, "more than what came"},
        {OUTPUT("FP32", "[1,2]", "8"), 9, "more binary data came"},
        {OUTPUT("FP32", "[1,3]", "8"), 8, "shape and datatype"},
        {OUTPUT("FP32", "[-1,2]", "8"), 8, "shape and datatype"},
        {OUTPUT("FP32", "[4294967295,4294967295,4294967295]", "8"), 8, "shape and datatype"},
        {OUTPUT("FP32", "2", "8"), 8, "shape and datatype"},
        {OUTPUT("FP32", "[2]", "8.5"), 8, "more than what came"},
        {OUTPUT("FP32", "[2]", "1e99"), 8, "more than what came"},
        {OUTPUT("FP32", "[2]", "\"8\""), 8, "more than what came"},
        {"{\"outputs\":[{\"shape\":[8],\"parameters\":{\"binary_data_size\":8}}]}", 8, "no datatype"},
        {"{\"outputs\":{}}", 0, "no outputs"},
        {"[]", 0, "no outputs"},
        {"{\"outputs\":[", 0, "not JSON"},
    };
    static const uint8_t raw[16];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xpl_error err = {0};
        struct xpl_text text;

        assert_int_equal(unpack(*state, cases[i].head, raw, cases[i].n, &text, &err), XPL_MODEL_BAD_ANSWER);
        if (!strstr(err.message, cases[i].message))
            fail_msg("%s: %s", cases[i].head, err.message);
    }
    assert_int_equal(xpl_tensors_unpack(*state, xpl_text_of("{}"), 3, "outputs", &(struct xpl_text){0}, NULL),
                     XPL_MODEL_BAD_ANSWER);
}

static void numbers_are_kept_in_the_range_of_their_type(void **state)
{
    static const struct {
        const char *type;
        double value;
        uint8_t raw[8];
    } cases[] = {
        {"UINT8", 254.6, {255}},
        {"UINT8", -3, {0}},
        {"UINT8", 300, {255}},
        {"INT8", -200, {0x80}},
        {"INT16", -2, {0xfe, 0xff}},
        {"UINT16", 1e9, {0xff, 0xff}},
        {"INT64", -1, {255, 255, 255, 255, 255, 255, 255, 255}},
        {"FP32", 0.25, {0, 0, 0x80, 0x3e}},
        {"FP64", 0.25, {0, 0, 0, 0, 0, 0, 0xd0, 0x3f}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t raw[8] = {0};

        xpl_tensor_put(xpl_tensor_type_of(xpl_text_of(cases[i].type)), cases[i].value, raw);
        assert_memory_equal(raw, cases[i].raw, sizeof raw);
    }
    assert_null(xpl_tensor_type_of(xpl_text_of("BYTES")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCORING_TEST(a_shape_of_very_many_sides_is_read_once),
        SCORING_TEST(every_type_reads_as_its_numbers),
        SCORING_TEST(several_outputs_follow_each_other),
        SCORING_TEST(inputs_keep_what_else_they_say),
        SCORING_TEST(what_does_not_add_up_is_refused),
        SCORING_TEST(numbers_are_kept_in_the_range_of_their_type),
        SCORING_TEST(halves_are_rounded_to_even),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
