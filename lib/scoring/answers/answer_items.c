/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answers/answer_items.h"

#include <math.h>

#include "lib/base/json_look.h"
#include "lib/scoring/answers/answer_labels.h"
#include "lib/scoring/answers/answer_names.h"

#define SUM_SLACK 0.02 /* of rounded probabilities */

const char *const xpl_score_names[] = {"probability", "probabilities", "probs",      "scores", "score",
                                       "confidence",  "prob",          "Confidence", "value",  NULL};
const char *const xpl_label_names[] = {
    "label",       "class",         "class_name",      "className", "name",       "tagName", "displayName",
    "description", "display_name",  "category",        "Name",      "prediction", "classes", "predictedLabel",
    "class_label", "Scored Labels", "predicted_label", NULL};

/* In one pass, the value of the first of these names that is of a kind. */
static bool first_member(struct xpl_text object, const char *const *names, bool (*is)(struct xpl_text),
                         struct xpl_text *ret)
{
    struct xpl_json_scan scan;
    struct xpl_text name, value;
    size_t best = SIZE_MAX;
    bool more;

    xpl_json_rescan_start(&scan, object, NULL);
    if (!xpl_json_text_is_object(object) || xpl_json_enter_object(&scan))
        return false;
    while (best > 0 && xpl_json_next_member(&scan, &name, &more) == XPL_OK && more &&
           xpl_json_skip(&scan, &value) == XPL_OK)
        for (size_t i = 0; names[i] && i < best && is(value); i++)
            if (xpl_text_equal(name, names[i])) {
                best = i;
                *ret = value;
            }
    return best < SIZE_MAX;
}

bool xpl_answer_score(struct xpl_text object, struct xpl_text *ret)
{
    return first_member(object, xpl_score_names, xpl_json_text_is_number, ret);
}

static bool named_pair(struct xpl_text object, struct xpl_text *ret_score, struct xpl_text *ret_label)
{
    return xpl_answer_score(object, ret_score) &&
           first_member(object, xpl_label_names, xpl_json_text_is_string, ret_label);
}

bool xpl_answer_pair(struct xpl_text object, struct xpl_text *ret_score, struct xpl_text *ret_label)
{
    static const char *const index_names[] = {"class_id", "classId", "class_index", "classIndex",
                                              "label_id", "labelId", NULL};
    struct xpl_text label = {0};

    if (!named_pair(object, ret_score, &label) &&
        !(xpl_answer_score(object, ret_score) && first_member(object, index_names, xpl_text_is_index, &label)))
        return false;
    if (ret_label)
        *ret_label = label;
    return true;
}

bool xpl_answer_entry(struct xpl_text value, struct xpl_text *ret_score, struct xpl_text *ret_label)
{
    static const char *const names[] = {"index", NULL}; /* which may be that of the image where it stands alone */

    return xpl_answer_pair(value, ret_score, ret_label) ||
           (xpl_answer_score(value, ret_score) && first_member(value, names, xpl_text_is_index, ret_label));
}

