/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answers/answer_chat.h"

#include <math.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/answers/answer_table.h"

#define MAX_TOKENS       100u
#define MAX_TOKENS_BYTES ((size_t)1 << 20)

bool xpl_answer_chat_text(struct xpl_text object, size_t i, struct xpl_text *ret, bool *ret_more)
{
    static const char *const paths[] = {"choices[0].message.content",
                                        "choices[0].text",
                                        "message.content",
                                        "response",
                                        "content[0].text",           /* Anthropic */
                                        "output[0].content[0].text", /* OpenAI's responses */
                                        "candidates[0].content.parts[0].text"};
    const char *rest;

    *ret_more = i < sizeof paths / sizeof *paths;
    return *ret_more && xpl_answer_follow(object, paths[i], ret, &rest) && xpl_json_text_is_string(*ret);
}

/* ---- logarithms of the first token's probabilities ---- */

struct tokens {
    struct xpl_text names[MAX_TOKENS]; /* without quotes */
    double scores[MAX_TOKENS];
    size_t n;
};

static bool is_class(struct xpl_text name, const struct xpl_answer_hints *hints)
{
    for (uint32_t i = 0; hints && i < hints->n_class_labels; i++)
        if (xpl_text_equal(name, hints->class_labels[i]))
            return true;
    return !hints || !hints->n_class_labels;
}

/* " cat" and "cat" are the same class. */
static void add(struct tokens *tokens, struct xpl_text name, struct xpl_text number,
                const struct xpl_answer_hints *hints)
{
    size_t i = 0;

    name = xpl_text_trim(name);
    if (!xpl_json_text_is_number(number) || !is_class(name, hints))
        return;
    while (i < tokens->n &&
           !(tokens->names[i].length == name.length && memcmp(tokens->names[i].ptr, name.ptr, name.length) == 0))
        i++;
    if (i == MAX_TOKENS)
        return;
    if (i == tokens->n)
        tokens->names[tokens->n++] = name;
    tokens->scores[i] += exp(xpl_parse_double(number.ptr, number.length));
}

/* [{"token","logprob"},…] */
static void read_list(struct xpl_text list, const struct xpl_answer_hints *hints, struct tokens *ret)
{
    struct xpl_text entry, token, number;

    for (size_t i = 0; i < MAX_TOKENS && xpl_json_element(list, i, &entry); i++)
        if (xpl_json_member(entry, "token", &token) && xpl_json_text_is_string(token) &&
            xpl_json_member(entry, "logprob", &number))
            add(ret, (struct xpl_text){token.ptr + 1, token.length - 2}, number, hints);
}

/* {"cat":-0.1,…}, of the older interface */
static void read_map(struct xpl_text map, const struct xpl_answer_hints *hints, struct tokens *ret)
{
    struct xpl_json_scan scan;
    struct xpl_text name, number;
    bool more;

    xpl_json_rescan_start(&scan, map, NULL);
    if (xpl_json_enter_object(&scan))
        return;
    while (xpl_json_next_member(&scan, &name, &more) == XPL_OK && more && xpl_json_skip(&scan, &number) == XPL_OK)
        add(ret, name, number, hints);
}

bool xpl_answer_chat_tokens(struct xpl_arena *arena, struct xpl_text object, const struct xpl_answer_hints *hints,
                            struct xpl_text *ret)
{
    XPL_AUTO(xpl_buf) out = xpl_buf_new(MAX_TOKENS_BYTES);
    struct tokens *tokens = XPL_NEW(arena, struct tokens);
    struct xpl_text found;
    const char *rest;

    if (!out || !tokens)
        return false;
    if (xpl_answer_follow(object, "choices[0].logprobs.content[0].top_logprobs", &found, &rest))
        read_list(found, hints, tokens);
    else if (xpl_answer_follow(object, "choices[0].logprobs.top_logprobs[0]", &found, &rest))
        read_map(found, hints, tokens);
    for (size_t i = 0; i < tokens->n; i++)
        if (!xpl_buf_printf(out, "%s{\"label\":\"%.*s\",\"score\":%.17g}", i ? "," : "[", (int)tokens->names[i].length,
                            tokens->names[i].ptr, fmin(1, tokens->scores[i])))
            return false;
    if (tokens->n == 0 || !xpl_buf_string(out, "]"))
        return false;
    ret->ptr = xpl_arena_string_n(arena, out->data, out->length);
    ret->length = out->length;
    return ret->ptr;
}
