/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/scoring/model_server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BODY ((size_t)1 << 20)

static enum MHD_Result note_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct model_server *server = arg;
    size_t used = strlen(server->headers);

    (void)kind;
    snprintf(server->headers + used, sizeof server->headers - used, "%s: %s\n", name, value ? value : "");
    return MHD_YES;
}

static unsigned begin_call(struct model_server *server, struct MHD_Connection *connection)
{
    unsigned number;

    pthread_mutex_lock(&server->lock);
    number = server->n_calls++;
    server->headers[0] = '\0';
    MHD_get_connection_values(connection, MHD_HEADER_KIND, note_header, server);
    pthread_mutex_unlock(&server->lock);
    return number;
}

static enum MHD_Result answer(struct MHD_Connection *connection, const struct reaction *reaction)
{
    union {
        const char *borrowed;
        void *data;
    } body = {.borrowed = reaction->body};
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(reaction->body), body.data, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    if (reaction->header)
        MHD_add_response_header(response, reaction->header, reaction->header_value);
    result = MHD_queue_response(connection, reaction->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *data, size_t *size, void **context)
{
    struct model_server *server = arg;
    struct reaction reaction = {.status = 200};

    (void)path, (void)method, (void)version;
    if (!*context)
        return (*context = xpl_buf_new(MAX_BODY)) ? MHD_YES : MHD_NO;
    if (*size) {
        xpl_buf_append(*context, data, *size);
        *size = 0;
        return MHD_YES;
    }
    server->react(server, begin_call(server, connection), *context, &reaction);
    pthread_mutex_lock(&server->lock);
    server->n_answered++;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    return reaction.status ? answer(connection, &reaction) : MHD_NO;
}

static void completed(void *arg, struct MHD_Connection *connection, void **context,
                      enum MHD_RequestTerminationCode code)
{
    (void)arg, (void)connection, (void)code;
    xpl_buf_free(*context);
    *context = NULL;
}

struct model_server *model_server_start(react_fn react)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct model_server *server = calloc(1, sizeof *server);
    const union MHD_DaemonInfo *info;

    if (!server)
        return NULL;
    server->react = react;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    server->daemon = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0,
                                      NULL, NULL, handle, server, MHD_OPTION_SOCK_ADDR, &address,
                                      MHD_OPTION_NOTIFY_COMPLETED, completed, server, MHD_OPTION_END);
    info = server->daemon ? MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    if (!info) {
        model_server_stop(server);
        return NULL;
    }
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%u/v1/deployments/secretname/online", info->port);
    return server;
}

void model_server_stop(struct model_server *server)
{
    if (!server)
        return;
    model_server_release(server);
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

unsigned model_server_calls(struct model_server *server)
{
    unsigned n;

    pthread_mutex_lock(&server->lock);
    n = server->n_calls;
    pthread_mutex_unlock(&server->lock);
    return n;
}

void model_server_wait_for_answers(struct model_server *server, unsigned n)
{
    pthread_mutex_lock(&server->lock);
    while (server->n_answered < n && !server->released)
        pthread_cond_wait(&server->changed, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

void model_server_release(struct model_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->released = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

bool model_server_saw(struct model_server *server, const char *line)
{
    const char *found;
    bool saw;

    pthread_mutex_lock(&server->lock);
    found = strstr(server->headers, line);
    saw = found && (found == server->headers || found[-1] == '\n') && found[strlen(line)] == '\n';
    pthread_mutex_unlock(&server->lock);
    return saw;
}
