/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answers/answer_numbers.h"

#include <math.h>

#include "lib/scoring/answers/answer_items.h"

#define SLACK         1e-3 /* how far outside of [0, 1] a float32 softmax may be */
#define PERCENT_SLACK 2.0

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

static void divide_by_100(double *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        x[i] /= 100;
}

/* Two or more numbers that are no probabilities, none below 0, with 100 as their sum. */
static bool are_percentages(const double *x, uint32_t n)
{
    double sum = 0, highest = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (!(x[i] >= 0))
            return false;
        sum += x[i];
        highest = fmax(highest, x[i]);
    }
    return n >= 2 && highest > 1 + SLACK && fabs(sum - 100) <= PERCENT_SLACK;
}

static enum xpl_status refuse(double p, enum xpl_activation activation, struct xpl_error *err)
{
    if (activation == XPL_ACTIVATION_PERCENT)
        return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "%.6g is no percentage: numbers from 0 to 100 are expected",
                        100 * p);
    return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "%.6g is no probability: numbers from 0 to 1 are expected%s", p,
                    activation != XPL_ACTIVATION_NONE
                        ? ""
                        : "; set asset_properties.explaind.activation to softmax or sigmoid when these are "
                          "logits, to percent when they are percentages");
}

static enum xpl_status check(const double *p, uint32_t n, enum xpl_activation activation, struct xpl_error *err)
{
    for (uint32_t i = 0; i < n; i++)
        if (!isfinite(p[i]) || p[i] < -SLACK || p[i] > 1 + SLACK)
            return refuse(p[i], activation, err);
    return XPL_OK;
}

enum xpl_status xpl_answer_activate(enum xpl_activation activation, double *x, uint32_t n, struct xpl_error *err)
{
    if (activation == XPL_ACTIVATION_SIGMOID || (activation == XPL_ACTIVATION_SOFTMAX && n == 1))
        for (uint32_t i = 0; i < n; i++)
            x[i] = sigmoid(x[i]);
    else if (activation == XPL_ACTIVATION_SOFTMAX)
        softmax(x, n);
    else if (activation == XPL_ACTIVATION_PERCENT || are_percentages(x, n))
        divide_by_100(x, n);
    return check(x, n, activation, err);
}

enum xpl_status xpl_answer_numbers(struct xpl_text probabilities, double *out, uint32_t max, uint32_t *ret_n,
                                   struct xpl_text *ret_value, struct xpl_error *err)
{
    struct xpl_answer_items items;
    struct xpl_answer_item item;

    xpl_answer_items_start(&items, probabilities);
    for (*ret_n = 0; xpl_answer_items_next(&items, &item); ++*ret_n) {
        if (*ret_n == max)
            return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "a row has more probabilities than the others");
        if (!item.number.ptr) {
            *ret_value = item.value;
            return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "a probability is not a number");
        }
        out[*ret_n] = xpl_parse_double(item.number.ptr, item.number.length);
    }
    return XPL_OK;
}
