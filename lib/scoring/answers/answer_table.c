/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answers/answer_table.h"

#include <string.h>

#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/answers/answer_items.h"
#include "lib/scoring/answers/answer_names.h"
#include "lib/scoring/answers/answer_row.h"

#define MAX_DEPTH   6 /* containers inside of each other */
#define MAX_TENSORS 64

const char *const xpl_probability_names[] = {
    "probability", "probabilities",        "probs",  "scores",      "score",      "Scored Probabilities",
    "softmax",     "scored_probabilities", "output", "predictions", "prediction", "confidences",
    NULL};
const char *const xpl_prediction_names[] = {"prediction",      "predictedLabel", "prediction_classes",
                                            "predicted_label", "classes",        "class",
                                            "Scored Labels",   "label",          NULL};
const char *const xpl_container_names[] = {"predictions", "outputs", "output", "results",
                                           "result",      "data",    "body",   NULL};

struct finding {
    struct xpl_arena *arena;
    const struct xpl_answer_hints *hints;
    uint32_t n_rows;
    struct xpl_answer_table *table;
};

static bool find(const struct finding *f, struct xpl_text value, unsigned depth);

static bool set(const struct finding *f, enum xpl_answer_kind kind, struct xpl_text values)
{
    f->table->kind = kind;
    f->table->values = values;
    return true;
}

/* {"fields","values"}: WML and custom engines; {"shape","values"}: a tensor. */
static bool find_table(const struct finding *f, struct xpl_text object)
{
    struct xpl_text values, first;

    if (!xpl_json_member(object, "values", &values) || !xpl_json_text_is_array(values))
        return false;
    if (xpl_json_member(object, "shape", NULL) && xpl_json_element(values, 0, &first) && xpl_json_text_is_number(first))
        return set(f, XPL_ANSWER_FLAT, values);
    xpl_json_member(object, "fields", &f->table->fields);
    return set(f, XPL_ANSWER_ROWS, values);
}

/* [{"label","score"},…] is the row of one image, and so is [p,…] when there is one image. */
static bool is_one_row(const struct finding *f, struct xpl_text array, struct xpl_text first)
{
    struct xpl_text score;

    if (xpl_json_text_is_object(first))
        return xpl_answer_pair(first, &score, NULL) && (f->n_rows == 1 || xpl_json_count_elements(array) != f->n_rows);
    return xpl_json_text_is_number(first) && f->n_rows == 1;
}

/* Whether a string holds an object or an array: what a service made text of. */
static bool holds_json(struct xpl_text value)
{
    return xpl_json_text_is_string(value) && (value.ptr[1] == '{' || value.ptr[1] == '[');
}

/* What the strings of a list hold, as one list; empty when some of it is no JSON. */
static struct xpl_text unwrap(const struct finding *f, struct xpl_text array)
{
    char *text = xpl_arena_alloc(f->arena, array.length + 1), *at = text;
    struct xpl_json_scan scan;
    struct xpl_text string;
    bool more;

    xpl_json_rescan_start(&scan, array, NULL);
    if (!text || xpl_json_enter_array(&scan))
        return xpl_text_of("");
    while (xpl_json_next_element(&scan, &more) == XPL_OK && more && xpl_json_skip(&scan, &string) == XPL_OK) {
        *at = at == text ? '[' : ',';
        at++;
        if (!holds_json(string) || !xpl_json_unescape((struct xpl_text){string.ptr + 1, string.length - 2}, at) ||
            xpl_json_check(at, strlen(at), NULL, NULL))
            return xpl_text_of("");
        at += strlen(at);
    }
    *at++ = ']';
    return (struct xpl_text){text, (size_t)(at - text)};
}

/* An answer in the only string of a list, or a row in each. */
static bool find_in_strings(const struct finding *f, struct xpl_text array, unsigned depth)
{
    struct xpl_text list = unwrap(f, array), only;

    if (list.length == 0)
        return false;
    return find(f, xpl_json_count_elements(list) == 1 && xpl_json_element(list, 0, &only) ? only : list, depth + 1);
}

/* An Open Inference answer whose tensor of strings holds JSON. */
static bool find_in_bytes(const struct finding *f, struct xpl_text outputs, unsigned depth)
{
    struct xpl_text tensor, data, first;

    for (size_t i = 0; i < MAX_TENSORS && xpl_json_element(outputs, i, &tensor); i++)
        if (xpl_json_member(tensor, "data", &data) && xpl_json_element(data, 0, &first) && holds_json(first) &&
            find_in_strings(f, data, depth))
            return true;
    return false;
}

static bool find_in_array(const struct finding *f, struct xpl_text array, unsigned depth)
{
    struct xpl_text first;

    if (!xpl_json_element(array, 0, &first))
        return set(f, XPL_ANSWER_ROWS, array);
    if (holds_json(first) && find_in_strings(f, array, depth))
        return true;
    if (xpl_json_text_is_object(first) && xpl_json_member(first, "values", NULL) && find_table(f, first))
        return true;
    if (xpl_json_text_is_object(first) && xpl_json_member(first, "data", NULL) &&
        (xpl_answer_tensor_find(array, f->hints, f->n_rows, f->table) || find_in_bytes(f, array, depth)))
        return true;
    return set(f, is_one_row(f, array, first) ? XPL_ANSWER_ONE : XPL_ANSWER_ROWS, array);
}

