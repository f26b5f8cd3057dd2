/* SPDX-License-Identifier: Apache-2.0 */
/* Answers without usable probabilities, and what is said of them. */
#include "tests/unit/scoring/scoring_test.h"

#include "lib/scoring/answers/answer.h"
#include "lib/scoring/answers/answer_table.h"

static const char *const cat_dog[] = {"cat", "dog"};
static const char *const two_cranes[] = {"crane (0)", "cat", "crane (2)"};
static const char *const one_to_three[] = {"1", "2", "3"};
static const struct xpl_answer_hints from_one = {.class_labels = one_to_three, .n_class_labels = 3};
static const struct xpl_answer_hints cranes = {.class_labels = two_cranes, .n_class_labels = 3};
static const struct xpl_answer_hints named = {.class_labels = cat_dog, .n_class_labels = 2};
static const struct xpl_answer_hints by_path = {.probability_path = "$.a.b[1].p"};
static const struct xpl_answer_hints first_result = {.probability_path = "result[0]"};
static const struct xpl_answer_hints by_row_path = {.probability_path = "rows[*].q.p"};

struct refused {
    const char *text;
    const struct xpl_answer_hints *hints;
    uint32_t n_rows;
    const char *says;
};

static const struct refused refusals[] = {
    {"{\"predictions\":[[2.5,-1.25]]}", NULL, 1, "activation"},
    {"{\"predictions\":[[0.5,0.5]]}", NULL, 2, "fewer than the 2 rows"},
    {"[0.5,0.5,0.5]", NULL, 2, "more than the 2 rows"},
    {"{\"outputs\":[{\"name\":\"p\",\"shape\":[3],\"datatype\":\"FP32\",\"data\":[0.1,0.2,0.7]}]}", NULL, 2,
     "3 numbers for 2 images"},
    {"{\"predictions\":[\"dog\"]}", NULL, 1, "class_labels"},
    {"{\"predictions\":[true]}", NULL, 1, "no array, object or number"},
    {"{\"predictions\":[{\"width\":0.5,\"height\":0.7}]}", NULL, 1, "no probabilities found"},
    {"{\"predictions\":[[40,75]]}", NULL, 1, "percent"},
    {"{\"predictions\":[{\"a\":{\"cat\":0.5,\"dog\":0.5},\"b\":{\"cat\":0.5,\"dog\":0.5}}]}", NULL, 1,
     "no probabilities found"},
    {"{\"prediction\":\"dog\",\"confidence\":0.75}", NULL, 1, "single class"},
    {"{\"prediction\":1}", NULL, 1, "class_labels"},
    {"{\"class_id\":0,\"score\":0.9}", NULL, 1, "single class"},
    {"{\"prediction\":0.25}", NULL, 1, "probability_path"},
    {"{\"fields\":[\"prediction\",\"score\"],\"values\":[[0,0.99]]}", NULL, 1, "probability_fields"},
    {"{\"fields\":[\"class\",\"confidence\"],\"values\":[[1,0.01]]}", NULL, 1, "probability_fields"},
    {"{\"predictions\":[\"bird\"]}", &named, 1, "\"bird\""},
    {"{\"predictions\":[[0.2,0.3,0.5]]}", &named, 1, "2 classes"},
    {"{\"a\":{\"b\":[1]}}", &by_path, 1, "$.a.b[1].p"},
    {"{\"rows\":[{\"q\":7}]}", &by_row_path, 1, "q.p"},
    {"{\"error\":\"model not ready\"}", NULL, 1, "no probabilities found"},
    {"{\"predictions\":[[0.5,null]]}", NULL, 1, "predictions[0][1]: a probability is not a number"},
    {"{\"a\":{\"probs\":[0.5,1.5]}}", NULL, 1, "a.probs: 1.5 is no probability"},
    {"\"{\\\"p\\\":[[0.5,1.5]]}\"", NULL, 1, "p[0]: 1.5 is no probability"},
    /* sorted by score, places say nothing of two classes with one name */
    {"{\"predictions\":[{\"labels\":[\"crane\",\"cat\",\"crane\"],\"probabilities\":[0.7,0.2,0.1]}]}", NULL, 1,
     "\"crane\" twice"},
    {"{\"predictions\":[[{\"label\":\"crane\",\"score\":0.5},{\"label\":\"cat\",\"score\":0.2}]]}", &cranes, 1,
     "several classes have this name"},
    /* two scores of one class, such as those of objects that were found in a picture */
    {"[[{\"label\":\"cat\",\"score\":0.9},{\"label\":\"cat\",\"score\":0.4}]]", &named, 1,
     "two scores of the class \"cat\""},
    {"{\"predictions\":[{\"labels\":[\"cat\",\"cat\"],\"scores\":[0.9,0.4]}]}", &named, 1,
     "two scores of the class \"cat\""},
    {"[[{\"label\":\"cat\",\"score\":1},{\"label\":\"dog\",\"score\":0}],"
     "[{\"label\":\"cat\",\"score\":0.6},{\"label\":\"cat\",\"score\":0.4}]]",
     NULL, 2, "two scores of the class \"cat\""},
    {"[{\"class_id\":0,\"score\":0.7},{\"class_id\":1,\"score\":0.2},{\"class_id\":2,\"score\":0.1}]", &from_one, 1,
     "two scores of the class \"1\""}, /* which has the index 0 */
    /* as many images as classes: a list may be one of each */
    {"{\"outputs\":[{\"name\":\"label\",\"shape\":[2],\"datatype\":\"BYTES\",\"data\":[\"dog\",\"cat\"]},"
     "{\"name\":\"p\",\"shape\":[2,2],\"datatype\":\"FP32\",\"data\":[1,0,0.3,0.7]}]}",
     &named, 2, "2 classes beside the scores of 2 images"},
    {"{\"outputs\":[{\"name\":\"indices\",\"shape\":[2],\"datatype\":\"INT64\",\"data\":[1,0]},"
     "{\"name\":\"p\",\"shape\":[2,2],\"datatype\":\"FP32\",\"data\":[1,0,0.3,0.7]}]}",
     &named, 2, "2 classes beside the scores of 2 images"},
    {"{\"class\":[\"dog\",\"cat\"],\"scores\":[[1,0],[0.3,0.7]]}", &named, 2,
     "2 classes beside the scores of 2 images"},
    {"{\"classes\":[[\"dog\",\"cat\"]],\"scores\":[[1,0],[0.3,0.7]]}", &named, 2,
     "2 classes beside the scores of 2 images"},
    {"{\"predictions\":[[1,0]],\"predictions\":[[0,1]]}", NULL, 1, "\"predictions\" twice"},
    {"{\"predictions\":[{\"cat\":0.5,\"dog\":0.5,\"cat\":0.1}]}", NULL, 1, "\"cat\" twice"},
    {"\"{\\\"a\\\":[1,0],\\\"a\\\":[0,1]}\"", NULL, 1, "no probabilities found"},
    {"{\"predictions\":[{\"cat\":0.25,\"dog\":0.75,\"time_ms\":12}]}", NULL, 1, "\"time_ms\" is 12"},
    {"{\"result\":{\"cat\":0.25,\"dog\":0.75,\"time_ms\":12}}", NULL, 1, "explaind.class_labels"},
    {"{\"result\":{\"cat\":0.25,\"dog\":0.5,\"time_ms\":12}}", NULL, 1, "sum of the 3 numbers of an object is 12.75"},
    {"{\"result\":[{\"keyword\":\"dog\",\"score\":0.75},{\"keyword\":\"cat\",\"score\":0.25}]}", &first_result, 1,
     "one class of several"},
    {"{\"sizes\":[{\"id\":\"a\",\"width\":0.5},{\"id\":\"b\",\"width\":0.7}]}", NULL, 1,
     "sizes[0]: no probabilities found"},
    {"{\"predictions\":[[NaN,0.5]]}", NULL, 1, "JSON"},
    {"{\"error\":\"busy\",\"retry\":0.4,\"left\":0.6}", NULL, 1, "says what went wrong"},
    {"{\"message\":\"bad\",\"min\":\"0.0\",\"max\":\"1.0\"}", NULL, 1, "no probabilities found"},
    {"{\"status\":\"error\",\"version\":\"0.5\",\"api\":\"0.5\"}", NULL, 1, "no probabilities found"},
    {"{\"status\":\"error\",\"message\":\"x\",\"code\":0.5,\"n\":0.5}", NULL, 1, "says what went wrong"},
    {"{\"success\":false,\"code\":0.5,\"n\":0.5}", NULL, 1, "says what went wrong"},
    {"{\"predictions\":[{\"detail\":\"out of memory\",\"a\":0.4,\"b\":0.6}]}", NULL, 1, "no probabilities found"},
    {"{\"outputs\":[{\"name\":\"p\",\"datatype\":\"BYTES\",\"shape\":[1,2],\"data\":[\"a:1\",\"b:0\"]}]}", NULL, 1,
     "no probabilities found"},
    {"{\"predictions\":[{\"a\":[0.5,0.5],\"b\":[0.5,0.5]}]}", NULL, 1, "probability_path"},
    {"{\"versions\":[\"1.2\",\"0.5\\\"1\"],\"cat\":\"1.5x\"}", NULL, 1, "no probabilities found"},
    {"{\"predictions\":[[\"1.5\",\"0.25\"]]}", NULL, 1, "predictions"},
};

