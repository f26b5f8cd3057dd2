/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answer_table.h"

#include "lib/base/json_scan.h"

static enum xpl_status bad(struct xpl_error *err, const char *message)
{
    return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "%s", message);
}

static enum xpl_status read_object(struct xpl_json_scan *scan, struct xpl_answer_table *table,
                                   struct xpl_text *ret_predictions)
{
    struct xpl_text name, value;
    enum xpl_status st;
    bool more;

    if ((st = xpl_json_enter_object(scan)))
        return st;
    while ((st = xpl_json_next_member(scan, &name, &more)) == XPL_OK && more) {
        if ((st = xpl_json_skip(scan, &value)))
            return st;
        if (xpl_text_equal(name, "fields"))
            table->fields = value;
        else if (xpl_text_equal(name, "values"))
            table->values = value;
        else if (xpl_text_equal(name, "labels"))
            table->labels = value;
        else if (ret_predictions && xpl_text_equal(name, "predictions"))
            *ret_predictions = value;
    }
    return st;
}

static enum xpl_status enter_predictions(struct xpl_text predictions, struct xpl_answer_table *table,
                                         struct xpl_error *err)
{
    struct xpl_json_scan scan;
    enum xpl_status st;
    bool more = false;

    if (!xpl_json_text_is_array(predictions))
        return bad(err, "\"predictions\" is not an array");
    xpl_json_scan_start(&scan, predictions.ptr, predictions.length, NULL, err);
    if ((st = xpl_json_enter_array(&scan)) || (st = xpl_json_next_element(&scan, &more)))
        return st;
    if (!more)
        return bad(err, "\"predictions\" is empty");
    return read_object(&scan, table, NULL);
}

enum xpl_status xpl_answer_table_find(struct xpl_text text, struct xpl_answer_table *table, struct xpl_error *err)
{
    struct xpl_text predictions = {0};
    struct xpl_json_scan scan;
    enum xpl_status st;

    *table = (struct xpl_answer_table){0};
    xpl_json_scan_start(&scan, text.ptr, text.length, NULL, err);
    if ((st = read_object(&scan, table, &predictions)) || (st = xpl_json_end(&scan)))
        return st;
    if (predictions.ptr && (st = enter_predictions(predictions, table, err)))
        return st;
    return xpl_json_text_is_array(table->values)
               ? XPL_OK
               : bad(err, "no probabilities found: looked for predictions[0].values and values");
}
