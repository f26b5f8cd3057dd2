/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answers/answer_unquote.h"

#include <string.h>

#include "lib/base/json_scan.h"

/* Behind the string that begins at a quote. */
static const char *string_end(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        at += *at == '\\';
    return at < end ? at + 1 : end;
}

static bool is_member_name(const char *behind, const char *end)
{
    while (behind < end && strchr(" \t\r\n", *behind))
        behind++;
    return behind < end && *behind == ':';
}

/* The number that a string, given with its quotes, consists of; empty when it does not, or when it is whole. */
static struct xpl_text number_in(const char *start, const char *behind, bool *ret_percent)
{
    struct xpl_text text = xpl_text_trim((struct xpl_text){start + 1, (size_t)(behind - start) - 2});
    bool exponents;

    *ret_percent = text.length > 1 && text.ptr[text.length - 1] == '%';
    if (*ret_percent)
        text = xpl_text_trim((struct xpl_text){text.ptr, text.length - 1});
    if (text.length < 2 || !memchr(text.ptr, '.', text.length) ||
        xpl_json_number_length(text.ptr, text.ptr + text.length, &exponents) != text.length ||
        (*ret_percent && exponents))
        text.length = 0;
    return text;
}

struct xpl_text xpl_answer_unquote(struct xpl_arena *arena, struct xpl_text text, bool keep_percent)
{
    char *copy = xpl_arena_alloc(arena, text.length + 1), *out = copy;
    const char *at = text.ptr, *end = at + text.length, *behind;
    size_t n = 0;

    while (copy && at < end) {
        struct xpl_text part = {at, 1};
        bool percent = false;

        behind = at + 1;
        if (*at == '"') {
            behind = string_end(at, end);
            part.length = (size_t)(behind - at);
            if (part.length >= 2 && !is_member_name(behind, end)) {
                struct xpl_text number = number_in(at, behind, &percent);

                n += number.length > 0;
                part = number.length > 0 ? number : part;
                percent &= number.length > 0 && !keep_percent;
            }
        }
        memcpy(out, part.ptr, part.length);
        out += part.length;
        if (percent) { /* 25.0% is 0.25; there is room where the quotes were */
            memcpy(out, "e-2", 3);
            out += 3;
        }
        at = behind;
    }
    return (struct xpl_text){n ? copy : NULL, copy ? (size_t)(out - copy) : 0};
}
