/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/tools/stub_model_answer.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/json_scan.h"

/* ---- writing ---- */

static uint32_t best_of(const double *p, uint32_t n)
{
    uint32_t best = 0;

    if (n == 1)
        return p[0] > 0.5;
    for (uint32_t i = 1; i < n; i++)
        best = p[i] > p[best] ? i : best;
    return best;
}

static void put_probabilities(const struct stub_model *model, const double *p, struct xpl_buf *out)
{
    for (uint32_t i = 0; i < model->n_classes; i++) {
        xpl_buf_string(out, i ? "," : "[");
        if (model->mode == STUB_NAN)
            xpl_buf_string(out, "NaN");
        else
            xpl_buf_printf(out, "%.17g", p[i]);
    }
    xpl_buf_string(out, "]");
}

static void put_row(const struct stub_model *model, bool wml, const double *p, struct xpl_buf *out)
{
    uint32_t best = best_of(p, model->n_classes);

    xpl_buf_string(out, "[");
    if (wml) {
        put_probabilities(model, p, out);
        xpl_buf_printf(out, ",%u,", best);
        put_probabilities(model, p, out);
    } else {
        put_probabilities(model, p, out);
        if (best < model->n_labels)
            xpl_buf_printf(out, ",\"%s\"", model->labels[best]);
        else
            xpl_buf_printf(out, ",%u", best);
        xpl_buf_printf(out, ",%.17g", p[model->n_classes == 1 ? 0 : best]);
    }
    xpl_buf_string(out, "]");
}

static void put_head(const struct stub_model *model, bool wml, struct xpl_buf *out)
{
    if (wml) {
        xpl_buf_string(out, "{\"predictions\":[{\"id\":\"stub\",\"fields\":[\"prediction\",\"prediction_classes\","
                            "\"probability\"],\"values\":[");
        return;
    }
    xpl_buf_string(out, "{\"fields\":[\"probabilities\",\"prediction\",\"prediction_probability\"],");
    for (uint32_t i = 0; i < model->n_labels; i++)
        xpl_buf_printf(out, "%s\"%s\"%s", i ? "," : "\"labels\":[", model->labels[i],
                       i + 1 < model->n_labels ? "" : "],");
    xpl_buf_string(out, "\"values\":[");
}

/* ---- reading ---- */

/* The members of a request that matter here. */
struct input {
    struct xpl_text values;
    bool has_fields;
};

static enum xpl_status find_input(struct xpl_json_scan *scan, struct input *ret)
{
    struct xpl_text name, value;
    enum xpl_json_kind kind;
    enum xpl_status st;
    bool more;

    if ((st = xpl_json_enter_object(scan)))
        return st;
    while ((st = xpl_json_next_member(scan, &name, &more)) == XPL_OK && more) {
        if (xpl_text_equal(name, "input_data")) {
            if ((st = xpl_json_enter_array(scan)) || (st = xpl_json_next_element(scan, &more)) || !more)
                return st ? st : XPL_BAD_JSON;
            if ((st = find_input(scan, ret)) || (st = xpl_json_next_element(scan, &more)) || more)
                return st ? st : XPL_BAD_JSON;
            continue;
        }
        if ((st = xpl_json_peek(scan, &kind)) || (st = xpl_json_skip(scan, &value)))
            return st;
        if (xpl_text_equal(name, "values") && kind == XPL_JSON_ARRAY)
            ret->values = value;
        ret->has_fields = ret->has_fields || (xpl_text_equal(name, "fields") && kind == XPL_JSON_ARRAY);
    }
    return st;
}

static unsigned nesting(struct xpl_text text)
{
    unsigned depth = 0;

    for (size_t i = 0; i < text.length && strchr("[ \t\r\n", text.ptr[i]); i++)
        depth += text.ptr[i] == '[';
    return depth;
}

/* The picture in a row: the row, or its first cell that is an array. */
static struct xpl_text picture_text(struct xpl_text row, bool has_fields)
{
    struct xpl_json_scan scan;
    struct xpl_text cell;
    bool more;

