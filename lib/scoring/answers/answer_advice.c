/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answers/answer_advice.h"

#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/answers/answer_items.h"

#define MAX_DEPTH 6
#define NAME      100 /* bytes of a member's name that are quoted */

struct numbers {
    double sum, odd_number;
    unsigned n, n_objects;
    struct xpl_text odd;    /* the name of the member that the others are whole without */
    struct xpl_text object; /* the last member that is one */
};

static void add(struct numbers *numbers, struct xpl_text value)
{
    if (xpl_json_text_is_number(value)) {
        numbers->sum += xpl_parse_double(value.ptr, value.length);
        numbers->n++;
    } else if (xpl_json_text_is_object(value)) {
        numbers->object = value;
        numbers->n_objects++;
    }
}

static void test(struct numbers *numbers, struct xpl_text name, struct xpl_text value)
{
    double number = xpl_json_text_is_number(value) ? xpl_parse_double(value.ptr, value.length) : 0;

    if (number != 0 && xpl_answer_is_whole(numbers->sum - number)) {
        numbers->odd = name;
        numbers->odd_number = number;
    }
}

static void look(struct xpl_text object, struct numbers *numbers)
{
    struct xpl_json_scan scan;
    struct xpl_text name, value;
    bool more;

    *numbers = (struct numbers){0};
    for (unsigned turn = 0; turn < 2; turn++) {
        xpl_json_rescan_start(&scan, object, NULL);
        if (xpl_json_enter_object(&scan))
            return;
        while (xpl_json_next_member(&scan, &name, &more) == XPL_OK && more && xpl_json_skip(&scan, &value) == XPL_OK)
            if (turn == 0)
                add(numbers, value);
            else
                test(numbers, name, value);
    }
}

bool xpl_answer_advise(struct xpl_text object, struct xpl_error *err)
{
    struct numbers numbers;

    look(object, &numbers);
    for (unsigned depth = 0; depth < MAX_DEPTH && numbers.n < 2 && numbers.n_objects == 1; depth++)
        look(numbers.object, &numbers);
    if (numbers.n < 2)
        return false;
    if (xpl_answer_is_error(object))
        xpl_fail(
            err, XPL_MODEL_BAD_ANSWER,
            "no probabilities found: the answer has a text that says what went wrong (error, detail, …), so that its "
            "numbers are not taken for probabilities");
    else if (numbers.n > 2 && numbers.odd.ptr)
        xpl_fail(err, XPL_MODEL_BAD_ANSWER,
                 "no probabilities found: \"%.*s\" is %.6g beside %u numbers whose sum is %.6g; it is left out when "
                 "asset_properties.explaind.class_labels names the classes",
                 (int)(numbers.odd.length < NAME ? numbers.odd.length : NAME), numbers.odd.ptr, numbers.odd_number,
                 numbers.n - 1, numbers.sum - numbers.odd_number);
    else
        xpl_fail(err, XPL_MODEL_BAD_ANSWER,
                 "no probabilities found: the sum of the %u numbers of an object is %.6g, not 1; "
                 "asset_properties.explaind.class_labels can say which of them are of classes, probability_path where "
                 "else the probabilities are",
                 numbers.n, numbers.sum);
    return true;
}
