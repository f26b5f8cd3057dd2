/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each command is one request of the API. Beside a running daemon it goes through the socket in the data directory;
 * when none runs, the handler is called here.
 */
#include "server/commands/user_commands.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "api/call.h"
#include "api/configuration/resource.h"
#include "api/json_spec.h"
#include "api/json_text.h"
#include "server/commands/ask_password.h"
#include "server/data_dir.h"
#include "server/local_socket.h"

#define MAX_ANSWER_BYTES ((size_t)16 << 20)

enum body {
    BODY_NONE,
    BODY_USER,        /* name, role, data mart, password */
    BODY_PASSWORD,    /* a patch of the password */
    BODY_ROLE,        /* a patch of the role */
    BODY_EMPTY,       /* {} */
    BODY_TOKEN,       /* the token or its id */
    BODY_USERS_TOKENS /* the user whose tokens end */
};

struct command {
    const char *words[3]; /* "user", "key", "list" */
    const char *arguments[2];
    enum xpl_method method;
    const char *path; /* {0} and {1} stand for the arguments */
    enum body body;
    const char *list, *columns[4]; /* member of the answer that is printed as a table: paths in its elements */
    const char *print;             /* path of what is printed of any other answer */
};

static const struct command commands[] = {
    {{"user", "list"},
     {NULL},
     XPL_GET,
     "/v2/users",
     BODY_NONE,
     "users",
     {"entity.name", "entity.role", "entity.data_mart_id", "metadata.created_at"},
     NULL},
    {{"user", "add"}, {"NAME"}, XPL_POST, "/v2/users", BODY_USER, NULL, {NULL}, NULL},
    {{"user", "remove"}, {"NAME"}, XPL_DELETE, "/v2/users/{0}", BODY_NONE, NULL, {NULL}, NULL},
    {{"user", "passwd"}, {"NAME"}, XPL_PATCH, "/v2/users/{0}", BODY_PASSWORD, NULL, {NULL}, NULL},
    {{"user", "role"}, {"NAME", "ROLE"}, XPL_PATCH, "/v2/users/{0}", BODY_ROLE, NULL, {NULL}, NULL},
    {{"user", "logout"}, {"NAME"}, XPL_POST, "/v2/revoked_tokens", BODY_USERS_TOKENS, NULL, {NULL}, NULL},
    {{"user", "key", "list"},
     {"NAME"},
     XPL_GET,
     "/v2/users/{0}/api_keys",
     BODY_NONE,
     "api_keys",
     {"metadata.id", "metadata.created_at", "metadata.created_by"},
     NULL},
    {{"user", "key", "add"}, {"NAME"}, XPL_POST, "/v2/users/{0}/api_keys", BODY_EMPTY, NULL, {NULL}, "entity.api_key"},
    {{"user", "key", "remove"},
     {"NAME", "ID"},
     XPL_DELETE,
     "/v2/users/{0}/api_keys/{1}",
     BODY_NONE,
     NULL,
     {NULL},
     NULL},
    {{"token", "list"},
     {NULL},
     XPL_GET,
     "/v2/revoked_tokens",
     BODY_NONE,
     "revoked_tokens",
     {"id", "expires_at", "created_at", "created_by"},
     NULL},
    {{"token", "revoke"}, {"TOKEN-OR-ID"}, XPL_POST, "/v2/revoked_tokens", BODY_TOKEN, NULL, {NULL}, NULL},
};

/* ---- from words to a request ---- */

static size_t count(const char *const *words, size_t max)
{
    size_t n = 0;

    while (n < max && words[n])
        n++;
    return n;
}

/* The command of the words, when they are as many as it takes; its arguments are the last ones. */
static const struct command *find(const struct xpl_options *options, const char *const **ret_arguments)
{
    for (size_t i = 0; i < XPL_COUNT(commands); i++) {
        size_t n_words = count(commands[i].words, 3), n_arguments = count(commands[i].arguments, 2), same = 0;

        while (same < n_words && same < options->n_words && strcmp(commands[i].words[same], options->words[same]) == 0)
            same++;
        if (same < n_words || options->n_words != n_words + n_arguments)
            continue;
        *ret_arguments = options->words + n_words;
        return &commands[i];
    }
    return NULL;
}

