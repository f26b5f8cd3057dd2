/* SPDX-License-Identifier: Apache-2.0 */
#include "api/json_text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NUMBER  32 /* bytes of a double's text with 17 digits */
#define LONG_NUMBER 17 /* shorter texts have 15 digits at most */

struct text {
    struct xpl_buf *out;
    bool in_string;
};

/* What jansson writes has 17 digits: 0.1 is 0.10000000000000001. Returns false when the number needs them. */
static bool shortest(const char *number, size_t length, char ret[MAX_NUMBER])
{
    char copy[MAX_NUMBER];
    double value;

    memcpy(copy, number, length);
    copy[length] = '\0';
    value = strtod(copy, NULL);
    for (int digits = 15; digits < 17; digits++) {
        snprintf(ret, MAX_NUMBER, "%.*g", digits, value);
        if (strtod(ret, NULL) == value)
            return strpbrk(ret, ".e") != NULL;
    }
    return false;
}

/* jansson hands over every number, and every quote around a string, by itself. */
static int append(const char *bytes, size_t length, void *context)
{
    struct text *text = context;
    char number[MAX_NUMBER];

    if (length == 1 && *bytes == '"')
        text->in_string = !text->in_string;
    else if (!text->in_string && length >= LONG_NUMBER && length < MAX_NUMBER && memchr(bytes, '.', length) &&
             shortest(bytes, length, number))
        return xpl_buf_string(text->out, number) ? 0 : -1;
    return xpl_buf_append(text->out, bytes, length) ? 0 : -1;
}

static bool dump(struct xpl_buf *out, const json_t *json, size_t flags)
{
    struct text text = {.out = out};

    return json_dump_callback(json, append, &text, flags | JSON_ENCODE_ANY) == 0;
}

bool xpl_json_append(struct xpl_buf *out, const json_t *json)
{
    return dump(out, json, JSON_COMPACT);
}

bool xpl_json_append_lines(struct xpl_buf *out, const json_t *json)
{
    return dump(out, json, JSON_INDENT(2)) && xpl_buf_append(out, "\n", 1);
}

const char *xpl_json_text(struct xpl_arena *arena, const json_t *json)
{
    struct xpl_buf text;
    const char *copy;

    xpl_buf_init(&text, SIZE_MAX / 2);
    copy = xpl_json_append(&text, json) ? xpl_arena_string(arena, text.data) : NULL;
    xpl_buf_release(&text);
    return copy;
}
