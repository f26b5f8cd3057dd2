/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answers/answer_table.h"

#include <string.h>

#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/answers/answer_advice.h"
#include "lib/scoring/answers/answer_chat.h"
#include "lib/scoring/answers/answer_check.h"
#include "lib/scoring/answers/answer_columns.h"
#include "lib/scoring/answers/answer_items.h"
#include "lib/scoring/answers/answer_labels.h"
#include "lib/scoring/answers/answer_names.h"
#include "lib/scoring/answers/answer_pairs.h"
#include "lib/scoring/answers/answer_row.h"

#define MAX_DEPTH       6  /* containers inside of each other */
#define MAX_LOOKED_LONG 8u /* containers that are looked into, of a long text */
#define LONG_TEXT       ((size_t)64 << 10)
#define MAX_LOOKED      32u /* some are looked into twice: by their name, and as the only one */
#define MAX_TENSORS     64
#define MAX_NAMED       64u /* columns */
#define MAX_PATH        512

const char *const xpl_probability_names[] = {
    "probability", "probabilities",        "probs",  "scores",      "score",      "Scored Probabilities",
    "softmax",     "scored_probabilities", "output", "predictions", "prediction", "confidences",
    NULL};
const char *const xpl_prediction_names[] = {"prediction",      "predictedLabel", "prediction_classes",
                                            "predicted_label", "classes",        "class",
                                            "Scored Labels",   "label",          NULL};
const char *const xpl_container_names[] = {"predictions", "outputs", "output",   "results", "result",
                                           "data",        "body",    "jsonData", "strData", NULL};

struct finding {
    struct xpl_arena *arena;
    const struct xpl_answer_hints *hints;
    uint32_t n_rows;
    struct xpl_answer_table *table;
    unsigned *looked; /* how many containers were looked into */
};

static bool find(const struct finding *f, struct xpl_text value, unsigned depth);

static bool set(const struct finding *f, enum xpl_answer_kind kind, struct xpl_text values)
{
    f->table->kind = kind;
    f->table->values = values;
    return true;
}

/* Whether one of the columns is called as the subscription says, or as probabilities usually are. */
static bool is_a_column_said(const struct finding *f, struct xpl_text fields)
{
    struct xpl_text field;

    for (size_t i = 0; xpl_json_element(fields, i, &field) && i < MAX_NAMED; i++) {
        struct xpl_text name = {field.ptr + 1, field.length - 2};

        for (size_t k = 0; f->hints && k < f->hints->n_probability_fields; k++)
            if (xpl_text_equal(name, f->hints->probability_fields[k]))
                return true;
        if (xpl_text_equal(name, xpl_probability_names[0]) || xpl_text_equal(name, xpl_probability_names[1]))
            return true;
    }
    return false;
}

/* {"fields","values"}: WML and custom engines; {"shape","values"}: a tensor. */
static bool find_table(const struct finding *f, struct xpl_text object)
{
    struct xpl_text values, first;

    if (!xpl_json_member(object, "values", &values) || !xpl_json_text_is_array(values))
        return false;
    if (xpl_json_member(object, "shape", NULL) && xpl_json_element(values, 0, &first) && xpl_json_text_is_number(first))
        return set(f, XPL_ANSWER_FLAT, values);
    if (xpl_json_member(object, "fields", &f->table->fields) && !is_a_column_said(f, f->table->fields) &&
        xpl_answer_columns_gather(f->arena, f->table->fields, values, &values)) {
        f->table->fields = (struct xpl_text){0};
        f->table->whole = values;
    }
    return set(f, XPL_ANSWER_ROWS, values);
}

/* [{"label","score"},…] is the row of one image, and so is [p,…] when there is one image. */
static bool is_one_row(const struct finding *f, struct xpl_text array, struct xpl_text first)
{
    struct xpl_text score, label;

    if (xpl_json_text_is_number(first))
        return f->n_rows == 1;
    return (xpl_answer_entry(first, &score, &label) || (f->table->loose && xpl_answer_is_loose_list(array))) &&
           xpl_json_count_elements(array) != f->n_rows;
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
            xpl_answer_check(f->arena, xpl_text_of(at), NULL))
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
    f->table->whole = list;
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
        (xpl_answer_tensor_find(f->arena, array, f->hints, f->n_rows, f->table) || find_in_bytes(f, array, depth) ||
         xpl_answer_tensor_classes(f->arena, array, f->n_rows, f->table)))
        return true;
    return set(f, is_one_row(f, array, first) ? XPL_ANSWER_ONE : XPL_ANSWER_ROWS, array);
}