static int usage(const char *word)
{
    fprintf(stderr, "usage:\n");
    for (size_t i = 0; i < XPL_COUNT(commands); i++) {
        const struct command *c = &commands[i];

        if (strcmp(c->words[0], word) != 0)
            continue;
        fprintf(stderr, "  explaind");
        for (size_t w = 0; w < count(c->words, 3); w++)
            fprintf(stderr, " %s", c->words[w]);
        for (size_t a = 0; a < count(c->arguments, 2); a++)
            fprintf(stderr, " %s", c->arguments[a]);
        fprintf(stderr, "%s\n", c->body == BODY_USER ? " [--role ROLE] [--data-mart GUID]" : "");
    }
    return EX_USAGE;
}

static bool append_encoded(struct xpl_buf *path, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

    for (; *text; text++)
        if (!(strchr(plain, *text) ? xpl_buf_append(path, text, 1)
                                   : xpl_buf_printf(path, "%%%02X", (unsigned)(unsigned char)*text)))
            return false;
    return true;
}

static const char *make_path(struct xpl_arena *arena, const char *template, const char *const *arguments)
{
    XPL_AUTO(xpl_buf) path = xpl_buf_new(8192);
    bool ok = path != NULL;

    while (ok && *template) {
        size_t length = strcspn(template, "{");

        ok = xpl_buf_append(path, template, length);
        template += length;
        if (!*template)
            break;
        ok = ok && append_encoded(path, arguments[template[1] - '0']);
        template += strlen("{0}");
    }
    return ok ? xpl_arena_string(arena, path->data) : NULL;
}

static json_t *patch_of(const char *path, const char *value)
{
    return json_pack("[{s:s, s:s, s:s}]", "op", "add", "path", path, "value", value);
}

static enum xpl_status make_body(struct xpl_arena *arena, const struct command *command, const char *const *arguments,
                                 const struct xpl_options *options, json_t **ret, struct xpl_error *err)
{
    const char *password = NULL;
    enum xpl_status st;

    if ((command->body == BODY_USER || command->body == BODY_PASSWORD) &&
        (st = xpl_ask_password(arena, &password, err)))
        return st;
    switch (command->body) {
    case BODY_NONE:
        return XPL_OK;
    case BODY_USER:
        *ret = json_pack("{s:s, s:s, s:s, s:s*}", "name", arguments[0], "password", password, "role",
                         options->role ? options->role : "viewer", "data_mart_id", options->data_mart);
        break;
    case BODY_PASSWORD:
        *ret = patch_of("/password", password);
        break;
    case BODY_ROLE:
        *ret = patch_of("/role", arguments[1]);
        break;
    case BODY_EMPTY:
        *ret = json_object();
        break;
    case BODY_TOKEN: /* a token has dots, an id has none */
        *ret = json_pack("{s:s}", strchr(arguments[0], '.') ? "token" : "id", arguments[0]);
        break;
    case BODY_USERS_TOKENS:
        *ret = json_pack("{s:s}", "user_name", arguments[0]);
        break;
    }
    return *ret ? XPL_OK : xpl_fail(err, XPL_BAD_REQUEST, "the arguments are not UTF-8");
}

/* ---- where it is answered ---- */

struct request {
    enum xpl_method method;
    const char *path, *body; /* body NULL = none */
};

/* Through the route table, as the HTTP adapter does it. */
static enum xpl_status handle(struct xpl_app *app, struct xpl_call *call, const struct request *request,
                              struct xpl_error *err)
{
    xpl_buf_init(&call->out, MAX_ANSWER_BYTES);
    xpl_buf_init(&call->body, MAX_ANSWER_BYTES);
    xpl_uuid(call->request_id);
    if (request->body && !xpl_buf_string(&call->body, request->body))
        return xpl_no_memory(err);
    if (!xpl_call_route(call, request->path) || !xpl_call_admit(call, true) || xpl_call_handle(call) == XPL_ANSWERED)
        return XPL_OK;
    if (xpl_writer_run(app->writer, xpl_call_run_write, call, call->write_bytes, err))
        xpl_call_write_failed(call, err->status, err);
    return XPL_OK;
}