static void answers_without_usable_probabilities_are_refused(void **state)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct xpl_answer *answer = NULL;
        struct xpl_error err = {0};

        if (xpl_answer_read(*state, xpl_text_of(refusals[i].text), refusals[i].hints, refusals[i].n_rows, 0, &answer,
                            &err) != XPL_MODEL_BAD_ANSWER ||
            !strstr(err.message, refusals[i].says))
            fail_msg("%s: \"%s\"", refusals[i].text, err.message);
    }
}

static void paths_are_names_and_numbers(void **state)
{
    static const char *const sound[] = {"a", "$.a.b", "a[0].b", "[0]", "a[*].b", "$[*]"};
    static const char *const broken[] = {"", "$", "a..b", "a[", "a[]", "a[x]", "a.", "a[*].b[*]"};

    (void)state;
    for (size_t i = 0; i < sizeof sound / sizeof *sound; i++)
        if (!xpl_answer_path_is_sound(sound[i]))
            fail_msg("%s", sound[i]);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        if (xpl_answer_path_is_sound(broken[i]))
            fail_msg("%s", broken[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCORING_TEST(answers_without_usable_probabilities_are_refused),
        SCORING_TEST(paths_are_names_and_numbers),
    };

    return cmocka_run_group_tests_name("scoring/answer_refusals", tests, NULL, NULL);
}
