/* SPDX-License-Identifier: Apache-2.0 */
/* What models answer. The first byte chooses what is expected of the answer. */
#include "lib/scoring/answers/answer.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct xpl_answer *answer, uint32_t n_rows, uint32_t n_classes)
{
    FUZZ_REQUIRE(answer->n_rows == n_rows && answer->n_classes > 0);
    FUZZ_REQUIRE(n_classes == 0 || answer->n_classes == n_classes);
    for (size_t i = 0; i < (size_t)answer->n_rows * answer->n_classes; i++)
        FUZZ_REQUIRE(answer->probabilities[i] >= -1e-3 && answer->probabilities[i] <= 1 + 1e-3);
    for (uint32_t i = 0; answer->labels && i + 1 < answer->n_classes; i++)
        FUZZ_REQUIRE(strcmp(answer->labels[i], answer->labels[i + 1]) <= 0);
    for (uint32_t i = 0; answer->labels && i < answer->n_classes; i++)
        FUZZ_REQUIRE(xpl_is_utf8(answer->labels[i], strlen(answer->labels[i])));
    for (uint32_t i = 0; i < answer->n_rows; i++)
        FUZZ_REQUIRE(!answer->predictions[i] || fuzz_is_json(xpl_text_of(answer->predictions[i])));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const fields[] = {"scores", "probability"};
    const struct xpl_answer_hints hints = {
        .probability_fields = fields, .n_probability_fields = 2, .prediction_field = "class"};
    uint32_t n_rows = size ? 1 + (data[0] & 3) : 1, n_classes = size ? data[0] >> 2 & 3 : 0;
    bool with_hints = size && data[0] & 16;
    struct xpl_text text = size ? fuzz_exact(data + 1, size - 1) : fuzz_exact(data, 0);
    struct xpl_arena *arena = xpl_arena_new(FUZZ_ARENA_BYTES);
    struct xpl_answer *answer;
    struct xpl_error err = {0};

    if (xpl_answer_read(arena, text, with_hints ? &hints : NULL, n_rows, n_classes, &answer, &err) == XPL_OK)
        check(answer, n_rows, n_classes);
    else
        FUZZ_REQUIRE(*err.message);
    xpl_arena_free(arena);
    fuzz_free(text);
    return 0;
}