static enum xpl_status ask_here(struct xpl_arena *arena, const struct xpl_data_dir *dir, const struct request *request,
                                struct xpl_buf *answer, unsigned *ret_http_status, struct xpl_error *err)
{
    struct xpl_app app = {0};
    struct xpl_call call = {.app = &app, .arena = arena, .method = request->method, .client = "", .local = true};
    enum xpl_status st;

    memcpy(app.token_key, dir->token_key, sizeof app.token_key);
    if ((st = xpl_writer_start(dir->database, &app.writer, err)))
        return st;
    if (!(st = xpl_db_open(dir->database, XPL_DB_READER, &call.db, err)) && !(st = handle(&app, &call, request, err))) {
        *ret_http_status = call.reply.http_status;
        if (!xpl_buf_append(answer, call.reply.body.ptr, call.reply.body.length))
            st = xpl_no_memory(err);
    }
    xpl_buf_release(&call.body);
    xpl_buf_release(&call.out);
    xpl_db_close(call.db);
    xpl_writer_stop(app.writer);
    return st;
}

static enum xpl_status ask(struct xpl_arena *arena, const char *data_dir, const struct request *request,
                           struct xpl_buf *answer, unsigned *ret_http_status, struct xpl_error *err)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    struct xpl_data_dir dir;
    enum xpl_status st = xpl_data_dir_open(arena, data_dir, &dir, err);

    if (st == XPL_CONFLICT) { /* a daemon runs there */
        xpl_error_clear(err);
        return xpl_local_request(data_dir, methods[request->method], request->path, request->body, answer,
                                 ret_http_status, err);
    }
    if (st)
        return st;
    st = ask_here(arena, &dir, request, answer, ret_http_status, err);
    xpl_data_dir_close(&dir);
    return st;
}

/* ---- the answer ---- */

static const char *text_at(const json_t *json, const char *path)
{
    const char *text = xpl_json_string_at(json, path);

    return text ? text : "";
}

static void print_answer(const struct command *command, const json_t *answer)
{
    json_t *element;
    size_t i;

    json_array_foreach(json_object_get(answer, command->list ? command->list : ""), i, element)
    {
        for (size_t c = 0; c < count(command->columns, 4); c++)
            printf("%s%s", c ? "\t" : "", text_at(element, command->columns[c]));
        putchar('\n');
    }
    if (command->print)
        puts(text_at(answer, command->print));
}

static enum xpl_status run(struct xpl_arena *arena, const struct command *command, const char *const *arguments,
                           const struct xpl_options *options, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) answer = xpl_buf_new(MAX_ANSWER_BYTES);
    struct request request = {command->method, make_path(arena, command->path, arguments), NULL};
    XPL_AUTO_JSON body = NULL;
    XPL_AUTO_JSON json = NULL;
    unsigned http_status = 0;
    enum xpl_status st;

    if (!answer || !request.path)
        return xpl_no_memory(err);
    if ((st = make_body(arena, command, arguments, options, &body, err)))
        return st;
    if (body && !(request.body = xpl_json_text(arena, body)))
        return xpl_no_memory(err);
    if ((st = ask(arena, options->data_dir, &request, answer, &http_status, err)))
        return st;
    json = json_loadb(answer->data, answer->length, 0, NULL);
    if (http_status < 200 || http_status > 299)
        return xpl_fail(err, XPL_BAD_REQUEST, "%.400s",
                        text_at(json_array_get(json_object_get(json, "errors"), 0), "message"));
    print_answer(command, json);
    return XPL_OK;
}

int xpl_user_command(struct xpl_arena *arena, const struct xpl_options *options)
{
    const char *const *arguments = NULL;
    const struct command *command = find(options, &arguments);
    struct xpl_error err = {0};

    if (!command)
        return usage(options->words[0]);
    if (!run(arena, command, arguments, options, &err))
        return EX_OK;
    fprintf(stderr, "explaind: %s%s%s\n", err.field, *err.field ? ": " : "", err.message);
    return EX_DATAERR;
}
