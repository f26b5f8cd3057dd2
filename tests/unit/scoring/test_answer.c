/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/scoring/scoring_test.h"

#include "lib/scoring/answers/answer.h"

static struct xpl_answer *read_ok(struct xpl_arena *arena, const char *text, const struct xpl_answer_hints *hints,
                                  uint32_t n_rows)
{
    struct xpl_text copy = exact_copy(text);
    struct xpl_answer *answer = NULL;
    struct xpl_error err = {0};

    if (xpl_answer_read(arena, copy, hints, n_rows, 0, &answer, &err))
        fail_msg("%s: %s", text, err.message);
    free_copy(copy); /* nothing of the answer may point into the text */
    return answer;
}

static void assert_probabilities(const struct xpl_answer *answer, uint32_t row, double a, double b)
{
    assert_int_equal(answer->n_classes, 2);
    assert_true(answer->probabilities[row * 2] == a);
    assert_true(answer->probabilities[row * 2 + 1] == b);
}

static void a_wml_v4_answer_is_read(void **state)
{
    struct xpl_answer *answer = read_ok(
        *state,
        "{\"predictions\":[{\"id\":\"dense\",\"fields\":[\"prediction\",\"prediction_classes\",\"probability\"],"
        "\"values\":[[[0.25,0.75],1,[0.25,0.75]],[[1,0],0,[1,0]]]}]}",
        NULL, 2);

    assert_int_equal(answer->n_rows, 2);
    assert_probabilities(answer, 0, 0.25, 0.75);
    assert_probabilities(answer, 1, 1, 0);
    assert_string_equal(answer->predictions[0], "1");
    assert_string_equal(answer->predictions[1], "0");
    assert_null(answer->labels);
}

static void a_plain_answer_is_read(void **state)
{
    struct xpl_answer *answer =
        read_ok(*state, "{\"fields\":[\"probabilities\",\"prediction\"],\"values\":[[[0.25,0.75],\"dog\"]]}", NULL, 1);

    assert_probabilities(answer, 0, 0.25, 0.75);
    assert_string_equal(answer->predictions[0], "\"dog\"");
}

static void labels_sorted_by_score_give_classes_in_the_order_of_their_names(void **state)
{
    struct xpl_answer *answer =
        read_ok(*state, "{\"labels\":[\"dog\",\"c\\u0061t\"],\"fields\":[\"probability\"],\"values\":[[[0.75,0.25]]]}",
                NULL, 1);

    assert_string_equal(answer->labels[0], "cat");
    assert_string_equal(answer->labels[1], "dog");
    assert_probabilities(answer, 0, 0.25, 0.75);
}

static void one_number_is_the_probability_of_the_second_class(void **state)
{
    assert_probabilities(read_ok(*state, "{\"fields\":[\"probability\"],\"values\":[[[0.75]]]}", NULL, 1), 0, 0.25,
                         0.75);
    assert_probabilities(read_ok(*state, "{\"fields\":[\"probability\"],\"values\":[[0.75]]}", NULL, 1), 0, 0.25, 0.75);
}

static void one_number_with_labels_is_the_probability_of_the_second_label(void **state)
{
    struct xpl_answer *answer =
        read_ok(*state, "{\"labels\":[\"dog\",\"cat\"],\"fields\":[\"probability\"],\"values\":[[[0.75]]]}", NULL, 1);

    assert_string_equal(answer->labels[0], "cat");
    assert_probabilities(answer, 0, 0.75, 0.25);
}

static void the_columns_named_by_the_subscription_come_first(void **state)
{
    static const char *const fields[] = {"missing", "scores"};
    const struct xpl_answer_hints hints = {
        .probability_fields = fields, .n_probability_fields = 2, .prediction_field = "top"};
    struct xpl_answer *answer = read_ok(*state,
                                        "{\"fields\":[\"probability\",\"scores\",\"prediction\",\"top\"],"
                                        "\"values\":[[[0.5,0.5],[0.25,0.75],\"x\",\"y\"]]}",
                                        &hints, 1);

    assert_probabilities(answer, 0, 0.25, 0.75);
    assert_string_equal(answer->predictions[0], "\"y\"");
}

static void the_only_column_with_arrays_is_taken(void **state)
{
    assert_probabilities(
        read_ok(*state, "{\"fields\":[\"label\",\"what\"],\"values\":[[\"dog\",[0.25,0.75]]]}", NULL, 1), 0, 0.25,
        0.75);
    assert_probabilities(read_ok(*state, "{\"values\":[[[0.25,0.75]]]}", NULL, 1), 0, 0.25, 0.75);
}

static void bare_rows_of_numbers_are_probabilities(void **state)
{
    assert_probabilities(read_ok(*state, "{\"values\":[[0.25,0.75]]}", NULL, 1), 0, 0.25, 0.75);
}

static void float32_rounding_beyond_one_is_tolerated(void **state)
{
    read_ok(*state, "{\"fields\":[\"probability\"],\"values\":[[[1.0000001,-1e-9]]]}", NULL, 1);
}

struct bad_answer {
    const char *text, *says;
};

