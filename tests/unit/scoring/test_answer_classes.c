/* SPDX-License-Identifier: Apache-2.0 */
/* Which class a score is of, where its place does not say so. */
#include "tests/unit/scoring/scoring_test.h"

#include <math.h>

#include "lib/scoring/answers/answer.h"

static const char *const cat_dog_fox[] = {"cat", "dog", "fox"};
static const char *const two_cranes[] = {"crane (0)", "cat", "crane (2)"};
static const struct xpl_answer_hints cranes = {.class_labels = two_cranes, .n_class_labels = 3};
static const struct xpl_answer_hints named = {.class_labels = cat_dog_fox, .n_class_labels = 3};

struct sorted {
    const char *text;
    const struct xpl_answer_hints *hints;
    uint32_t n_rows;
    double last[3];    /* of the last row */
    const char *label; /* of the third class; NULL = none */
};

static const struct sorted answers[] = {
    /* indexes beside scores */
    {"{\"class_ids\":[2,0,1],\"probabilities\":[0.7,0.2,0.1]}", NULL, 1, {0.2, 0.1, 0.7}, "2"},
    {"{\"indices\":[2,0,1],\"scores\":[0.7,0.2,0.1]}", NULL, 1, {0.2, 0.1, 0.7}, "2"},
    {"{\"indices\":[2,0,1],\"scores\":[0.7,0.2,0.1]}", &named, 1, {0.2, 0.1, 0.7}, "fox"},
    {"{\"indices\":[2,0],\"scores\":[0.7,0.2]}", &named, 1, {0.2, 0.1, 0.7}, "fox"},
    {"{\"classes\":[2,0,1],\"scores\":[0.7,0.2,0.1]}", NULL, 1, {0.2, 0.1, 0.7}, "2"},
    {"{\"predictions\":[{\"ids\":[\"2\",\"0\",\"1\"],\"confidences\":[0.7,0.2,0.1]}]}", NULL, 1, {0.2, 0.1, 0.7}, "2"},
    {"{\"indices\":[[0,1,2],[2,0,1]],\"probs\":[[1,0,0],[0.7,0.2,0.1]]}", NULL, 2, {0.2, 0.1, 0.7}, "2"},
    {"{\"indices\":[[0,1],[2,0]],\"probs\":[[1,0],[0.7,0.2]]}", &named, 2, {0.2, 0.1, 0.7}, "fox"},
    /* indexes in a list of classes, of one image or of each */
    {"[{\"class_id\":2,\"score\":0.7},{\"class_id\":0,\"score\":0.2},{\"class_id\":1,\"score\":0.1}]",
     NULL,
     1,
     {0.2, 0.1, 0.7},
     "2"},
    {"{\"predictions\":[[{\"index\":2,\"probability\":0.7},{\"index\":0,\"probability\":0.2}]]}",
     &named,
     1,
     {0.2, 0.1, 0.7},
     "fox"},
    /* the class of a single score, and all of them beside it */
    {"{\"class_id\":2,\"score\":0.7}", &named, 1, {0.15, 0.15, 0.7}, "fox"},
    {"[{\"class_id\":0,\"score\":1},{\"class_id\":2,\"score\":0.7}]", &named, 2, {0.15, 0.15, 0.7}, "fox"},
    {"{\"class_id\":2,\"score\":0.7,\"all\":[{\"label\":\"fox\",\"score\":0.7},{\"label\":\"cat\",\"score\":0.2},"
     "{\"label\":\"dog\",\"score\":0.1}]}",
     &named,
     1,
     {0.2, 0.1, 0.7},
     "fox"},
    /* ones for the classes that are there are no indexes */
    {"{\"classes\":[1,0,1],\"probabilities\":[0.7,0.2,0.9]}", NULL, 1, {0.7, 0.2, 0.9}, NULL},
    /* names beside scores */
    {"{\"classes\":[\"fox\",\"cat\"],\"scores\":[0.7,0.2]}", &named, 1, {0.2, 0.1, 0.7}, "fox"},
    {"{\"outputs\":{\"classes\":[[\"fox\",\"cat\",\"dog\"]],\"scores\":[[0.7,0.2,0.1]]}}",
     NULL,
     1,
     {0.2, 0.1, 0.7},
     "fox"},
    {"{\"labels\":[[\"dog\",\"cat\",\"fox\"],[\"fox\",\"cat\",\"dog\"]],\"scores\":[[1,0,0],[0.7,0.2,0.1]]}",
     NULL,
     2,
     {0.2, 0.1, 0.7},
     "fox"},
    /* names and indexes for all images: scores are not in the order of class_labels */
    {"{\"classes\":[\"fox\",\"cat\",\"dog\"],\"scores\":[[0.7,0.2,0.1]]}", &named, 1, {0.2, 0.1, 0.7}, "fox"},
    {"{\"classes\":[\"fox\",\"cat\",\"dog\"],\"scores\":[[1,0,0],[0.7,0.2,0.1]]}", &named, 2, {0.2, 0.1, 0.7}, "fox"},
    {"{\"class_ids\":[2,0,1],\"scores\":[[1,0,0],[0.7,0.2,0.1]]}", &named, 2, {0.2, 0.1, 0.7}, "fox"},
    {"{\"classes\":[\"cat\",\"dog\",\"fox\"],\"scores\":[[1,0,0],[0.2,0.1,0.7]]}", &named, 2, {0.2, 0.1, 0.7}, "fox"},
    {"{\"class\":[\"cat\",\"fox\"],\"scores\":[[1,0,0],[0.2,0.1,0.7]]}", &named, 2, {0.2, 0.1, 0.7}, "fox"},
    {"{\"class\":[\"fox\",\"fox\",\"fox\"],\"scores\":[[1,0,0],[1,0,0],[0.2,0.1,0.7]]}",
     &named,
     3,
     {0.2, 0.1, 0.7},
     "fox"},
    /* members that are no classes */
    {"{\"predictions\":[{\"took\":3,\"fox\":0.7,\"do\":1,\"note\":\"x\",\"dog\":0.1,\"cat\":0.2,\"foxes\":2}]}",
     &named,
     1,
     {0.2, 0.1, 0.7},
     "fox"},
    /* names of which two are the same are told apart by their place; classes are in the order of their names */
    {"{\"labels\":[\"crane\",\"cat\",\"crane\"],\"values\":[[[0.1,0.2,0.7]]]}", NULL, 1, {0.2, 0.1, 0.7}, "crane (2)"},
    {"{\"labels\":[\"crane\",\"cat\",\"crane\"],\"values\":[[[0.2,0.1,0.7]]]}",
     &cranes,
     1,
     {0.2, 0.1, 0.7},
     "crane (2)"},
    {"{\"predictions\":[{\"labels\":[\"crane\",\"cat\",\"crane\"],\"probabilities\":[0.1,0.2,0.7]}]}",
     NULL,
     1,
     {0.2, 0.1, 0.7},
     "crane (2)"},
    {"{\"predictions\":[[0.2,0.1,0.7]]}", &cranes, 1, {0.2, 0.1, 0.7}, "crane (2)"},
    /* in a tensor of their own */
    {"{\"outputs\":[{\"name\":\"labels\",\"shape\":[1,3],\"datatype\":\"BYTES\",\"data\":[\"fox\",\"cat\",\"dog\"]},"
     "{\"name\":\"scores\",\"shape\":[1,3],\"datatype\":\"FP32\",\"data\":[0.7,0.2,0.1]}]}",
     NULL,
     1,
     {0.2, 0.1, 0.7},
     "fox"},
    {"{\"outputs\":[{\"name\":\"names\",\"shape\":[3],\"datatype\":\"BYTES\",\"data\":[\"fox\",\"cat\",\"dog\"]},"
     "{\"name\":\"scores\",\"shape\":[2,3],\"datatype\":\"FP32\",\"data\":[1,0,0,0.7,0.2,0.1]}]}",
     NULL,
     2,
     {0.2, 0.1, 0.7},
     "fox"},
    {"{\"outputs\":[{\"name\":\"values\",\"shape\":[2,3],\"datatype\":\"FP32\",\"data\":[1,0,0,0.7,0.2,0.1]},"
     "{\"name\":\"indices\",\"shape\":[2,3],\"datatype\":\"INT64\",\"data\":[0,1,2,2,0,1]}]}",
     NULL,
     2,
     {0.2, 0.1, 0.7},
     "2"},
    {"{\"outputs\":[{\"name\":\"label\",\"shape\":[3],\"datatype\":\"BYTES\",\"data\":[\"cat\",\"dog\",\"fox\"]},"
     "{\"name\":\"p\",\"shape\":[3,3],\"datatype\":\"FP32\",\"data\":[1,0,0,0,1,0,0.2,0.1,0.7]}]}",
     NULL,
     3,
     {0.2, 0.1, 0.7},
     NULL}, /* a name for each image */
    {"{\"outputs\":[{\"name\":\"label\",\"shape\":[3],\"datatype\":\"BYTES\",\"data\":[\"cat\",\"dog\",\"fox\"]},"
     "{\"name\":\"p\",\"shape\":[3,3],\"datatype\":\"FP32\",\"data\":[1,0,0,0,1,0,0.2,0.1,0.7]}]}",
     &named,
     3,
     {0.2, 0.1, 0.7},
     "fox"}, /* or for each class: the same */
    /* a column for each class */
    {"{\"fields\":[\"prediction\",\"P(fox)\",\"P(cat)\",\"P(dog)\"],\"values\":[[\"fox\",0.7,0.2,0.1]]}",
     NULL,
     1,
     {0.2, 0.1, 0.7},
     "fox"},
    {"{\"predictions\":[{\"fields\":[\"probability(cat)\",\"probability(dog)\",\"probability(fox)\",\"prediction\"],"
     "\"values\":[[1,0,0,\"cat\"],[0.2,0.1,0.7,\"fox\"]]}]}",
     NULL,
     2,
     {0.2, 0.1, 0.7},
     "fox"},
    {"{\"fields\":[\"id\",\"$N-x\",\"$NP-cat\",\"$NP-dog\",\"$NP-fox\"],\"values\":[[7,\"fox\",0.2,0.1,0.7]]}",
     NULL,
     1,
     {0.2, 0.1, 0.7},
     "fox"},
    {"{\"fields\":[\"cat\",\"dog\",\"fox\"],\"values\":[[0.2,0.1,0.7]]}", NULL, 1, {0.2, 0.1, 0.7}, "fox"},
    {"{\"fields\":[\"probability\",\"P(cat)\",\"P(dog)\"],\"values\":[[[0.2,0.1,0.7],0.2,0.1]]}",
     NULL,
     1,
     {0.2, 0.1, 0.7},
     NULL},
    /* one image whose only row names its class as well */
    {"{\"predictions\":[{\"probabilities\":[0.2,0.1,0.7],\"labels\":[\"cat\",\"dog\",\"fox\"],\"predicted_label\":"
     "\"fox\",\"probability\":0.7}]}",
     NULL,
     1,
     {0.2, 0.1, 0.7},
     "fox"},
    {"[[[[0.2,0.1,0.7]]]]", NULL, 1, {0.2, 0.1, 0.7}, NULL},
    /* chat models */
    {"{\"choices\":[{\"message\":{\"content\":\"fox\"},\"logprobs\":{\"content\":[{\"token\":\"fox\",\"logprob\":-0.35,"
     "\"top_logprobs\":[{\"token\":\"fox\",\"logprob\":-0.35667494393873245,\"bytes\":[1]},"
     "{\"token\":\" cat\",\"logprob\":-2.3025850929940455},{\"token\":\"cat\",\"logprob\":-2.3025850929940455},"
     "{\"token\":\"dog\",\"logprob\":-2.3025850929940455}]}]}}]}",
     NULL,
     1,
     {0.2, 0.1, 0.7},
     "fox"},
    {"{\"choices\":[{\"text\":\" fox\",\"logprobs\":{\"top_logprobs\":[{\" fox\":-0.35667494393873245,"
     "\" the\":-2.3025850929940455,\" cat\":-1.6094379124341003}]}}]}",
     &named,
     1,
     {0.2, 0.1, 0.7},
     "fox"},
    {"{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"cat\\\":0.2,\\\"dog\\\":0.1,\\\"fox\\\":0.7}\"}],"
     "\"usage\":{\"in\":9,\"out\":2}}",
     NULL,
     1,
     {0.2, 0.1, 0.7},
     "fox"},
    {"{\"response\":\"{\\\"cat\\\":0.2,\\\"dog\\\":0.1,\\\"fox\\\":0.7}\",\"done\":true,\"total_duration\":123}",
     NULL,
     1,
     {0.2, 0.1, 0.7},
     "fox"},
};

static void scores_are_of_the_class_that_stands_beside_them(void **state)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        const struct sorted *s = &answers[i];
        struct xpl_text copy = exact_copy(s->text);
        struct xpl_answer *answer = NULL;
        struct xpl_error err = {0};
        const double *last;

        if (xpl_answer_read(*state, copy, s->hints, s->n_rows, 0, &answer, &err))
            fail_msg("%s: %s", s->text, err.message);
        free_copy(copy);
        last = answer->probabilities + 3 * (s->n_rows - 1);
        for (size_t c = 0; c < 3; c++)
            if (answer->n_classes != 3 || fabs(last[c] - s->last[c]) > 1e-12)
                fail_msg("%s: %u classes, %g, %g, %g", s->text, answer->n_classes, last[0], last[1], last[2]);
        if (!s->label != !answer->labels || (s->label && strcmp(s->label, answer->labels[2]) != 0))
            fail_msg("%s: third label %s", s->text, answer->labels ? answer->labels[2] : "none");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCORING_TEST(scores_are_of_the_class_that_stands_beside_them),
    };

    return cmocka_run_group_tests_name("scoring/answer_classes", tests, NULL, NULL);
}
