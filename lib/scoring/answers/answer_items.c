/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answers/answer_items.h"

#include <math.h>

#include "lib/base/json_look.h"
#include "lib/scoring/answers/answer_names.h"

#define SUM_SLACK 0.02 /* of rounded probabilities */

const char *const xpl_score_names[] = {"probability", "probabilities", "probs",      "scores", "score",
                                       "confidence",  "prob",          "Confidence", "value",  NULL};
const char *const xpl_label_names[] = {
    "label",       "class",         "class_name",      "className", "name",       "tagName", "displayName",
    "description", "display_name",  "category",        "Name",      "prediction", "classes", "predictedLabel",
    "class_label", "Scored Labels", "predicted_label", NULL};

bool xpl_answer_pair(struct xpl_text object, struct xpl_text *ret_score, struct xpl_text *ret_label)
{
    struct xpl_text label = {0};
    const char *const *name = xpl_score_names;

    while (*name && !(xpl_json_member(object, *name, ret_score) && xpl_json_text_is_number(*ret_score)))
        name++;
    if (!*name)
        return false;
    for (name = xpl_label_names; *name && !xpl_json_text_is_string(label); name++)
        xpl_json_member(object, *name, &label);
    if (ret_label)
        *ret_label = label;
    return xpl_json_text_is_string(label);
}

void xpl_answer_items_start(struct xpl_answer_items *items, struct xpl_text probabilities)
{
    struct xpl_text score;

    *items = (struct xpl_answer_items){.is_list = xpl_json_text_is_array(probabilities)};
    items->is_map = xpl_json_text_is_object(probabilities) && !xpl_answer_pair(probabilities, &score, NULL);
    xpl_json_rescan_start(&items->scan, probabilities, NULL);
    if (items->is_list)
        xpl_json_enter_array(&items->scan);
    else if (items->is_map)
        xpl_json_enter_object(&items->scan);
    else
        items->only = probabilities;
}

static bool next_value(struct xpl_answer_items *items, struct xpl_text *name, struct xpl_text *value)
{
    bool more = false;

    if (items->is_list)
        return xpl_json_next_element(&items->scan, &more) == XPL_OK && more &&
               xpl_json_skip(&items->scan, value) == XPL_OK;
    if (items->is_map)
        return xpl_json_next_member(&items->scan, name, &more) == XPL_OK && more &&
               xpl_json_skip(&items->scan, value) == XPL_OK;
    *value = items->only;
    items->only = (struct xpl_text){0};
    return value->ptr;
}

bool xpl_answer_items_next(struct xpl_answer_items *items, struct xpl_answer_item *ret)
{
    struct xpl_text name = {0}, value = {0}, score;

    *ret = (struct xpl_answer_item){0};
    if (!next_value(items, &name, &value))
        return false;
    if (items->is_map)
        ret->label = (struct xpl_text){name.ptr - 1, name.length + 2}; /* with its quotes */
    if (xpl_json_text_is_number(value))
        ret->number = value;
    else if (xpl_json_text_is_object(value) && xpl_answer_pair(value, &score, &ret->label))
        ret->number = score;
    return true;
}

uint32_t xpl_answer_items_count(struct xpl_text probabilities)
{
    struct xpl_answer_items items;
    struct xpl_answer_item item;
    uint32_t n = 0;

    xpl_answer_items_start(&items, probabilities);
    while (xpl_answer_items_next(&items, &item))
        n++;
    return n;
}

bool xpl_answer_items_are_named(struct xpl_text probabilities)
{
    struct xpl_text first = probabilities;

    return (xpl_json_text_is_object(probabilities) || xpl_json_element(probabilities, 0, &first)) &&
           xpl_json_text_is_object(first);
}

bool xpl_answer_is_named_list(struct xpl_text value)
{
    struct xpl_text first, score;

    return xpl_json_element(value, 0, &first) && xpl_answer_pair(first, &score, NULL) &&
           xpl_json_count_elements(value) >= 2;
}

bool xpl_answer_is_map(struct xpl_text value, bool any_sum)
{
    struct xpl_answer_items items;
    struct xpl_answer_item item;
    double sum = 0;
    uint32_t n = 0;

    if (!xpl_json_text_is_object(value))
        return false;
    xpl_answer_items_start(&items, value);
    for (; xpl_answer_items_next(&items, &item); n++) {
        if (!items.is_map || !item.number.ptr)
            return false;
        sum += xpl_parse_double(item.number.ptr, item.number.length);
    }
    return any_sum ? n >= 1 : n >= 2 && (fabs(sum - 1) < SUM_SLACK || fabs(sum - 100) < 100 * SUM_SLACK);
}

bool xpl_answer_is_strings(struct xpl_text value)
{
    struct xpl_text first;

    return xpl_json_element(value, 0, &first) && xpl_json_text_is_string(first);
}
