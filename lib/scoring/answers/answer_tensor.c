/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/answers/answer_items.h"
#include "lib/scoring/answers/answer_labels.h"
#include "lib/scoring/answers/answer_names.h"
#include "lib/scoring/answers/answer_pairs.h"
#include "lib/scoring/answers/answer_table.h"

#define MAX_TENSORS       64
#define MAX_CLASSES_BYTES ((size_t)64 << 20)

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

/* ---- "score:index:name", which Triton answers when a request asks for classes ---- */

/* One of them as {"label","score"}; the name is the index where there is none. */
static bool put_class(struct xpl_buf *out, struct xpl_text string)
{
    struct xpl_text score = {string.ptr + 1, string.length - 2}, label;
    const char *colon = memchr(score.ptr, ':', score.length);
    size_t length = colon ? (size_t)(colon - score.ptr) : 0;
    bool exponents;

    if (length == 0 || xpl_json_number_length(score.ptr, colon, &exponents) != length)
        return false;
    label = (struct xpl_text){colon + 1, score.length - length - 1};
    if ((colon = memchr(label.ptr, ':', label.length)) != NULL)
        label = (struct xpl_text){colon + 1, label.length - (size_t)(colon + 1 - label.ptr)};
    return xpl_buf_printf(out, "{\"label\":\"%.*s\",\"score\":%.*s}", (int)label.length, label.ptr, (int)length,
                          score.ptr);
}

/* A row for each image, of as many classes; empty when some of it is not of this form. */
static struct xpl_text put_classes(struct xpl_arena *arena, struct xpl_text data, size_t each)
{
    XPL_AUTO(xpl_buf) out = xpl_buf_new(MAX_CLASSES_BYTES);
    struct xpl_json_scan scan;
    struct xpl_text string;
    bool more;

    xpl_json_rescan_start(&scan, data, NULL);
    if (!out || xpl_json_enter_array(&scan))
        return (struct xpl_text){0};
    for (size_t i = 0; xpl_json_next_element(&scan, &more) == XPL_OK && more && !xpl_json_skip(&scan, &string); i++)
        if (!xpl_json_text_is_string(string) ||
            !xpl_buf_string(out, i == 0     ? "[["
                                 : i % each ? ","
                                            : "],[") ||
            !put_class(out, string))
            return (struct xpl_text){0};
    if (!xpl_buf_string(out, "]]"))
        return (struct xpl_text){0};
    return (struct xpl_text){xpl_arena_string_n(arena, out->data, out->length), out->length};
}

bool xpl_answer_tensor_classes(struct xpl_arena *arena, struct xpl_text outputs, uint32_t n_rows,
                               struct xpl_answer_table *ret)
{
    struct xpl_text tensor, data, rows;

    for (size_t i = 0; i < MAX_TENSORS && xpl_json_element(outputs, i, &tensor); i++) {
        size_t n = xpl_json_member(tensor, "data", &data) ? xpl_json_count_elements(data) : 0;

        if (n == 0 || n % n_rows || !xpl_answer_is_strings(data))
            continue;
        rows = put_classes(arena, data, n / n_rows);
        if (!rows.ptr)
            continue;
        ret->whole = ret->values = rows;
        ret->kind = XPL_ANSWER_ROWS;
        return true;
    }
    return false;
}

/* ---- numbers ---- */

#define JUST_FLOATS 2u

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
    return type.length > 3 && type.ptr[1] == 'F' ? JUST_FLOATS : 1;
}

/* Whether the numbers of each image, or of the first of nested ones, can be probabilities with 1 as their sum. */
static bool is_whole(struct xpl_text tensor, uint32_t n_rows)
{
    struct xpl_answer_items items;
    struct xpl_answer_item item;
    struct xpl_text data, first;
    double sum = 0;
    uint32_t n = 0;

    if (!xpl_json_member(tensor, "data", &data) || !xpl_json_element(data, 0, &first))
        return false;
    if (xpl_json_text_is_array(first)) {
        data = first;
        n_rows = 1;
    }
    xpl_answer_items_start(&items, data);
    for (; xpl_answer_items_next(&items, &item); n++) {
        double number = item.number.ptr ? xpl_parse_double(item.number.ptr, item.number.length) : -1;

        if (number < 0)
            return false;
        sum += number;
    }
    return n / n_rows >= 2 && xpl_answer_is_whole(sum / n_rows);
}

/* Whether a tensor may be the classes of scores: names, or indexes of classes. */
static bool may_be_classes(struct xpl_text tensor, size_t n_classes, struct xpl_text *ret_data)
{
    struct xpl_text name;

    return xpl_json_member(tensor, "data", ret_data) && xpl_json_member(tensor, "name", &name) &&
           (!holds_numbers(tensor) ||
            xpl_class_indexes_are_called((struct xpl_text){name.ptr + 1, name.length - 2}, (uint32_t)n_classes));
}

/* The classes of these scores, in a tensor beside them. */
static bool pair_up(struct xpl_arena *arena, struct xpl_text outputs, const struct xpl_answer_hints *hints,
                    uint32_t n_rows, struct xpl_answer_table *table)
{
    size_t n_classes = xpl_json_count_elements(table->values) / n_rows;
    enum xpl_answer_pairing made = XPL_PAIRS_NONE;
    struct xpl_text tensor, data;

    for (size_t i = 0; !made && i < MAX_TENSORS && xpl_json_element(outputs, i, &tensor); i++)
        if (may_be_classes(tensor, n_classes, &data) && data.ptr != table->values.ptr)
            made = xpl_answer_pairs_make(arena, data, table->values, n_rows, hints, &table->values);
    table->unsure |= made == XPL_PAIRS_UNSURE;
    if (made != XPL_PAIRS_MADE)
        return false;
    table->whole = table->values;
    table->kind = XPL_ANSWER_ROWS;
    return true;
}

bool xpl_answer_tensor_find(struct xpl_arena *arena, struct xpl_text outputs, const struct xpl_answer_hints *hints,
                            uint32_t n_rows, struct xpl_answer_table *ret)
{
    struct xpl_text tensor, best = {0}, first;
    size_t best_rank = 0;
    bool logits = hints && (hints->activation == XPL_ACTIVATION_SOFTMAX || hints->activation == XPL_ACTIVATION_SIGMOID);
    bool whole = false; /* the best */

    for (size_t i = 0; xpl_json_element(outputs, i, &tensor) && i < MAX_TENSORS; i++) {
        size_t found = rank(tensor, hints);

        if (found > best_rank ||
            (found == JUST_FLOATS && best_rank == found && !logits && !whole && is_whole(tensor, n_rows))) {
            whole = found == JUST_FLOATS && is_whole(tensor, n_rows);
            best_rank = found;
            best = tensor;
        }
    }
    if (!best_rank || !xpl_json_member(best, "data", &ret->values))
        return false;
    if (pair_up(arena, outputs, hints, n_rows, ret))
        return true;
    ret->kind =
        xpl_json_element(ret->values, 0, &first) && xpl_json_text_is_array(first) ? XPL_ANSWER_ROWS : XPL_ANSWER_FLAT;
    return true;
}
