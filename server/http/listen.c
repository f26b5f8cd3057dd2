/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/text.h"

#define BACKLOG 512

/* What stands in a URL. */
struct parts {
    char scheme[8], host[80], port[8];
    bool brackets;
};

static enum xpl_status bad_url(const char *url, const char *why, struct xpl_error *err)
{
    return xpl_fail_field(err, XPL_BAD_FIELD, "--listen", "%.100s: %s; http://HOST:PORT is expected", url, why);
}

static enum xpl_status take(const char *url, const char *text, size_t length, char *out, size_t size,
                            struct xpl_error *err)
{
    if (length == 0 || length >= size)
        return bad_url(url, "host or port is missing or too long", err);
    memcpy(out, text, length);
    out[length] = '\0';
    return XPL_OK;
}

static enum xpl_status split(const char *url, struct parts *p, struct xpl_error *err)
{
    const char *host = strstr(url, "://"), *end;
    int64_t port;
    enum xpl_status st;

    if (!xpl_starts_with(url, "http://") && !xpl_starts_with(url, "https://"))
        return bad_url(url, "the scheme is neither http nor https", err);
    if ((st = take(url, url, (size_t)(host - url), p->scheme, sizeof p->scheme, err)))
        return st;
    host += 3;
    p->brackets = *host == '[';
    host += p->brackets;
    end = host + strcspn(host, p->brackets ? "]" : ":/");
    if ((st = take(url, host, (size_t)(end - host), p->host, sizeof p->host, err)))
        return st;
    end += p->brackets && *end == ']';
    if (*end != ':')
        return bad_url(url, "the port is missing", err);
    if ((st = take(url, end + 1, strcspn(end + 1, "/"), p->port, sizeof p->port, err)))
        return st;
    if (!xpl_parse_int(p->port, 0, 65535, &port))
        return bad_url(url, "the port is not a number from 0 to 65535", err);
    end += 1 + strlen(p->port);
    return *end == '\0' || strcmp(end, "/") == 0 ? XPL_OK : bad_url(url, "something follows the port", err);
}

static enum xpl_status resolve(const char *url, const struct parts *p, struct addrinfo **ret, struct xpl_error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    int rc = getaddrinfo(p->host, p->port, &hints, ret);

    return rc == 0 ? XPL_OK : bad_url(url, gai_strerror(rc), err);
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return (ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24) == 127;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static unsigned port_taken(int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)(const void *)&address)->sin6_port);
    return ntohs(((const struct sockaddr_in *)(const void *)&address)->sin_port);
}

static int open_socket(const struct addrinfo *address)
{
    int one = 1, fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    one = errno;
    close(fd);
    errno = one;
    return -1;
}

enum xpl_status xpl_listen(const char *url, struct xpl_listener *ret, struct xpl_error *err)
{
    struct addrinfo *address;
    struct parts p;
    enum xpl_status st;

    if ((st = split(url, &p, err)) || (st = resolve(url, &p, &address, err)))
        return st;
    ret->loopback = is_loopback(address->ai_addr);
    ret->fd = open_socket(address);
    freeaddrinfo(address);
    if (ret->fd < 0)
        return xpl_fail_field(err, XPL_BAD_FIELD, "--listen", "%.100s: %s", url, strerror(errno));
    snprintf(ret->url, sizeof ret->url, "%s://%s%s%s:%u", p.scheme, p.brackets ? "[" : "", p.host,
             p.brackets ? "]" : "", port_taken(ret->fd));
    return XPL_OK;
}

enum xpl_status xpl_listen_check(const char *url, bool *ret_loopback, struct xpl_error *err)
{
    struct addrinfo *address;
    struct parts p;
    enum xpl_status st;

    if ((st = split(url, &p, err)) || (st = resolve(url, &p, &address, err)))
        return st;
    *ret_loopback = is_loopback(address->ai_addr);
    freeaddrinfo(address);
    return XPL_OK;
}