static const struct bad_answer bad_answers[] = {
    {"", "JSON"},
    {"[]", "fewer"},
    {"<html></html>", "JSON"},
    {"{}", "predictions[0].values, values, predictions"},
    {"{\"predictions\":[]}", "fewer"},
    {"{\"predictions\":7}", "looked for"},
    {"{\"prediction\":1}", "class_labels"},
    {"{\"predictions\":[7]}", "activation"},
    {"{\"values\":7}", "looked for"},
    {"{\"values\":[]}", "fewer"},
    {"{\"values\":[[]]}", "no probabilities"},
    {"{\"values\":[7]}", "no probability"},
    {"{\"values\":[[\"a\",\"b\"]]}", "no probabilities"},
    {"{\"values\":[[[\"a\",\"b\"]]]}", "number"},
    {"{\"values\":[[[]]]}", "0 numbers"},
    {"{\"values\":[[[0.5,0.5]],[[0.5,0.5]]]}", "more than the 1 rows"},
    {"{\"fields\":[\"probability\"],\"values\":[[[0.5,NaN]]]}", "JSON"},
    {"{\"fields\":[\"probability\"],\"values\":[[[0.5,Infinity]]]}", "JSON"},
    {"{\"fields\":[\"probability\"],\"values\":[[[0.5,1e999]]]}", "no probability"},
    {"{\"fields\":[\"probability\"],\"values\":[[[0.5,1.01]]]}", "no probability"},
    {"{\"fields\":[\"probability\"],\"values\":[[[-0.5,1]]]}", "no probability"},
    {"{\"fields\":[\"probability\"],\"values\":[[[0.5,null]]]}", "number"},
    {"{\"fields\":[\"a\",\"probability\"],\"values\":[[1]]}", "fewer cells"},
    {"{\"fields\":[7],\"values\":[[[0.5,0.5]]]}", "string"},
    {"{\"labels\":[\"a\"],\"values\":[[[0.5,0.5]]]}", "differ in number"},
    {"{\"labels\":[\"a\",\"b\",\"c\"],\"values\":[[[0.5,0.5]]]}", "differ in number"},
    {"{\"labels\":[\"a\",\"a\"],\"values\":[[[0.5,0.5]]]}", "the class \"a\" twice; asset_properties.explaind.prob"},
    {"{\"labels\":[\"a\",\"\\ud800\"],\"values\":[[[0.5,0.5]]]}", "escape"},
    {"{\"values\":[[[0.5,0.5]]]", "JSON"},
};

static void answers_without_usable_probabilities_are_refused(void **state)
{
    for (size_t i = 0; i < sizeof bad_answers / sizeof *bad_answers; i++) {
        struct xpl_text text = exact_copy(bad_answers[i].text);
        struct xpl_answer *answer = NULL;
        struct xpl_error err = {0};
        enum xpl_status st = xpl_answer_read(*state, text, NULL, 1, 0, &answer, &err);

        if (st != XPL_MODEL_BAD_ANSWER || err.status != st || !strstr(err.message, bad_answers[i].says))
            fail_msg("%s: status %d, \"%s\"", bad_answers[i].text, (int)st, err.message);
        assert_null(answer);
        free_copy(text);
    }
}

static void another_number_of_classes_or_rows_is_refused(void **state)
{
    struct xpl_text text = xpl_text_of("{\"values\":[[[0.2,0.3,0.5]],[[0.2,0.3,0.5]]]}");
    struct xpl_answer *answer;

    assert_int_equal(xpl_answer_read(*state, text, NULL, 2, 3, &answer, NULL), XPL_OK);
    assert_int_equal(xpl_answer_read(*state, text, NULL, 2, 2, &answer, NULL), XPL_MODEL_BAD_ANSWER);
    assert_int_equal(xpl_answer_read(*state, text, NULL, 1, 3, &answer, NULL), XPL_MODEL_BAD_ANSWER);
    assert_int_equal(xpl_answer_read(*state, text, NULL, 3, 3, &answer, NULL), XPL_MODEL_BAD_ANSWER);
}

static void rows_that_differ_in_classes_are_refused(void **state)
{
    struct xpl_answer *answer;

    assert_int_equal(
        xpl_answer_read(*state, xpl_text_of("{\"values\":[[[0.5,0.5]],[[0.2,0.3,0.5]]]}"), NULL, 2, 0, &answer, NULL),
        XPL_MODEL_BAD_ANSWER);
    assert_int_equal(
        xpl_answer_read(*state, xpl_text_of("{\"values\":[[[0.2,0.3,0.5]],[[0.5,0.5]]]}"), NULL, 2, 0, &answer, NULL),
        XPL_MODEL_BAD_ANSWER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCORING_TEST(a_wml_v4_answer_is_read),
        SCORING_TEST(a_plain_answer_is_read),
        SCORING_TEST(labels_sorted_by_score_give_classes_in_the_order_of_their_names),
        SCORING_TEST(one_number_is_the_probability_of_the_second_class),
        SCORING_TEST(one_number_with_labels_is_the_probability_of_the_second_label),
        SCORING_TEST(the_columns_named_by_the_subscription_come_first),
        SCORING_TEST(the_only_column_with_arrays_is_taken),
        SCORING_TEST(bare_rows_of_numbers_are_probabilities),
        SCORING_TEST(float32_rounding_beyond_one_is_tolerated),
        SCORING_TEST(answers_without_usable_probabilities_are_refused),
        SCORING_TEST(another_number_of_classes_or_rows_is_refused),
        SCORING_TEST(rows_that_differ_in_classes_are_refused),
    };

    return cmocka_run_group_tests_name("scoring/answer", tests, NULL, NULL);
}