/* The names beside the rows, unless they are those of a table further in. */
static void take_labels(const struct finding *f, struct xpl_text object)
{
    static const char *const names[] = {"labels", "class_names", "names"};
    struct xpl_text labels;

    for (size_t i = 0; i < sizeof names / sizeof *names && !f->table->labels.ptr; i++)
        if (xpl_json_member(object, names[i], &labels) && xpl_json_text_is_array(labels))
            f->table->labels = labels;
}

static bool find_named(const struct finding *f, struct xpl_text object, const char *name, unsigned depth)
{
    struct xpl_text member;

    return xpl_json_member(object, name, &member) && !xpl_json_text_is_number(member) && find(f, member, depth + 1);
}

/* The only member that is an array or an object. */
static bool find_only(const struct finding *f, struct xpl_text object, unsigned depth)
{
    struct xpl_json_scan scan;
    struct xpl_text name, value, only = {0};
    unsigned n = 0;
    bool more;

    xpl_json_rescan_start(&scan, object, NULL);
    if (xpl_json_enter_object(&scan))
        return false;
    while (xpl_json_next_member(&scan, &name, &more) == XPL_OK && more && xpl_json_skip(&scan, &value) == XPL_OK) {
        if (xpl_text_equal(name, "labels") || xpl_answer_is_strings(value) ||
            !(xpl_json_text_is_array(value) || xpl_json_text_is_object(value)))
            continue;
        only = value;
        n++;
    }
    return n == 1 && find(f, only, depth + 1);
}

static bool has_number(struct xpl_text object, const char *const *names)
{
    struct xpl_text value;

    for (; *names; names++)
        if (xpl_json_member(object, *names, &value) && xpl_json_text_is_number(value))
            return true;
    return false;
}

static bool find_in_object(const struct finding *f, struct xpl_text object, unsigned depth)
{
    take_labels(f, object);
    if (find_table(f, object))
        return true;
    for (const char *const *name = xpl_container_names; *name; name++)
        if (find_named(f, object, *name, depth))
            return true;
    for (size_t i = 0; f->hints && i < f->hints->n_probability_fields; i++)
        if (find_named(f, object, f->hints->probability_fields[i], depth))
            return true;
    for (const char *const *name = xpl_probability_names; *name; name++)
        if (find_named(f, object, *name, depth))
            return true;
    if (f->n_rows == 1 && has_number(object, xpl_score_names))
        return set(f, XPL_ANSWER_ONE, object);
    return find_only(f, object, depth) ||
           (f->n_rows == 1 && xpl_answer_row_is_one(object, f->hints) && set(f, XPL_ANSWER_ONE, object));
}

/* An answer written into a string. */
static bool find_in_string(const struct finding *f, struct xpl_text string, unsigned depth)
{
    struct xpl_text raw = {string.ptr + 1, string.length - 2};
    char *text = xpl_arena_alloc(f->arena, raw.length + 1);

    if (!text || !xpl_json_unescape(raw, text) || xpl_json_check(text, strlen(text), NULL, NULL))
        return false;
    return find(f, xpl_text_of(text + strspn(text, " \t\r\n")), depth + 1);
}

static bool find(const struct finding *f, struct xpl_text value, unsigned depth)
{
    if (depth > MAX_DEPTH)
        return false;
    if (xpl_json_text_is_array(value))
        return find_in_array(f, value, depth);
    if (xpl_json_text_is_object(value))
        return find_in_object(f, value, depth);
    return xpl_json_text_is_string(value) && find_in_string(f, value, depth);
}

/* Where the subscription says they are. */
static enum xpl_status find_at_path(const struct finding *f, struct xpl_text text, struct xpl_error *err)
{
    const char *rest, *path = f->hints->probability_path;
    struct xpl_text value, first;

    if (!xpl_answer_follow(text, path, &value, &rest))
        return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "no probabilities found: there is nothing at \"%.200s\"", path);
    if (strstr(path, "[*]")) {
        f->table->row_path = *rest ? rest : NULL;
        set(f, XPL_ANSWER_ROWS, value);
    } else if (xpl_json_text_is_array(value))
        set(f,
            f->n_rows == 1 && xpl_json_element(value, 0, &first) && xpl_json_text_is_number(first) ? XPL_ANSWER_ONE
                                                                                                   : XPL_ANSWER_ROWS,
            value);
    else
        set(f, XPL_ANSWER_ONE, value);
    return XPL_OK;
}

enum xpl_status xpl_answer_table_find(struct xpl_arena *arena, struct xpl_text text,
                                      const struct xpl_answer_hints *hints, uint32_t n_rows,
                                      struct xpl_answer_table *ret, struct xpl_error *err)
{
    struct finding f = {arena, hints, n_rows, ret};

    text = xpl_text_trim(text);
    *ret = (struct xpl_answer_table){0};
    if (hints && hints->probability_path)
        return find_at_path(&f, text, err);
    if (!find(&f, text, 0))
        return xpl_fail(
            err, XPL_MODEL_BAD_ANSWER,
            "no probabilities found: looked for predictions[0].values, values, predictions, outputs, output, "
            "a list of rows, and a member with a usual name such as \"probabilities\"");
    return XPL_OK;
}
