/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/acceptor.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MAX_UNDECIDED 512
#define MAX_LISTENERS 17 /* XPL_MAX_LISTEN and the local one */
#define TLS_HANDSHAKE 0x16
#define TICK_MS       200

/* A connection that has not sent anything yet. */
struct undecided {
    int fd;
    struct sockaddr_storage address;
    socklen_t length;
    struct xpl_connection *connection;
};

struct xpl_acceptor {
    struct xpl_listener *listeners;
    size_t n_listeners;
    struct xpl_connections *connections;
    xpl_connection_fn take;
    void *context;
    int stop_fd;
    pthread_t thread;
    struct undecided undecided[MAX_UNDECIDED];
    size_t n_undecided;
    bool out_of_files; /* until the next tick */
};

/* Hands a connection over when it has sent its first byte. True when it is no longer ours. */
static bool decide(struct xpl_acceptor *a, struct undecided *u)
{
    unsigned char first;
    ssize_t n = recv(u->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);

    if (n == 1) {
        xpl_connections_hand_over(a->connections, u->connection);
        a->take(a->context, u->connection, u->fd, (const struct sockaddr *)&u->address, u->length,
                first == TLS_HANDSHAKE);
        return true;
    }
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return false;
    xpl_connections_remove(a->connections, u->connection);
    close(u->fd);
    return true;
}

static void accept_all(struct xpl_acceptor *a, int listener)
{
    while (a->n_undecided < MAX_UNDECIDED) {
        struct undecided u = {.length = sizeof u.address};

        u.fd = accept4(listener, (struct sockaddr *)&u.address, &u.length, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (u.fd < 0) {
            a->out_of_files = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
            return;
        }
        u.connection = xpl_connections_add(a->connections, u.fd, (const struct sockaddr *)&u.address);
        if (!u.connection)
            close(u.fd);
        else if (!decide(a, &u))
            a->undecided[a->n_undecided++] = u;
    }
}

static void look_at_undecided(struct xpl_acceptor *a)
{
    for (size_t i = a->n_undecided; i-- > 0;)
        if (decide(a, &a->undecided[i]))
            a->undecided[i] = a->undecided[--a->n_undecided];
}

/* Fills the poll set: the stop event, the listeners (unless there is no room for more), the undecided. */
static nfds_t fill(const struct xpl_acceptor *a, struct pollfd *set)
{
    bool room = a->n_undecided < MAX_UNDECIDED && !a->out_of_files;
    nfds_t n = 0;

    set[n++] = (struct pollfd){.fd = a->stop_fd, .events = POLLIN};
    for (size_t i = 0; i < a->n_listeners; i++)
        set[n++] = (struct pollfd){.fd = room ? a->listeners[i].fd : -1, .events = POLLIN};
    for (size_t i = 0; i < a->n_undecided; i++)
        set[n++] = (struct pollfd){.fd = a->undecided[i].fd, .events = POLLIN};
    return n;
}

static void *acceptor_main(void *arg)
{
    struct xpl_acceptor *a = arg;
    struct pollfd set[1 + MAX_LISTENERS + MAX_UNDECIDED];

    for (;;) {
        size_t n_open = xpl_connections_reap(a->connections);
        nfds_t n = fill(a, set);

        if (poll(set, n, n_open || a->out_of_files ? TICK_MS : -1) < 0 && errno != EINTR)
            return NULL;
        if (set[0].revents)
            return NULL;
        a->out_of_files = false;
        look_at_undecided(a);
        for (size_t i = 0; i < a->n_listeners; i++)
            if (set[1 + i].revents)
                accept_all(a, a->listeners[i].fd);
    }
}

enum xpl_status xpl_acceptor_start(struct xpl_listener *listeners, size_t n, struct xpl_connections *connections,
                                   xpl_connection_fn take, void *context, struct xpl_acceptor **ret,
                                   struct xpl_error *err)
{
    struct xpl_acceptor *a = n <= MAX_LISTENERS ? calloc(1, sizeof *a) : NULL;

    if (!a)
        return xpl_no_memory(err);
    *a = (struct xpl_acceptor){.listeners = listeners,
                               .n_listeners = n,
                               .connections = connections,
                               .take = take,
                               .context = context,
                               .stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (a->stop_fd < 0 || pthread_create(&a->thread, NULL, acceptor_main, a) != 0) {
        free(a);
        return xpl_fail(err, XPL_NO_MEMORY, "the acceptor thread cannot be started");
    }
    *ret = a;
    return XPL_OK;
}

void xpl_acceptor_stop(struct xpl_acceptor *a)
{
    if (!a)
        return;
    eventfd_write(a->stop_fd, 1);
    pthread_join(a->thread, NULL);
    for (size_t i = 0; i < a->n_listeners; i++)
        close(a->listeners[i].fd);
    for (size_t i = 0; i < a->n_undecided; i++) {
        xpl_connections_remove(a->connections, a->undecided[i].connection);
        close(a->undecided[i].fd);
    }
    close(a->stop_fd);
    free(a);
}
