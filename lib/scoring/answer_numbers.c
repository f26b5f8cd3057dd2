/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answer_numbers.h"

#include <math.h>

#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/answer_table.h"

#define SLACK 1e-3 /* how far outside of [0, 1] a float32 softmax may be */

static enum xpl_status not_a_number(struct xpl_error *err)
{
    return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "a probability is not a number");
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static void softmax(double *x, uint32_t n)
{
    double highest = -INFINITY, sum = 0;

    for (uint32_t i = 0; i < n; i++)
        highest = fmax(highest, x[i]);
    for (uint32_t i = 0; i < n; i++)
        sum += x[i] = exp(x[i] - highest);
    for (uint32_t i = 0; i < n; i++)
        x[i] /= sum;
}

static enum xpl_status check(const double *p, uint32_t n, bool activated, struct xpl_error *err)
{
    for (uint32_t i = 0; i < n; i++)
        if (!isfinite(p[i]) || p[i] < -SLACK || p[i] > 1 + SLACK)
            return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "%.6g is no probability: numbers from 0 to 1 are expected%s",
                            p[i],
                            activated ? ""
                                      : "; when these are logits, set asset_properties.explaind.activation to softmax "
                                        "or sigmoid");
    return XPL_OK;
}

enum xpl_status xpl_answer_activate(enum xpl_activation activation, double *x, uint32_t n, struct xpl_error *err)
{
    if (activation == XPL_ACTIVATION_SIGMOID || (activation == XPL_ACTIVATION_SOFTMAX && n == 1))
        for (uint32_t i = 0; i < n; i++)
            x[i] = sigmoid(x[i]);
    else if (activation == XPL_ACTIVATION_SOFTMAX)
        softmax(x, n);
    return check(x, n, activation != XPL_ACTIVATION_NONE, err);
}

/* The number of a list's element: itself, or the score beside a label. */
static bool number_of(struct xpl_text element, double *ret)
{
    struct xpl_text score = element;

    if (xpl_json_text_is_object(element) && !xpl_answer_pair(element, &score, NULL))
        return false;
    if (!xpl_json_text_is_number(score))
        return false;
    *ret = xpl_parse_double(score.ptr, score.length);
    return true;
}

enum xpl_status xpl_answer_numbers(struct xpl_text list, double *out, uint32_t max, uint32_t *ret_n,
                                   struct xpl_error *err)
{
    struct xpl_json_scan scan;
    struct xpl_text element;
    bool more;

    *ret_n = 1;
    if (!xpl_json_text_is_array(list))
        return number_of(list, out) ? XPL_OK : not_a_number(err);
    xpl_json_rescan_start(&scan, list, NULL);
    xpl_json_enter_array(&scan);
    for (*ret_n = 0; xpl_json_next_element(&scan, &more) == XPL_OK && more; ++*ret_n) {
        if (*ret_n == max)
            return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "a row has more probabilities than the others");
        xpl_json_skip(&scan, &element);
        if (!number_of(element, &out[*ret_n]))
            return not_a_number(err);
    }
    return XPL_OK;
}
