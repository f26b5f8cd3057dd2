/* SPDX-License-Identifier: Apache-2.0 */
#include "api/scoring/model_tokens.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/json_spec.h"
#include "lib/base/time.h"
#include "lib/scoring/transport/forward.h"

#define N_KEPT            64
#define DEFAULT_SECONDS   1200 /* of a source that does not say; Cloud Pak's live longer */
#define MAX_ANSWER_BYTES  ((size_t)64 << 10)
#define MAX_REQUEST_BYTES ((size_t)16 << 10)

struct kept {
    uint8_t key[XPL_HASH_BYTES];
    char *token;      /* NULL = free */
    int64_t until_us; /* monotonic */
};

struct xpl_model_tokens {
    pthread_mutex_t lock;
    struct kept kept[N_KEPT];
};

enum xpl_status xpl_model_tokens_new(struct xpl_model_tokens **ret, struct xpl_error *err)
{
    if (!(*ret = calloc(1, sizeof **ret)))
        return xpl_no_memory(err);
    pthread_mutex_init(&(*ret)->lock, NULL);
    return XPL_OK;
}

void xpl_model_tokens_free(struct xpl_model_tokens *tokens)
{
    if (!tokens)
        return;
    for (size_t i = 0; i < N_KEPT; i++)
        free(tokens->kept[i].token);
    pthread_mutex_destroy(&tokens->lock);
    free(tokens);
}

static struct xpl_hash_part part_of(const char *text)
{
    return (struct xpl_hash_part){text ? text : "", text ? strlen(text) : 0};
}

static bool is_of(const struct kept *kept, const uint8_t *key)
{
    return kept->token && memcmp(kept->key, key, XPL_HASH_BYTES) == 0;
}

static const char *find(struct xpl_model_tokens *tokens, struct xpl_arena *arena, const uint8_t *key)
{
    const char *found = NULL;

    pthread_mutex_lock(&tokens->lock);
    for (size_t i = 0; i < N_KEPT && !found; i++)
        if (is_of(&tokens->kept[i], key) && xpl_monotonic_us() < tokens->kept[i].until_us)
            found = xpl_arena_string(arena, tokens->kept[i].token);
    pthread_mutex_unlock(&tokens->lock);
    return found;
}

/* In its own place, or in that of the one that ends soonest. */
static void keep(struct xpl_model_tokens *tokens, const uint8_t *key, const char *token, int64_t seconds)
{
    struct kept *place = &tokens->kept[0];

    pthread_mutex_lock(&tokens->lock);
    for (size_t i = 0; i < N_KEPT && !is_of(place, key); i++)
        if (is_of(&tokens->kept[i], key) || tokens->kept[i].until_us < place->until_us)
            place = &tokens->kept[i];
    free(place->token);
    place->token = strdup(token);
    place->until_us = xpl_monotonic_us() + seconds * 4 / 5 * 1000000;
    memcpy(place->key, key, XPL_HASH_BYTES);
    pthread_mutex_unlock(&tokens->lock);
}

/* ---- asking the source ---- */

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("-._~", c);
}

static void put_form(struct xpl_buf *out, const char *api_key)
{
    xpl_buf_string(out, "grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey&apikey=");
    for (const char *c = api_key; *c; c++) {
        if (is_unreserved(*c))
            xpl_buf_append(out, c, 1);
        else
            xpl_buf_printf(out, "%%%02X", (unsigned char)*c);
    }
}

static void put_json(struct xpl_buf *out, const struct xpl_token_source *source)
{
    XPL_AUTO_JSON json = json_pack("{s:s, s:s*, s:s*}", "username", source->username, "password",
                                   source->api_key ? NULL : source->password, "api_key", source->api_key);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

    xpl_buf_string(out, text ? text : "");
    free(text);
}

static enum xpl_status read_token(struct xpl_arena *arena, const struct xpl_forward_answer *answer, const char **ret,
                                  int64_t *ret_seconds, struct xpl_error *err)
{
    XPL_AUTO_JSON body = json_loadb(answer->body.data ? answer->body.data : "", answer->body.length, 0, NULL);
    const char *token = xpl_json_string_at(body, "access_token");
    json_int_t seconds = json_integer_value(json_object_get(body, "expires_in"));

    if (!token)
        token = xpl_json_string_at(body, "token");
    if (answer->status < 200 || answer->status >= 300)
        return xpl_fail(err, XPL_MODEL_REFUSED,
                        "the model's credentials were refused with status %ld when a token was asked for",
                        answer->status);
    if (!token)
        return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "the answer to the model's credentials holds no token");
    *ret_seconds = seconds > 0 ? seconds : DEFAULT_SECONDS;
    return (*ret = xpl_arena_string(arena, token)) ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status ask(struct xpl_app *app, struct xpl_arena *arena, const struct xpl_token_source *source,
                           const char **ret, int64_t *ret_seconds, struct xpl_error *err)
{
    const struct xpl_endpoint endpoint = {.url = source->url, .policy = app->scoring_policy, .ca_pem = source->ca_pem};
    const struct xpl_call_options options = {.max_answer_bytes = MAX_ANSWER_BYTES,
                                             .connect_timeout_ms = (uint32_t)app->settings.scoring_connect_timeout_ms,
                                             .call_timeout_ms = (uint32_t)app->settings.scoring_call_timeout_ms};
    bool form = source->kind == XPL_TOKEN_IAM;
    XPL_AUTO(xpl_buf) text = xpl_buf_new(MAX_REQUEST_BYTES);
    struct xpl_forward_call call = {.endpoint = &endpoint,
                                    .options = &options,
                                    .content_type = form ? "application/x-www-form-urlencoded" : "application/json",
                                    .accept = "application/json"};
    struct xpl_forward_answer answer;
    enum xpl_status st;

    if (!text)
        return xpl_no_memory(err);
    if (form)
        put_form(text, source->api_key);
    else
        put_json(text, source);
    if (text->failed || text->length == 0)
        return xpl_fail(err, XPL_MODEL_REFUSED, "the model's credentials are too long to be sent");
    call.body = (struct xpl_text){text->data, text->length};
    if ((st = xpl_forward(app->gateway.forwarder, &call, &answer, err)))
        return st;
    st = read_token(arena, &answer, ret, ret_seconds, err);
    xpl_buf_release(&answer.body);
    return st;
}

enum xpl_status xpl_model_token(struct xpl_app *app, struct xpl_arena *arena, const struct xpl_token_source *source,
                                const char **ret, struct xpl_error *err)
{
    const struct xpl_hash_part parts[] = {part_of(source->url), part_of(source->username), part_of(source->password),
                                          part_of(source->api_key)};
    uint8_t key[XPL_HASH_BYTES];
    int64_t seconds;
    enum xpl_status st;

    xpl_hash_parts(parts, XPL_COUNT(parts), key);
    if ((*ret = find(app->model_tokens, arena, key)))
        return XPL_OK;
    if ((st = ask(app, arena, source, ret, &seconds, err)))
        return st;
    keep(app->model_tokens, key, *ret, seconds);
    return XPL_OK;
}
