/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/answers/answer_names.h"
#include "lib/scoring/answers/answer_table.h"

static bool is_named(struct xpl_text tensor, const char *name)
{
    struct xpl_text found;

    return xpl_json_member(tensor, "name", &found) && xpl_json_text_is_string(found) &&
           xpl_text_equal((struct xpl_text){found.ptr + 1, found.length - 2}, name);
}

static bool holds_numbers(struct xpl_text tensor)
{
    struct xpl_text type, data;

    if (!xpl_json_member(tensor, "data", &data) || !xpl_json_text_is_array(data))
        return false;
    return !xpl_json_member(tensor, "datatype", &type) || !xpl_text_equal(type, "\"BYTES\"");
}

/* How much a tensor looks like the probabilities: the more the better, 0 = it cannot be. */
static size_t rank(struct xpl_text tensor, const struct xpl_answer_hints *hints)
{
    struct xpl_text type = {"", 0};
    size_t n = 2;

    if (!holds_numbers(tensor))
        return 0;
    for (size_t i = 0; hints && i < hints->n_probability_fields; i++)
        if (is_named(tensor, hints->probability_fields[i]))
            return 1000 - i;
    for (const char *const *name = xpl_probability_names; *name; name++, n++)
        if (is_named(tensor, *name))
            return 500 - n;
    xpl_json_member(tensor, "datatype", &type);
    return type.length > 3 && type.ptr[1] == 'F' ? 2 : 1;
}

bool xpl_answer_tensor_find(struct xpl_text outputs, const struct xpl_answer_hints *hints, uint32_t n_rows,
                            struct xpl_answer_table *ret)
{
    struct xpl_text tensor, best = {0}, first;
    size_t best_rank = 0;

    (void)n_rows;
    for (size_t i = 0; xpl_json_element(outputs, i, &tensor) && i < 64; i++) {
        size_t found = rank(tensor, hints);

        if (found > best_rank) {
            best_rank = found;
            best = tensor;
        }
    }
    if (!best_rank || !xpl_json_member(best, "data", &ret->values))
        return false;
    ret->kind =
        xpl_json_element(ret->values, 0, &first) && xpl_json_text_is_array(first) ? XPL_ANSWER_ROWS : XPL_ANSWER_FLAT;
    return true;
}
