/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lib/base/json_look.h"
#include "lib/scoring/answers/answer_table.h"

#define MAX_NAME 128

/* One step of a path: a member's name or an element's number. */
struct step {
    char name[MAX_NAME];
    size_t index;
    bool is_index, is_all;
    const char *rest;
};

static bool read_index(const char *path, struct step *step)
{
    const char *at = path + 1;

    step->is_index = true;
    step->is_all = *at == '*';
    if (step->is_all)
        at++;
    for (; !step->is_all && *at >= '0' && *at <= '9' && at - path < 8; at++)
        step->index = 10 * step->index + (size_t)(*at - '0');
    if (*at != ']' || at == path + 1)
        return false;
    step->rest = at[1] == '.' ? at + 2 : at + 1;
    return true;
}

static bool next_step(const char *path, struct step *step)
{
    size_t length = strcspn(path, ".[");

    *step = (struct step){0};
    if (*path == '[')
        return read_index(path, step);
    if (length == 0 || length >= MAX_NAME)
        return false;
    memcpy(step->name, path, length);
    step->rest = path[length] == '.' ? path + length + 1 : path + length;
    return path[length] != '.' || path[length + 1];
}

static const char *without_root(const char *path)
{
    if (*path == '$')
        path++;
    return *path == '.' ? path + 1 : path;
}

bool xpl_answer_path_is_sound(const char *path)
{
    struct step step = {0};
    unsigned all = 0;

    path = without_root(path);
    if (!*path)
        return false;
    for (; *path; path = step.rest) {
        if (!next_step(path, &step))
            return false;
        all += step.is_all;
    }
    return all <= 1;
}

bool xpl_answer_follow(struct xpl_text value, const char *path, struct xpl_text *ret, const char **ret_rest)
{
    struct step step;

    *ret_rest = "";
    for (path = without_root(path); *path; path = step.rest) {
        if (!next_step(path, &step))
            return false;
        if (step.is_all) {
            *ret_rest = step.rest;
            break;
        }
        if (step.is_index ? !xpl_json_element(value, step.index, &value) : !xpl_json_member(value, step.name, &value))
            return false;
    }
    *ret = value;
    return true;
}