/* The names beside the rows, unless they are those of a table further in. */
static void take_labels(const struct finding *f, struct xpl_text object)
{
    struct xpl_text labels, first;

    for (const char *const *name = xpl_label_list_names; *name && !f->table->labels.ptr; name++)
        if (xpl_json_member(object, *name, &labels) && xpl_json_element(labels, 0, &first) &&
            !xpl_json_text_is_array(first))
            f->table->labels = labels;
}

static bool find_named(const struct finding *f, struct xpl_text object, const char *name, unsigned depth)
{
    struct xpl_text member;

    return xpl_json_member(object, name, &member) && !xpl_json_text_is_number(member) && find(f, member, depth + 1);
}

/* The only member that is an array or an object, or the only list of lists beside objects. */
static bool find_only(const struct finding *f, struct xpl_text object, unsigned depth)
{
    struct xpl_json_scan scan;
    struct xpl_text name, value, first, only = {0}, list = {0};
    unsigned n = 0, n_lists = 0;
    bool more;

    xpl_json_rescan_start(&scan, object, NULL);
    if (xpl_json_enter_object(&scan))
        return false;
    while (xpl_json_next_member(&scan, &name, &more) == XPL_OK && more && xpl_json_skip(&scan, &value) == XPL_OK) {
        if (xpl_text_equal(name, "labels") || xpl_answer_is_strings(value) || xpl_answer_is_empty_list(value) ||
            !(xpl_json_text_is_array(value) || xpl_json_text_is_object(value)))
            continue;
        only = value;
        n++;
        if (xpl_json_text_is_array(value)) {
            list = value;
            n_lists++;
        }
    }
    if (f->table->loose && n > 1 && n_lists == 1 && xpl_json_element(list, 0, &first) && xpl_json_text_is_array(first))
        return find(f, list, depth + 1);
    return n == 1 && find(f, only, depth + 1);
}

/* In the text of a chat model, or what else that could have been. */
static bool find_in_chat(const struct finding *f, struct xpl_text object, unsigned depth)
{
    struct xpl_text text;
    bool more = true;

    for (size_t i = 0; more; i++)
        if (xpl_answer_chat_text(object, i, &text, &more) && find(f, text, depth + 1))
            return true;
    if (f->n_rows != 1 || !xpl_answer_chat_tokens(f->arena, object, f->hints, &text))
        return false;
    f->table->whole = text;
    return set(f, XPL_ANSWER_ONE, text);
}

static bool find_rows(const struct finding *f, struct xpl_text object, unsigned depth)
{
    struct xpl_text score;

    if (find_table(f, object) || find_in_chat(f, object, depth))
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
    if (f->n_rows == 1 && xpl_answer_score(object, &score))
        return set(f, XPL_ANSWER_ONE, object);
    return find_only(f, object, depth) ||
           (f->n_rows == 1 && xpl_answer_row_is_one(f->table, f->hints, object) && set(f, XPL_ANSWER_ONE, object));
}

/* The classes beside scores that were found, in lists for each image or in one for the only image. */
static void find_classes(const struct finding *f, struct xpl_text object)
{
    enum xpl_answer_pairing made = XPL_PAIRS_NONE;
    struct xpl_answer_table *table = f->table;
    size_t n = xpl_json_count_elements(table->values);
    struct xpl_text first;

    if (table->kind == XPL_ANSWER_ROWS && !table->fields.ptr && !table->labels.ptr)
        made = xpl_answer_pairs_beside(f->arena, object, table->values, f->n_rows, f->hints, &table->values);
    table->unsure |= made == XPL_PAIRS_UNSURE;
    if (made == XPL_PAIRS_MADE)
        table->whole = table->values;
    if (table->kind != XPL_ANSWER_ONE || !xpl_json_element(table->values, 0, &first) || !xpl_json_text_is_number(first))
        return;
    if (!table->labels.ptr)
        xpl_class_names_beside(object, f->hints, (uint32_t)n, &table->labels);
    if (table->labels.ptr && f->hints && n < f->hints->n_class_labels && /* the best few */
        xpl_answer_pairs_make(f->arena, table->labels, table->values, 1, f->hints, &table->values) == XPL_PAIRS_MADE) {
        table->kind = XPL_ANSWER_ROWS;
        table->whole = table->values;
    }
}