    if (!has_fields && nesting(row) > 1 && nesting(row) < 4)
        return row;
    xpl_json_scan_start(&scan, row.ptr, row.length, NULL, NULL);
    if (xpl_json_enter_array(&scan))
        return row;
    while (xpl_json_next_element(&scan, &more) == XPL_OK && more && xpl_json_skip(&scan, &cell) == XPL_OK)
        if (cell.ptr[0] == '[')
            return cell;
    return row;
}

/* The next row of `values`, from `*at` on: a run up to a comma or the end of the list. The syntax was checked already,
 * so brackets and strings are all there is to look at; reading 25,000 numbers once is enough. */
static bool next_row(struct xpl_text values, size_t *at, struct xpl_text *ret)
{
    unsigned depth = 0;
    bool quoted = false;
    size_t start, i;

    while (*at < values.length && strchr("[, \t\r\n", values.ptr[*at]) && (values.ptr[*at] != '[' || *at == 0))
        ++*at;
    for (start = i = *at; i < values.length; i++) {
        char c = values.ptr[i];

        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
        } else if (depth == 0 && (c == ',' || c == ']')) {
            break;
        } else if (c == '[' || c == '{') {
            depth++;
        } else if (c == ']' || c == '}') {
            depth--;
        } else {
            quoted = c == '"';
        }
    }
    *ret = (struct xpl_text){values.ptr + start, i - start};
    *at = i;
    return i > start;
}

/* Scores all rows into `out`; NULL, or what is wrong with the request. */
static const char *score_rows(const struct stub_model *model, const struct input *input, bool wml, struct xpl_buf *out,
                              size_t *ret_n_images)
{
    struct stub_picture picture = {0};
    double p[STUB_MAX_CLASSES];
    const char *wrong = NULL;
    struct xpl_text row;
    size_t n = 0, at = 0;

    for (; !wrong && next_row(input->values, &at, &row); n++) {
        if (model->mode != STUB_CONSTANT)
            wrong = stub_picture_read(&picture, picture_text(row, input->has_fields), &model->shape);
        if (wrong || (model->mode == STUB_SHORT && n == 0))
            continue;
        stub_score(model, &picture, p);
        if (out->data[out->length - 1] == ']')
            xpl_buf_string(out, ",");
        put_row(model, wml, p, out);
    }
    free(picture.values);
    *ret_n_images = n;
    return wrong;
}

/* What "constant" needs to know is how many images there are: it answers at once, and so shows what callers cost. */
static bool find_values_unchecked(struct xpl_text body, struct input *ret)
{
    static const char name[] = "\"values\"";
    const char *found = memmem(body.ptr, body.length, name, strlen(name));
    const char *array = found ? memchr(found, '[', body.length - (size_t)(found - body.ptr)) : NULL;

    if (array)
        ret->values = (struct xpl_text){array, body.length - (size_t)(array - body.ptr)};
    return array != NULL;
}

static bool find_values(const struct stub_model *model, struct xpl_text body, struct input *ret)
{
    struct xpl_json_scan scan;

    if (model->mode == STUB_CONSTANT)
        return find_values_unchecked(body, ret);
    xpl_json_scan_start(&scan, body.ptr, body.length, NULL, NULL);
    return !find_input(&scan, ret) && !xpl_json_end(&scan) && ret->values.ptr;
}

const char *stub_answer(const struct stub_model *model, struct xpl_text body, bool wml, struct xpl_buf *out,
                        size_t *ret_n_images)
{
    struct input input = {0};
    const char *wrong;

    if (!find_values(model, body, &input))
        return "values or input_data[0].values was expected";
    put_head(model, wml, out);
    if ((wrong = score_rows(model, &input, wml, out, ret_n_images)))
        return wrong;
    xpl_buf_string(out, wml ? "]}]}" : "]}");
    return NULL;
}
