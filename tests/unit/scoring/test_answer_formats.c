/* SPDX-License-Identifier: Apache-2.0 */
/* The families of model servers: where each has its probabilities. */
#include "tests/unit/scoring/scoring_test.h"

#include <math.h>

#include "lib/scoring/answers/answer.h"
#include "lib/scoring/answers/answer_table.h"

static const char *const cat_dog[] = {"cat", "dog"};
static const char *const scores[] = {"scores"};
static const char *const digits[] = {"0", "1", "2"};
static const struct xpl_answer_hints binary = {.class_labels = digits, .n_class_labels = 2};
static const struct xpl_answer_hints ternary = {.class_labels = digits, .n_class_labels = 3};
static const struct xpl_answer_hints named = {.class_labels = cat_dog, .n_class_labels = 2};
static const struct xpl_answer_hints softmax = {.activation = XPL_ACTIVATION_SOFTMAX};
static const struct xpl_answer_hints sigmoid = {.activation = XPL_ACTIVATION_SIGMOID};
static const struct xpl_answer_hints percent = {.activation = XPL_ACTIVATION_PERCENT};
static const struct xpl_answer_hints named_at_path = {
    .class_labels = cat_dog, .n_class_labels = 2, .probability_path = "predictions[0]"};
static const struct xpl_answer_hints by_field = {.probability_fields = scores, .n_probability_fields = 1};
static const struct xpl_answer_hints by_path = {.probability_path = "$.a.b[1].p"};
static const struct xpl_answer_hints result_path = {.probability_path = "result"};
static const struct xpl_answer_hints text_path = {.probability_path = "content[0].text"};
static const struct xpl_answer_hints prediction_path = {.probability_path = "prediction"};
static const struct xpl_answer_hints by_row_path = {.probability_path = "rows[*].q.p"};

struct family {
    const char *text;
    const struct xpl_answer_hints *hints;
    uint32_t n_rows;
    double last[2];    /* of the last row */
    const char *label; /* of the first class; NULL = none */
};