void xpl_answer_items_start(struct xpl_answer_items *items, struct xpl_text probabilities)
{
    struct xpl_text score;

    *items = (struct xpl_answer_items){.is_list = xpl_json_text_is_array(probabilities)};
    items->is_loose = items->is_list && xpl_answer_is_loose_list(probabilities);
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

/* What stands beside the numbers of a map: a text, true or false. */
static bool is_aside(struct xpl_text value)
{
    return xpl_json_text_is_string(value) || *value.ptr == 't' || *value.ptr == 'f';
}

static void read_item(struct xpl_answer_items *items, struct xpl_text value, struct xpl_answer_item *ret)
{
    struct xpl_text score, label;
    bool known;

    if (xpl_json_text_is_number(value))
        ret->number = value;
    else if (items->is_list && items->is_loose ? xpl_answer_loose_pair(value, &score, &label, &known)
             : items->is_list                  ? xpl_answer_entry(value, &score, &label)
             : items->is_map                   ? named_pair(value, &score, &label)
                                               : xpl_answer_pair(value, &score, &label)) {
        ret->number = score;
        ret->label = label;
    } else if (items->is_map && xpl_json_text_is_object(value) && xpl_answer_loose_score(value, &score, &known)) {
        ret->number = score;
        items->is_loose = true;
    }
}

bool xpl_answer_items_next(struct xpl_answer_items *items, struct xpl_answer_item *ret)
{
    struct xpl_text name = {0}, value = {0};

    *ret = (struct xpl_answer_item){0};
    do {
        if (!next_value(items, &name, &value))
            return false;
        items->is_loose |= items->is_map && is_aside(value);
    } while (items->is_map && is_aside(value));
    if (items->is_map)
        ret->label = (struct xpl_text){name.ptr - 1, name.length + 2}; /* with its quotes */
    ret->value = value;
    read_item(items, value, ret);
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
    struct xpl_text first = probabilities, score, label;
    bool known;

    if (!xpl_json_text_is_object(probabilities) && !xpl_json_element(probabilities, 0, &first))
        return false;
    return xpl_json_text_is_object(first) ||
           (xpl_json_text_is_array(first) && xpl_answer_loose_pair(first, &score, &label, &known));
}

bool xpl_answer_is_named_list(struct xpl_text value)
{
    struct xpl_text first, score, label;

    return xpl_json_element(value, 0, &first) && xpl_answer_entry(first, &score, &label) &&
           xpl_json_count_elements(value) >= 2;
}

bool xpl_answer_is_whole(double sum)
{
    return fabs(sum - 1) < SUM_SLACK || fabs(sum - 100) < 100 * SUM_SLACK;
}

/* Whether all that an object has are numbers, besides what is aside. */
static bool sum_of_map(struct xpl_text value, double *ret_sum, uint32_t *ret_n, bool *ret_loose)
{
    struct xpl_answer_items items;
    struct xpl_answer_item item;

    if (!xpl_json_text_is_object(value))
        return false;
    xpl_answer_items_start(&items, value);
    for (*ret_sum = *ret_n = 0; xpl_answer_items_next(&items, &item); ++*ret_n) {
        if (!items.is_map || !item.number.ptr)
            return false;
        *ret_sum += xpl_parse_double(item.number.ptr, item.number.length);
    }
    *ret_loose = items.is_loose;
    return true;
}

bool xpl_answer_is_map(struct xpl_text value, bool any_sum)
{
    double sum;
    uint32_t n;
    bool loose;

    return sum_of_map(value, &sum, &n, &loose) && !loose && (any_sum ? n >= 1 : n >= 2 && xpl_answer_is_whole(sum));
}

bool xpl_answer_is_map_of_objects(struct xpl_text value)
{
    struct xpl_answer_items items;
    struct xpl_answer_item item;
    struct xpl_text score;
    uint32_t n = 0;

    if (!xpl_json_text_is_object(value))
        return false;
    xpl_answer_items_start(&items, value);
    for (; xpl_answer_items_next(&items, &item); n++)
        if (!xpl_answer_score(item.value, &score))
            return false;
    return items.is_map && n >= 2;
}

bool xpl_answer_is_loose_map(struct xpl_text value)
{
    double sum;
    uint32_t n;
    bool loose;

    return sum_of_map(value, &sum, &n, &loose) && loose && n >= 2 &&
           (xpl_answer_is_whole(sum) || xpl_answer_is_map_of_objects(value)) && !xpl_answer_is_error(value);
}

/* Of a string with its quotes. */
static bool says_nothing(struct xpl_text string)
{
    static const char *const words[] = {"\"\"", "\"none\"", "\"None\"", "\"null\"", "\"ok\"", "\"OK\"", "\"success\""};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (xpl_text_equal(string, words[i]))
            return true;
    return false;
}

bool xpl_answer_is_error(struct xpl_text object)
{
    static const char *const names[] = {"error", "errors", "exception", "detail", "error_message", "errorMessage"};
    static const char *const failures[] = {"\"error\"", "\"Error\"",  "\"ERROR\"",
                                           "\"fail\"",  "\"failed\"", "\"failure\""};
    struct xpl_text text;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (xpl_json_member(object, names[i], &text) && xpl_json_text_is_string(text) && !says_nothing(text))
            return true;
    if (xpl_json_member(object, "status", &text))
        for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
            if (xpl_text_equal(text, failures[i]))
                return true;
    return (xpl_json_member(object, "success", &text) || xpl_json_member(object, "ok", &text)) && *text.ptr == 'f';
}

bool xpl_answer_is_empty_list(struct xpl_text value)
{
    return xpl_json_text_is_array(value) && xpl_json_count_elements(value) == 0;
}

bool xpl_answer_is_strings(struct xpl_text value)
{
    struct xpl_text first;

    return xpl_json_element(value, 0, &first) && xpl_json_text_is_string(first);
}