static bool find_in_object(const struct finding *f, struct xpl_text object, unsigned depth)
{
    take_labels(f, object);
    if (!find_rows(f, object, depth))
        return false;
    find_classes(f, object);
    return true;
}

/* A text without the fence around it that chat models like to put there: ```json, a line break, and ``` behind it. */
static void leave_out_fence(char *text)
{
    char *start = text + strspn(text, " \t\r\n"), *line = strchr(start, '\n'), *end;

    if (strncmp(start, "```", 3) != 0 || !line || !(end = strstr(line, "```")))
        return;
    *end = '\0';
    memmove(text, line, (size_t)(end - line) + 1);
}

/* An answer written into a string. */
static bool find_in_string(const struct finding *f, struct xpl_text string, unsigned depth)
{
    struct xpl_text raw = {string.ptr + 1, string.length - 2};
    char *text = xpl_arena_alloc(f->arena, raw.length + 1);

    if (!text || !xpl_json_unescape(raw, text))
        return false;
    leave_out_fence(text);
    if (xpl_answer_check(f->arena, xpl_text_of(text), NULL))
        return false;
    f->table->whole = xpl_text_of(text + strspn(text, " \t\r\n"));
    return find(f, f->table->whole, depth + 1);
}

static bool find(const struct finding *f, struct xpl_text value, unsigned depth)
{
    if (depth > MAX_DEPTH || ++*f->looked > (value.length > LONG_TEXT ? MAX_LOOKED_LONG : MAX_LOOKED))
        return false;
    if (xpl_json_text_is_array(value))
        return find_in_array(f, value, depth);
    if (xpl_json_text_is_object(value))
        return find_in_object(f, value, depth);
    return xpl_json_text_is_string(value) && find_in_string(f, value, depth);
}

/* Whether a path ends at one of several scores, which would be the probability of a class that has no name. */
static bool is_one_of_several(struct xpl_text text, const char *path, struct xpl_text value)
{
    const char *bracket = strrchr(path, '['), *rest;
    char outer[MAX_PATH];
    struct xpl_text list, score;

    if (!bracket || path[strlen(path) - 1] != ']' || (size_t)(bracket - path) >= sizeof outer ||
        !xpl_answer_score(value, &score))
        return false;
    memcpy(outer, path, (size_t)(bracket - path));
    outer[bracket - path] = '\0';
    return xpl_answer_follow(text, outer, &list, &rest) && xpl_answer_is_loose_list(list);
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
    } else if (is_one_of_several(text, path, value))
        return xpl_fail(err, XPL_MODEL_BAD_ANSWER,
                        "probability_path \"%.200s\" leads to one class of several: it must lead to the list of them",
                        path);
    else if (xpl_json_text_is_array(value))
        set(f, xpl_json_element(value, 0, &first) && is_one_row(f, value, first) ? XPL_ANSWER_ONE : XPL_ANSWER_ROWS,
            value);
    else if (!xpl_json_text_is_string(value) || !find_in_string(f, value, 0))
        set(f, XPL_ANSWER_ONE, value);
    return XPL_OK;
}

enum xpl_status xpl_answer_table_find(struct xpl_arena *arena, struct xpl_text text,
                                      const struct xpl_answer_hints *hints, uint32_t n_rows, bool loose,
                                      struct xpl_answer_table *ret, struct xpl_error *err)
{
    unsigned looked = 0;
    struct finding f = {arena, hints, n_rows, ret, &looked};

    text = xpl_text_trim(text);
    *ret = (struct xpl_answer_table){.loose = loose, .whole = text};
    if (hints && hints->probability_path)
        return find_at_path(&f, text, err);
    if (find(&f, text, 0))
        return ret->unsure
                   ? xpl_fail(err, XPL_MODEL_BAD_ANSWER,
                              "a list of %u classes beside the scores of %u images may be one of each", n_rows, n_rows)
                   : XPL_OK;
    return n_rows == 1 && xpl_answer_advise(text, err)
               ? XPL_MODEL_BAD_ANSWER
               : xpl_fail(
                     err, XPL_MODEL_BAD_ANSWER,
                     "no probabilities found: looked for predictions[0].values, values, predictions, outputs, output, "
                     "a list of rows, and a member with a usual name such as \"probabilities\"; "
                     "asset_properties.explaind.probability_path can say where they are");
}