static const struct family families[] = {
    {"{\"predictions\":[[0.25,0.75]]}", NULL, 1, {0.25, 0.75}, NULL},
    {"{\"predictions\":[[1,0],[0.25,0.75]]}", NULL, 2, {0.25, 0.75}, NULL},
    {"{\"predictions\":[[0.75]]}", NULL, 1, {0.25, 0.75}, NULL},
    {"{\"predictions\":[0.5,0.75]}", NULL, 2, {0.25, 0.75}, NULL},
    {"{\"predictions\":[0.25,0.75]}", NULL, 1, {0.25, 0.75}, NULL},
    {"{\"predictions\":[{\"probabilities\":[0.25,0.75],\"classes\":1}]}", NULL, 1, {0.25, 0.75}, NULL},
    {"{\"predictions\":[{\"score\":[0.25,0.75],\"predicted_label\":1}]}", NULL, 1, {0.25, 0.75}, NULL},
    {"{\"outputs\":[[0.25,0.75]]}", NULL, 1, {0.25, 0.75}, NULL},
    {"{\"outputs\":{\"dense\":[[0,1],[0.25,0.75]]}}", NULL, 2, {0.25, 0.75}, NULL},
    {"{\"model_name\":\"m\",\"outputs\":[{\"name\":\"p\",\"shape\":[2,2],\"datatype\":\"FP32\",\"data\":[1,0,0.25,0.75]"
     "}]}",
     NULL,
     2,
     {0.25, 0.75},
     NULL},
    {"{\"outputs\":[{\"name\":\"p\",\"shape\":[1,2],\"datatype\":\"FP32\",\"data\":[[0.25,0.75]]}]}",
     NULL,
     1,
     {0.25, 0.75},
     NULL},
    {"{\"outputs\":[{\"name\":\"k\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[1]},"
     "{\"name\":\"p\",\"shape\":[1,2],\"datatype\":\"FP32\",\"data\":[0.25,0.75]}]}",
     NULL,
     1,
     {0.25, 0.75},
     NULL},
    {"{\"outputs\":[{\"name\":\"logits\",\"shape\":[1,2],\"datatype\":\"FP32\",\"data\":[9,9]},"
     "{\"name\":\"probabilities\",\"shape\":[1,2],\"datatype\":\"FP32\",\"data\":[0.25,0.75]}]}",
     NULL,
     1,
     {0.25, 0.75},
     NULL},
    {"{\"outputs\":[{\"name\":\"probabilities\",\"shape\":[1,2],\"datatype\":\"FP32\",\"data\":[1,0]},"
     "{\"name\":\"scores\",\"shape\":[1,2],\"datatype\":\"FP32\",\"data\":[0.25,0.75]}]}",
     &by_field,
     1,
     {0.25, 0.75},
     NULL},
    {"{\"outputs\":[{\"name\":\"p\",\"shape\":[2,1],\"datatype\":\"FP32\",\"data\":[0.5,0.75]}]}",
     NULL,
     2,
     {0.25, 0.75},
     NULL},
    {"[\"{\\\"predictions\\\":[[0.25,0.75]]}\"]", NULL, 1, {0.25, 0.75}, NULL},
    {"[\"[0.25,0.75]\"]", NULL, 1, {0.25, 0.75}, NULL},
    {"[\"[1,0]\",\"[0.25,0.75]\"]", NULL, 2, {0.25, 0.75}, NULL},
    {"{\"data\":[\"{\\\"label\\\":\\\"dog\\\",\\\"score\\\":0.75}\"]}", &named, 1, {0.25, 0.75}, "cat"},
    {"{\"outputs\":[{\"name\":\"p\",\"shape\":[2],\"datatype\":\"BYTES\",\"data\":[\"{\\\"cat\\\":1,\\\"dog\\\":0}\","
     "\"{\\\"cat\\\":0.25,\\\"dog\\\":0.75}\"]}]}",
     NULL,
     2,
     {0.25, 0.75},
     "cat"},
    {"{\"prediction\":0.75}", &prediction_path, 1, {0.25, 0.75}, NULL},
    {"[0.25,0.75]", NULL, 1, {0.25, 0.75}, NULL},
    {"[[1,0],[0.25,0.75]]", NULL, 2, {0.25, 0.75}, NULL},
    {"{\"prediction\":[0.25,0.75]}", NULL, 1, {0.25, 0.75}, NULL},
    {"[{\"probs\":[0.75,0.25],\"labels\":[\"dog\",\"cat\"]}]", NULL, 1, {0.25, 0.75}, "cat"},
    {"[{\"probs\":[0.5,0.5],\"labels\":[\"dog\",\"cat\"]},{\"probs\":[0.25,0.75],\"labels\":[\"cat\",\"dog\"]}]",
     NULL,
     2,
     {0.25, 0.75},
     "cat"},
    {"{\"output\":[{\"Scored Labels\":\"dog\",\"Scored Probabilities\":[0.25,0.75]}]}", NULL, 1, {0.25, 0.75}, NULL},
    {"\"{\\\"output\\\":[{\\\"Scored Probabilities\\\":[0.25,0.75]}]}\"", NULL, 1, {0.25, 0.75}, NULL},
    {"[{\"label\":\"dog\",\"score\":0.75},{\"label\":\"cat\",\"score\":0.25}]", NULL, 1, {0.25, 0.75}, "cat"},
    {"[[{\"label\":\"cat\",\"score\":1},{\"label\":\"dog\",\"score\":0}],"
     "[{\"label\":\"dog\",\"score\":0.75},{\"label\":\"cat\",\"score\":0.25}]]",
     NULL,
     2,
     {0.25, 0.75},
     "cat"},
    {"{\"predictions\":[{\"label\":\"dog\",\"score\":0.75}]}", &named, 1, {0.25, 0.75}, "cat"},
    {"{\"predictions\":[\"dog\"]}", &named, 1, {0, 1}, "cat"},
    {"{\"predictions\":[{\"prediction\":\"dog\"}]}", &named, 1, {0, 1}, "cat"},
    {"{\"predictions\":[[0.25,0.75]]}", &named, 1, {0.25, 0.75}, "cat"},
    {"{\"predictions\":[[0,1.0986122886681098]]}", &softmax, 1, {0.25, 0.75}, NULL},
    {"{\"predictions\":[[1.0986122886681098]]}", &sigmoid, 1, {0.25, 0.75}, NULL},
    {"{\"a\":{\"b\":[1,{\"p\":[0.25,0.75]}]}}", &by_path, 1, {0.25, 0.75}, NULL},
    {"{\"rows\":[{\"q\":{\"p\":[1,0]}},{\"q\":{\"p\":[0.25,0.75]}}]}", &by_row_path, 2, {0.25, 0.75}, NULL},
    {"{\"predictions\":[{\"cat\":0.25,\"dog\":0.75}]}", NULL, 1, {0.25, 0.75}, "cat"},
    {"[{\"cat\":1,\"dog\":0},{\"dog\":0.75,\"cat\":0.25}]", NULL, 2, {0.25, 0.75}, "cat"},
    {"{\"cat\":0.25,\"dog\":0.75}", NULL, 1, {0.25, 0.75}, "cat"},
    {"{\"label\":\"dog\",\"confidence\":0.75,\"probabilities\":{\"cat\":0.25,\"dog\":0.75}}",
     NULL,
     1,
     {0.25, 0.75},
     "cat"},
    {"{\"predictions\":[{\"dog\":0.75}]}", &named_at_path, 1, {0.25, 0.75}, "cat"},
    {"{\"predictions\":[{\"ids\":[\"7\",\"9\"],\"displayNames\":[\"dog\",\"cat\"],\"confidences\":[0.75,0.25]}]}",
     NULL,
     1,
     {0.25, 0.75},
     "cat"},
    {"{\"data\":{\"names\":[\"cat\",\"dog\"],\"ndarray\":[[1,0],[0.25,0.75]]},\"meta\":{}}",
     NULL,
     2,
     {0.25, 0.75},
     "cat"},
    {"{\"data\":{\"names\":[\"cat\",\"dog\"],\"tensor\":{\"shape\":[2,2],\"values\":[1,0,0.25,0.75]}}}",
     NULL,
     2,
     {0.25, 0.75},
     "cat"},
    {"{\"status\":{\"code\":10000},\"outputs\":[{\"id\":\"x\",\"data\":{\"concepts\":[{\"name\":\"cat\",\"value\":0.25}"
     ","
     "{\"name\":\"dog\",\"value\":0.75}]}}]}",
     NULL,
     1,
     {0.25, 0.75},
     "cat"},
    {"{\"images\":[{\"classifiers\":[{\"id\":\"c\",\"classes\":[{\"class\":\"dog\",\"score\":0.75},"
     "{\"class\":\"cat\",\"score\":0.25}]}]}]}",
     NULL,
     1,
     {0.25, 0.75},
     "cat"},
    {"{\"id\":\"x\",\"predictions\":[{\"tagName\":\"dog\",\"probability\":0.75},{\"tagName\":\"cat\",\"probability\":0."
     "25}]}",
     NULL,
     1,
     {0.25, 0.75},
     "cat"},
    {"{\"responses\":[{\"labelAnnotations\":[{\"description\":\"dog\",\"score\":0.75},"
     "{\"description\":\"cat\",\"score\":0.25}]}]}",
     NULL,
     1,
     {0.25, 0.75},
     "cat"},
    {"{\"Labels\":[{\"Name\":\"cat\",\"Confidence\":25},{\"Name\":\"dog\",\"Confidence\":75}]}",
     NULL,
     1,
     {0.25, 0.75},
     "cat"},
    {"{\"predictions\":[[25,75]]}", NULL, 1, {0.25, 0.75}, NULL},
    {"{\"predictions\":[[75]]}", &percent, 1, {0.25, 0.75}, NULL},
    {"{\"class\":\"dog\"}", &named, 1, {0, 1}, "cat"},
    {"{\"meta\":{\"v\":3},\"ausgabe\":[[0.25,0.75]]}", NULL, 1, {0.25, 0.75}, NULL},
    {"{\"ausgabe\":[[1,0],[0.25,0.75]],\"meta\":{\"v\":3},\"took\":{\"ms\":4}}", NULL, 2, {0.25, 0.75}, NULL},
    {"{\"label\":\"dog\",\"confidence\":0.75,\"all\":{\"cat\":0.25,\"dog\":0.75}}", NULL, 1, {0.25, 0.75}, "cat"},
    {"{\"label\":\"dog\",\"confidence\":0.75,\"all\":{\"cat\":0.25,\"dog\":0.75}}", &named, 1, {0.25, 0.75}, "cat"},
    {"{\"label\":\"dog\",\"confidence\":0.75,\"box\":{\"x\":0.5,\"y\":0.5}}", &named, 1, {0.25, 0.75}, "cat"},
    {"{\"predictions\":{\"dog\":{\"confidence\":0.75,\"class_id\":2},\"cat\":{\"confidence\":0.25,\"class_id\":1}},"
     "\"predicted_classes\":[\"dog\"]}",
     NULL,
     1,
     {0.25, 0.75},
     "cat"},
    {"{\"predictions\":{\"dog\":{\"confidence\":1,\"id\":2},\"cat\":{\"confidence\":0,\"id\":1}}}",
     NULL,
     1,
     {0, 1},
     "cat"},
    {"{\"cat\":{\"p\":0.25},\"dog\":{\"p\":0.75}}", NULL, 1, {0.25, 0.75}, "cat"},
    {"[{\"class\":\"dog\",\"confidence\":0.75},{\"class\":\"cat\",\"confidence\":0.25}]", NULL, 1, {0.25, 0.75}, "cat"},
    {"[[[\"n2\",\"dog\",0.75],[\"n1\",\"cat\",0.25]]]", NULL, 1, {0.25, 0.75}, "cat"},
    {"{\"predictions\":[[[\"n1\",\"cat\",1],[\"n2\",\"dog\",0]],[[\"n2\",\"dog\",0.75],[\"n1\",\"cat\",0.25]]]}",
     NULL,
     2,
     {0.25, 0.75},
     "cat"},
    {"{\"top\":[[\"dog\",0.75],[\"cat\",0.25]],\"took_ms\":3}", NULL, 1, {0.25, 0.75}, "cat"},
    {"{\"result\":[{\"keyword\":\"dog\",\"score\":0.75,\"root\":\"a\"},{\"keyword\":\"cat\",\"score\":0.25,\"root\":"
     "\"a\"}],"
     "\"result_num\":2}",
     NULL,
     1,
     {0.25, 0.75},
     "cat"},
    {"{\"result\":[{\"keyword\":\"dog\",\"score\":0.75},{\"keyword\":\"cat\",\"score\":0.25}]}",
     &result_path,
     1,
     {0.25, 0.75},
     "cat"},
    {"{\"liste\":[{\"klasse\":\"dog\",\"wert\":75},{\"klasse\":\"cat\",\"wert\":25}]}", NULL, 1, {0.25, 0.75}, "cat"},
    {"[{\"score\":0.5,\"id\":\"a\"},{\"score\":0.75,\"id\":\"b\"}]", NULL, 2, {0.25, 0.75}, NULL},
    {"{\"probabilities\":[0.75,0.25],\"classes\":[\"dog\",\"cat\"]}", NULL, 1, {0.25, 0.75}, "cat"},
    {"{\"label\":[\"dog\",\"cat\"],\"prob\":[0.75,0.25]}", NULL, 1, {0.25, 0.75}, "cat"},
    {"{\"predictions\":[{\"label\":[\"dog\",\"cat\"],\"prob\":[0.75,0.25]}]}", NULL, 1, {0.25, 0.75}, "cat"},
    {"{\"probabilities\":[0.25,0.75],\"classes\":[\"x\",\"y\"]}", &named, 1, {0.25, 0.75}, "cat"},
    {"{\"probabilities\":[[1,0],[0.25,0.75]],\"classes\":[\"dog\",\"cat\"]}", NULL, 2, {0.25, 0.75}, NULL},
    {"{\"predictions\":[{\"cat\":0.25,\"dog\":0.75,\"time_ms\":12}]}", &named, 1, {0.25, 0.75}, "cat"},
    {"{\"cat\":0.25,\"dog\":0.75,\"time_ms\":12,\"model\":\"v1\"}", &named, 1, {0.25, 0.75}, "cat"},
    {"{\"cat\":0.25,\"dog\":0.75,\"prediction\":\"dog\"}", NULL, 1, {0.25, 0.75}, "cat"},
    {"{\"took_ms\":3,\"result\":{\"probabilities\":[0.25,0.75],\"label\":\"dog\"}}", NULL, 1, {0.25, 0.75}, NULL},
    {"{\"data\":{\"names\":[],\"tensor\":{\"shape\":[2,2],\"values\":[1,0,0.25,0.75]}},\"meta\":{}}",
     NULL,
     2,
     {0.25, 0.75},
     NULL},
    {"{\"data\":{\"names\":[],\"ndarray\":[[0.25,0.75]]},\"meta\":{}}", NULL, 1, {0.25, 0.75}, NULL},
    {"{\"jsonData\":{\"probs\":[0.25,0.75]},\"meta\":{\"tags\":{}}}", NULL, 1, {0.25, 0.75}, NULL},
    {"{\"strData\":\"{\\\"cat\\\":0.25,\\\"dog\\\":0.75}\",\"meta\":{}}", NULL, 1, {0.25, 0.75}, "cat"},
    {"{\"fields\":[\"probabilities\",\"labels\",\"prediction\"],\"values\":[[[1,0],[\"cat\",\"dog\"],\"cat\"],[[0.75,0."
     "25],[\"dog\",\"cat\"],\"dog\"]]}",
     NULL,
     2,
     {0.25, 0.75},
     "cat"},
    {"{\"fields\":[\"p\",\"classes\"],\"values\":[[[0.75,0.25],[\"dog\",\"cat\"]]]}", NULL, 1, {0.25, 0.75}, "cat"},
    {"{\"predictions\":[1,0.75]}", &binary, 2, {0.25, 0.75}, "0"},
    {"{\"scores\":[\"25.0%\",\"75.0%\"]}", NULL, 1, {0.25, 0.75}, NULL},
    {"{\"scores\":[\"0.25%\",\"0.75 %\"]}", NULL, 1, {0.0025, 0.0075}, NULL},
    {"{\"scores\":[\"25.0%\",\"75.0%\"]}", &percent, 1, {0.25, 0.75}, NULL},
    {"{\"outputs\":[{\"name\":\"a\",\"datatype\":\"FP32\",\"shape\":[1,1],\"data\":[0.99]},{\"name\":\"b\","
     "\"datatype\":"
     "\"FP32\",\"shape\":[1,2],\"data\":[0.25,0.75]}]}",
     NULL,
     1,
     {0.25, 0.75},
     NULL},
    {"{\"outputs\":[{\"name\":\"a\",\"datatype\":\"FP32\",\"shape\":[1,2],\"data\":[1,1]},{\"name\":\"b\",\"datatype\":"
     "\"FP32\",\"shape\":[1,2],\"data\":[0.25,0.75]}]}",
     &softmax,
     1,
     {0.5, 0.5},
     NULL},
    {"{\"fields\":[\"probabilities\",\"classes\"],\"values\":[[[0.25,0.75],[\"n01\",\"n02\"]]]}",
     &named,
     1,
     {0.25, 0.75},
     "cat"},
    {"{\"cat\":0.25,\"dog\":0.75,\"error\":\"none\"}", NULL, 1, {0.25, 0.75}, "cat"},
    {"{\"outputs\":[{\"name\":\"p\",\"datatype\":\"BYTES\",\"shape\":[2,2],\"data\":[\"1:0:cat\",\"0:1:dog\",\"0.75:1:"
     "dog\",\"0.25:0:cat\"]}]}",
     NULL,
     2,
     {0.25, 0.75},
     "cat"},
    {"{\"outputs\":[{\"name\":\"p\",\"datatype\":\"BYTES\",\"shape\":[1,2],\"data\":[\"0.750000:1\",\"2.5e-1:0\"]}]}",
     NULL,
     1,
     {0.25, 0.75},
     "0"},
    {"{\"outputs\":[{\"name\":\"495\",\"datatype\":\"FP32\",\"shape\":[1,3],\"data\":[4.5,0.5,2]},{\"name\":\"500\","
     "\"datatype\":\"FP32\",\"shape\":[1,2],\"data\":[0.25,0.75]}]}",
     NULL,
     1,
     {0.25, 0.75},
     NULL},
    {"{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"{\\\"cat\\\":0.25,\\\"dog\\\":0.75}"
     "\"}}],\"usage\":{\"total_tokens\":17}}",
     NULL,
     1,
     {0.25, 0.75},
     "cat"},
    {"{\"choices\":[{\"message\":{\"content\":\"```json\\n{\\\"cat\\\":0.25,\\\"dog\\\":0.75}\\n```\"}}],\"usage\":{"
     "\"total_tokens\":17}}",
     NULL,
     1,
     {0.25, 0.75},
     "cat"},
    {"{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"cat\\\":0.25,\\\"dog\\\":0.75}\"}],\"usage\":{}}",
     &text_path,
     1,
     {0.25, 0.75},
     "cat"},
    {"[{\"label\":\"dog\",\"score\":\"0.75\"},{\"label\":\"cat\",\"score\":\"0.25\"}]", NULL, 1, {0.25, 0.75}, "cat"},
    {"{\"predictions\":[{\"cat\":\"25.0%\",\"dog\":\"75.0 %\"}]}", NULL, 1, {0.25, 0.75}, "cat"},
    {"{\"predictions\":[[\"1.0\",\"0.0\"],[\"0.25\",\"7.5e-1\"]]}", NULL, 2, {0.25, 0.75}, NULL},
    {"{\"predictions\":[{\"label\":\"1\",\"score\":\"0.75\"},{\"label\":\"0\",\"score\":\"0.25\"}]}",
     NULL,
     1,
     {0.25, 0.75},
     "0"},
};

static void the_probabilities_of_every_family_are_found(void **state)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        const struct family *f = &families[i];
        struct xpl_text copy = exact_copy(f->text);
        struct xpl_answer *answer = NULL;
        struct xpl_error err = {0};
        const double *last;

        if (xpl_answer_read(*state, copy, f->hints, f->n_rows, 0, &answer, &err) || err.status)
            fail_msg("%s: %s", f->text, err.message);
        free_copy(copy); /* nothing of the answer may point into the text */
        last = answer->probabilities + 2 * (f->n_rows - 1);
        if (answer->n_classes != 2 || fabs(last[0] - f->last[0]) > 1e-12 || fabs(last[1] - f->last[1]) > 1e-12)
            fail_msg("%s: %u classes, %g, %g", f->text, answer->n_classes, last[0], last[1]);
        if (!f->label != !answer->labels || (f->label && strcmp(f->label, answer->labels[0]) != 0))
            fail_msg("%s: first label %s", f->text, answer->labels ? answer->labels[0] : "none");
    }
}

static void an_index_is_its_class(void **state)
{
    static const char *const texts[] = {
        "{\"predictions\":[2]}", "{\"predictions\":[[2]]}",
        "{\"outputs\":[{\"name\":\"class\",\"datatype\":\"INT64\",\"shape\":[1],\"data\":[2]}]}"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct xpl_answer *answer = NULL;
        struct xpl_error err = {0};

        if (xpl_answer_read(*state, xpl_text_of(texts[i]), &ternary, 1, 0, &answer, &err))
            fail_msg("%s: %s", texts[i], err.message);
        assert_int_equal(answer->n_classes, 3);
        assert_true(answer->probabilities[0] == 0 && answer->probabilities[1] == 0 && answer->probabilities[2] == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCORING_TEST(the_probabilities_of_every_family_are_found),
        SCORING_TEST(an_index_is_its_class),
    };

    return cmocka_run_group_tests_name("scoring/answer_formats", tests, NULL, NULL);
}
