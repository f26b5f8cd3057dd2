/* SPDX-License-Identifier: Apache-2.0 */
/* Answers every GET with the content of one file: bare_http FILE. Says on stdout where it listens. */
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_FILE_BYTES ((size_t)16 << 20)

struct content {
    char *data;
    size_t length;
};

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **per_request)
{
    static int seen;
    const struct content *content = context;
    struct MHD_Response *response;
    enum MHD_Result result;

    (void)url, (void)method, (void)version, (void)upload, (void)upload_size;
    if (!*per_request) {
        *per_request = &seen;
        return MHD_YES;
    }
    response = MHD_create_response_from_buffer(content->length, content->data, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "application/json");
    result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

static int read_file(const char *path, struct content *ret)
{
    FILE *file = fopen(path, "rb");

    if (!file || !(ret->data = malloc(MAX_FILE_BYTES)))
        return 0;
    ret->length = fread(ret->data, 1, MAX_FILE_BYTES, file);
    fclose(file);
    return 1;
}

int main(int argc, char **argv)
{
    struct content content = {0};
    struct MHD_Daemon *daemon;
    sigset_t signals;
    int number;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    if (argc != 2 || !read_file(argv[1], &content)) {
        fputs("usage: bare_http FILE\n", stderr);
        return 64;
    }
    daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, &content, MHD_OPTION_END);
    if (!daemon)
        return 1;
    printf("bare_http listening on http://127.0.0.1:%u\n",
           (unsigned)MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    sigwait(&signals, &number);
    MHD_stop_daemon(daemon);
    free(content.data);
    return 0;
}
