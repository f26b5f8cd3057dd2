/* SPDX-License-Identifier: Apache-2.0 */
#include "api/explanations/label_map.h"

#include <stdio.h>
#include <string.h>

#include "api/json_spec.h"

#define MAX_PIXELS ((json_int_t)4096 * 4096)

struct reader {
    struct xpl_label_run *runs;
    size_t n;
    uint64_t used[XPL_MAX_LABELS / 64]; /* bit = label */
    const char *path;
    struct xpl_error *err;
};

static enum xpl_status bad(const struct reader *r, const char *rest, size_t row, size_t column, bool in_row)
{
    char path[128];

    if (in_row)
        snprintf(path, sizeof path, "%s%s[%zu][%zu]", r->path, rest, row, column);
    else
        snprintf(path, sizeof path, "%s%s[%zu]", r->path, rest, row);
    return xpl_fail_field(r->err, XPL_BAD_FIELD, path, "must be %s",
                          in_row ? "a label, a whole number from 0 to 4095" : "[label, length]");
}

static bool is_label(const json_t *json)
{
    return json_is_integer(json) && json_integer_value(json) >= 0 && json_integer_value(json) < XPL_MAX_LABELS;
}

/* Runs that meet become one. */
static void add(struct reader *r, uint32_t label, uint32_t length)
{
    r->used[label / 64] |= (uint64_t)1 << (label % 64);
    if (r->n > 0 && r->runs[r->n - 1].label == label)
        r->runs[r->n - 1].length += length;
    else
        r->runs[r->n++] = (struct xpl_label_run){label, length};
}

static enum xpl_status read_rows(struct reader *r, const json_t *rows, struct xpl_segmentation *ret)
{
    size_t y, x, width = json_array_size(json_array_get(rows, 0));
    json_t *row, *label;

    json_array_foreach(rows, y, row)
    {
        if (json_array_size(row) != width || width == 0)
            return xpl_fail_field(r->err, XPL_BAD_FIELD, r->path, "row %zu has %zu labels, row 0 has %zu", y,
                                  json_array_size(row), width);
        json_array_foreach(row, x, label)
        {
            if (!is_label(label))
                return bad(r, "", y, x, true);
            add(r, (uint32_t)json_integer_value(label), 1);
        }
    }
    ret->map_height = (uint32_t)json_array_size(rows);
    ret->map_width = (uint32_t)width;
    return XPL_OK;
}

static enum xpl_status read_runs(struct reader *r, const json_t *runs)
{
    json_int_t total = 0;
    json_t *run;
    size_t i;

    json_array_foreach(runs, i, run)
    {
        json_int_t length = json_integer_value(json_array_get(run, 1));

        if (json_array_size(run) != 2 || !is_label(json_array_get(run, 0)) || length < 1 || length > MAX_PIXELS ||
            (total += length) > MAX_PIXELS)
            return bad(r, ".runs", i, 0, false);
        add(r, (uint32_t)json_integer_value(json_array_get(run, 0)), (uint32_t)length);
    }
    return XPL_OK;
}

static size_t most_runs(const json_t *json, const json_t *runs)
{
    return runs ? json_array_size(runs) : json_array_size(json) * json_array_size(json_array_get(json, 0));
}

static enum xpl_status check_form(const json_t *json, const json_t *runs, const char *path, struct xpl_error *err)
{
    const char *encoding = json_string_value(json_object_get(json, "encoding"));
    const char *order = json_string_value(json_object_get(json, "order"));
    static const char *const members[] = {"encoding", "order", "runs", NULL};

    if (json_is_array(json) && json_is_array(json_array_get(json, 0)))
        return XPL_OK;
    if (!json_is_object(json) || !json_is_array(runs) || (encoding && strcmp(encoding, "rle") != 0) ||
        (order && strcmp(order, "row-major") != 0))
        return xpl_fail_field(err, XPL_BAD_FIELD, path,
                              "must be an array of rows of labels, or {\"encoding\": \"rle\", \"runs\": [[label, "
                              "length], ...]} in row-major order");
    return xpl_json_known(json, path, members, err);
}

/* Labels are 0, 1, … without a hole. */
static enum xpl_status check_labels(const struct reader *r)
{
    uint32_t largest = 0, hole = XPL_MAX_LABELS;

    for (uint32_t label = 0; label < XPL_MAX_LABELS; label++) {
        if (r->used[label / 64] >> (label % 64) & 1u)
            largest = label;
        else if (hole == XPL_MAX_LABELS)
            hole = label;
    }
    if (largest == 0)
        return xpl_fail_field(r->err, XPL_BAD_FIELD, r->path, "has 1 label; at least 2 are needed");
    if (hole < largest)
        return xpl_fail_field(r->err, XPL_BAD_FIELD, r->path,
                              "label %u is not used, and %u is: labels must be 0, 1, 2, ... without a hole", hole,
                              largest);
    return XPL_OK;
}

enum xpl_status xpl_label_map_read(struct xpl_arena *arena, const json_t *json, const char *path,
                                   struct xpl_segmentation *ret, struct xpl_error *err)
{
    const json_t *runs = json_object_get(json, "runs");
    struct reader r = {.path = path, .err = err};
    enum xpl_status st;

    if ((st = check_form(json, runs, path, err)))
        return st;
    if (!(r.runs = XPL_NEW_ARRAY(arena, struct xpl_label_run, most_runs(json, runs))))
        return xpl_no_memory(err);
    ret->map_height = ret->map_width = 0;
    if ((st = runs ? read_runs(&r, runs) : read_rows(&r, json, ret)) || (st = check_labels(&r)))
        return st;
    ret->algorithm = XPL_SEGMENTATION_LABELS;
    ret->runs = r.runs;
    ret->n_runs = r.n;
    return XPL_OK;
}

enum xpl_status xpl_label_map_check(const struct xpl_segmentation *segmentation, int64_t height, int64_t width,
                                    const char *path, struct xpl_error *err)
{
    int64_t n = 0;

    if (segmentation->algorithm != XPL_SEGMENTATION_LABELS)
        return XPL_OK;
    for (size_t i = 0; i < segmentation->n_runs; i++)
        n += segmentation->runs[i].length;
    if (segmentation->map_height && (segmentation->map_height != height || segmentation->map_width != width))
        return xpl_fail_field(err, XPL_BAD_FIELD, path, "is %u x %u; the image is %lld x %lld",
                              segmentation->map_height, segmentation->map_width, (long long)height, (long long)width);
    if (n != height * width)
        return xpl_fail_field(err, XPL_BAD_FIELD, path,
                              "has labels for %lld pixels; the image has %lld x %lld = %lld of them", (long long)n,
                              (long long)height, (long long)width, (long long)(height * width));
    return XPL_OK;
}

json_t *xpl_label_runs(const uint16_t *labels, size_t n)
{
    json_t *runs = json_array();

    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && labels[to] == labels[from];)
            to++;
        json_array_append_new(runs, json_pack("[i, I]", labels[from], (json_int_t)(to - from)));
    }
    return runs;
}

json_t *xpl_label_map_view(const struct xpl_segmentation *segmentation)
{
    json_t *runs;

    if (segmentation->algorithm != XPL_SEGMENTATION_LABELS)
        return json_null();
    runs = json_array();
    for (size_t i = 0; i < segmentation->n_runs; i++)
        json_array_append_new(runs, json_pack("[I, I]", (json_int_t)segmentation->runs[i].label,
                                              (json_int_t)segmentation->runs[i].length));
    return json_pack("{s:s, s:s, s:o}", "encoding", "rle", "order", "row-major", "runs", runs);
}
