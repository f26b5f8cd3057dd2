/* SPDX-License-Identifier: Apache-2.0 */
#include "server/local_socket.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME      "explaind.sock"
#define BACKLOG   16
#define TIMEOUT_S 60L

/*
 * The address of a socket has room for 107 bytes, and data directories are where they are: the directory is named by a
 * descriptor.
 */
static void path_in(int directory, char *path, size_t size)
{
    snprintf(path, size, "/proc/self/fd/%d/" NAME, directory);
}

static int open_directory(const char *data_dir)
{
    return open(data_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int listen_in(int directory)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    mode_t mask;
    bool ok;

    if (fd < 0)
        return -1;
    path_in(directory, address.sun_path, sizeof address.sun_path);
    unlinkat(directory, NAME, 0);
    mask = umask(0177); /* for the owner only, from its first moment */
    ok = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 && listen(fd, BACKLOG) == 0;
    umask(mask);
    if (ok)
        return fd;
    close(fd);
    return -1;
}

enum xpl_status xpl_local_listen(const char *data_dir, struct xpl_listener *ret, struct xpl_error *err)
{
    int directory = open_directory(data_dir);

    *ret = (struct xpl_listener){.fd = directory < 0 ? -1 : listen_in(directory), .loopback = true};
    if (directory >= 0)
        close(directory);
    if (ret->fd < 0)
        return xpl_fail_field(err, XPL_BAD_FIELD, "--data", "the socket %.200s/" NAME " cannot be opened: %s", data_dir,
                              strerror(errno));
    return XPL_OK;
}

void xpl_local_remove(const char *data_dir)
{
    int directory = open_directory(data_dir);

    if (directory < 0)
        return;
    unlinkat(directory, NAME, 0);
    close(directory);
}

static size_t take(char *data, size_t size, size_t n, void *answer)
{
    return xpl_buf_append(answer, data, size * n) ? size * n : 0;
}

static CURLcode perform(CURL *curl, int directory, const char *method, const char *path, const char *body,
                        struct xpl_buf *answer)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    char socket_path[sizeof((struct sockaddr_un *)0)->sun_path], url[512];
    CURLcode code;

    path_in(directory, socket_path, sizeof socket_path);
    snprintf(url, sizeof url, "http://localhost%s", path);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    code = headers ? curl_easy_perform(curl) : CURLE_OUT_OF_MEMORY;
    curl_slist_free_all(headers);
    return code;
}

enum xpl_status xpl_local_request(const char *data_dir, const char *method, const char *path, const char *body,
                                  struct xpl_buf *answer, unsigned *ret_http_status, struct xpl_error *err)
{
    int directory = open_directory(data_dir);
    CURL *curl = curl_easy_init();
    CURLcode code = CURLE_COULDNT_CONNECT;
    long status = 0;

    if (curl && directory >= 0)
        code = perform(curl, directory, method, path, body, answer);
    if (code == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    if (directory >= 0)
        close(directory);
    if (code == CURLE_COULDNT_CONNECT)
        return xpl_fail(err, XPL_NOT_FOUND, "no daemon listens on %.200s/" NAME, data_dir);
    if (code != CURLE_OK)
        return xpl_fail(err, XPL_INTERNAL, "asking the daemon failed: %s", curl_easy_strerror(code));
    *ret_http_status = (unsigned)status;
    return XPL_OK;
}
