/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/answers/answer_items.h"
#include "lib/scoring/answers/answer_names.h"

static bool next_value(struct xpl_json_scan *scan, bool object, struct xpl_text *value)
{
    struct xpl_text name;
    bool more;

    return (object ? xpl_json_next_member(scan, &name, &more) : xpl_json_next_element(scan, &more)) == XPL_OK && more &&
           xpl_json_skip(scan, value) == XPL_OK;
}

/* The numbers and texts among an object's members or an array's elements. */
struct parts {
    struct xpl_text number, text; /* the last ones */
    unsigned n_numbers, n_texts, n_others;
};

static void look(struct xpl_text value, struct parts *parts)
{
    bool object = xpl_json_text_is_object(value);
    struct xpl_json_scan scan;
    struct xpl_text part;

    *parts = (struct parts){0};
    xpl_json_rescan_start(&scan, value, NULL);
    if (object ? xpl_json_enter_object(&scan) : xpl_json_enter_array(&scan))
        return;
    while (next_value(&scan, object, &part)) {
        if (xpl_json_text_is_number(part)) {
            parts->number = part;
            parts->n_numbers++;
        } else if (xpl_json_text_is_string(part)) {
            parts->text = part;
            parts->n_texts++;
        } else
            parts->n_others++;
    }
}

bool xpl_answer_loose_score(struct xpl_text object, struct xpl_text *ret, bool *ret_known)
{
    struct parts parts;

    if ((*ret_known = xpl_answer_score(object, ret)))
        return true;
    look(object, &parts);
    *ret = parts.number;
    return parts.n_numbers == 1;
}

/* A text with a usual name, or the only text. */
static bool loose_label(struct xpl_text object, struct xpl_text *ret)
{
    static const char *const others[] = {"keyword", "tag", NULL};
    const char *const *const lists[] = {xpl_label_names, others};
    struct parts parts;

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const char *const *name = lists[i]; *name; name++)
            if (xpl_json_member(object, *name, ret) && xpl_json_text_is_string(*ret))
                return true;
    look(object, &parts);
    *ret = parts.text;
    return parts.n_texts == 1;
}

bool xpl_answer_loose_pair(struct xpl_text entry, struct xpl_text *ret_score, struct xpl_text *ret_label,
                           bool *ret_known)
{
    struct parts parts;

    *ret_known = false;
    if (xpl_json_text_is_object(entry))
        return xpl_answer_loose_score(entry, ret_score, ret_known) && loose_label(entry, ret_label);
    if (!xpl_json_text_is_array(entry))
        return false;
    look(entry, &parts); /* an id may come before the label */
    *ret_score = parts.number;
    *ret_label = parts.text;
    return parts.n_numbers == 1 && parts.n_texts >= 1 && parts.n_others == 0;
}

/* Whether two or more entries are pairs. Numbers without a name that says what they are must look like probabilities:
 * with 1 or 100 as their sum or, in rows of a label and a number, from 0 to 1. */
static bool are_scores(struct xpl_text list)
{
    struct xpl_json_scan scan;
    struct xpl_text entry, score, label;
    bool known = true, all_known = true, in_range = true;
    double sum = 0;
    size_t n = 0;

    xpl_json_rescan_start(&scan, list, NULL);
    if (xpl_json_enter_array(&scan))
        return false;
    for (; next_value(&scan, false, &entry); n++) {
        double number;

        if (!xpl_answer_loose_pair(entry, &score, &label, &known))
            return false;
        number = xpl_parse_double(score.ptr, score.length);
        all_known &= known;
        in_range &= xpl_json_text_is_array(entry) && number >= 0 && number <= 1;
        sum += number;
    }
    return n >= 2 && (all_known || in_range || xpl_answer_is_whole(sum));
}

bool xpl_answer_is_loose_list(struct xpl_text value)
{
    struct xpl_text first, score;

    return xpl_json_element(value, 0, &first) && (xpl_json_text_is_object(first) || xpl_json_text_is_array(first)) &&
           !xpl_answer_pair(first, &score, NULL) && are_scores(value);
}
