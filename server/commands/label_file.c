/* SPDX-License-Identifier: Apache-2.0 */
#include "server/commands/label_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/scoring/model_settings.h"
#include "lib/base/text.h"

static const char option[] = "--class-labels";

static enum xpl_status read_lines(FILE *file, const char *path, json_t *labels, struct xpl_error *err)
{
    char *line = NULL;
    size_t size = 0;
    bool bad = false, ended = false;

    while (!bad && getline(&line, &size, file) >= 0) {
        struct xpl_text text = xpl_text_without_mark((struct xpl_text){line, strcspn(line, "\r\n")});

        bad = ended && text.length > 0;
        ended = text.length == 0; /* lines at the end may be empty */
        bad = bad || (!ended && json_array_append_new(labels, json_stringn(text.ptr, text.length)) != 0);
    }
    free(line);
    if (ferror(file))
        return xpl_fail_field(err, XPL_BAD_FIELD, option, "%.200s cannot be read", path);
    return bad ? xpl_fail_field(err, XPL_BAD_FIELD, option, "line %zu of %.200s is empty or no UTF-8",
                                json_array_size(labels) + 1, path)
               : XPL_OK;
}

enum xpl_status xpl_label_file_read(struct xpl_arena *arena, const char *path, struct xpl_answer_hints *ret,
                                    struct xpl_error *err)
{
    XPL_AUTO_JSON settings = json_pack("{s:[]}", "class_labels");
    struct xpl_model_settings read = {0};
    struct xpl_error inner = {0};
    FILE *file = fopen(path, "r");
    enum xpl_status st;

    if (!file)
        return xpl_fail_field(err, XPL_BAD_FIELD, option, "%.200s cannot be opened", path);
    st = read_lines(file, path, json_object_get(settings, "class_labels"), err);
    fclose(file);
    if (st)
        return st;
    if ((st = xpl_model_settings_object(arena, settings, "", &read, &inner)))
        return xpl_fail_field(err, st, option, "%.200s: %s", path, inner.message);
    ret->class_labels = read.answer.class_labels;
    ret->n_class_labels = read.answer.n_class_labels;
    return XPL_OK;
}
