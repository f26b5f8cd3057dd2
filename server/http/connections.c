/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/connections.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/time.h"

#define NEVER       INT64_MAX
#define LOOK_US     200000 /* however often connections come */
#define TIMES_ENDED 5      /* in a row, before it is taken for the end: what came last may just be read */

/* Who a connection is counted for: an IPv4 address, or the /64 of an IPv6 one, which one customer has as a whole. */
struct source {
    uint8_t bytes[9];
};

enum holder {
    NOBODY, /* the entry is free */
    ACCEPTOR,
    ON_THE_WAY,
    SERVER
};

struct xpl_connection {
    int fd;
    enum holder holder; /* under the lock */
    struct source source;
    char source_text[2 * sizeof(struct source) + 1];
    int64_t start_us;             /* of the request, monotonic; 0 between two. Of the thread that serves it. */
    _Atomic(int64_t) deadline_us; /* monotonic */
    atomic_bool awaits_client;    /* more of a request is to come */
    int64_t ended_us;             /* the deadline of what the client was seen to have ended its side in, */
    int n_ended;                  /* and how often */
};

struct xpl_connections {
    struct xpl_connection_limits limits;
    pthread_mutex_t lock;
    size_t n_open, n_used; /* entries in use; those that ever were, all in front */
    uint64_t n_refused;
    int64_t looked_us; /* for clients that ended their side, monotonic */
    struct xpl_connection entries[];
};

static struct source source_of(const struct sockaddr *address)
{
    struct source source = {{(uint8_t)address->sa_family}};

    if (address->sa_family == AF_INET6)
        memcpy(source.bytes + 1, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 8);
    else if (address->sa_family == AF_INET)
        memcpy(source.bytes + 1, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    return source;
}

enum xpl_status xpl_connections_new(const struct xpl_connection_limits *limits, struct xpl_connections **ret,
                                    struct xpl_error *err)
{
    struct xpl_connections *c = calloc(1, sizeof *c + limits->in_all * sizeof *c->entries);

    if (!c)
        return xpl_no_memory(err);
    c->limits = *limits;
    pthread_mutex_init(&c->lock, NULL);
    *ret = c;
    return XPL_OK;
}

void xpl_connections_free(struct xpl_connections *c)
{
    if (!c)
        return;
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* A free entry, unless the address has its share already. Called with the lock held. */
static struct xpl_connection *find_room(struct xpl_connections *c, const struct source *source)
{
    struct xpl_connection *room = c->n_used < c->limits.in_all ? &c->entries[c->n_used] : NULL;
    size_t n = 0;

    for (size_t i = 0; i < c->n_used; i++) {
        struct xpl_connection *entry = &c->entries[i];

        if (entry->holder == NOBODY)
            room = entry;
        else if (memcmp(&entry->source, source, sizeof *source) == 0 && ++n >= c->limits.per_address)
            return NULL;
    }
    if (room == &c->entries[c->n_used])
        c->n_used++;
    return room;
}

struct xpl_connection *xpl_connections_add(struct xpl_connections *c, int fd, const struct sockaddr *address)
{
    struct source source = source_of(address);
    struct xpl_connection *entry;

    pthread_mutex_lock(&c->lock);
    entry = find_room(c, &source);
    if (entry) {
        entry->fd = fd;
        entry->holder = ACCEPTOR;
        entry->source = source;
        xpl_hex(source.bytes, sizeof source.bytes, entry->source_text);
        entry->start_us = xpl_monotonic_us();
        atomic_store(&entry->deadline_us, entry->start_us + c->limits.header_ms * 1000);
        atomic_store(&entry->awaits_client, true);
        entry->n_ended = 0;
        c->n_open++;
    } else {
        c->n_refused++;
    }
    pthread_mutex_unlock(&c->lock);
    return entry;
}

static void release(struct xpl_connections *c, struct xpl_connection *entry)
{
    entry->holder = NOBODY;
    c->n_open--;
}

void xpl_connections_remove(struct xpl_connections *c, struct xpl_connection *entry)
{
    if (!entry)
        return;
    pthread_mutex_lock(&c->lock);
    release(c, entry);
    pthread_mutex_unlock(&c->lock);
}

void xpl_connections_hand_over(struct xpl_connections *c, struct xpl_connection *entry)
{
    pthread_mutex_lock(&c->lock);
    entry->holder = ON_THE_WAY;
    pthread_mutex_unlock(&c->lock);
}

struct xpl_connection *xpl_connections_taken(struct xpl_connections *c, int fd)
{
    struct xpl_connection *found = NULL;

    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->n_used && !found; i++)
        if (c->entries[i].holder == ON_THE_WAY && c->entries[i].fd == fd)
            found = &c->entries[i];
    if (found)
        found->holder = SERVER;
    pthread_mutex_unlock(&c->lock);
    return found;
}

const char *xpl_connection_source(const struct xpl_connection *entry)
{
    return entry ? entry->source_text : "";
}

bool xpl_connection_is_local(const struct xpl_connection *entry)
{
    return entry && entry->source.bytes[0] == AF_UNIX;
}

bool xpl_connection_is_loopback(const struct xpl_connection *entry)
{
    static const uint8_t zero[8];
    const uint8_t *source = entry ? entry->source.bytes : NULL;

    return xpl_connection_is_local(entry) || (source && source[0] == AF_INET && source[1] == 127) ||
           (source && source[0] == AF_INET6 && memcmp(source + 1, zero, sizeof zero) == 0);
}

void xpl_connection_enter(struct xpl_connections *c, struct xpl_connection *entry, enum xpl_connection_phase phase)
{
    int64_t now = xpl_monotonic_us(), deadline = NEVER;

    if (!entry)
        return;
    if (!entry->start_us)
        entry->start_us = now;
    switch (phase) {
    case XPL_PHASE_HEAD:
        deadline = entry->start_us + c->limits.header_ms * 1000;
        break;
    case XPL_PHASE_BODY:
        deadline = entry->start_us + c->limits.body_ms * 1000;
        break;
    case XPL_PHASE_WORK:
        break;
    case XPL_PHASE_ANSWER:
        deadline = now + c->limits.answer_ms * 1000;
        break;
    case XPL_PHASE_IDLE:
        entry->start_us = 0;
        deadline = now + c->limits.idle_ms * 1000;
        break;
    }
    atomic_store(&entry->awaits_client, phase != XPL_PHASE_WORK && phase != XPL_PHASE_ANSWER);
    atomic_store(&entry->deadline_us, deadline);
}

void xpl_connections_count(struct xpl_connections *c, uint64_t *ret_open, uint64_t *ret_refused)
{
    pthread_mutex_lock(&c->lock);
    *ret_open = c->n_open;
    *ret_refused = c->n_refused;
    pthread_mutex_unlock(&c->lock);
}

/* microhttpd, told of edges, does not look again when the end comes with the last bytes. */
static bool is_abandoned(struct xpl_connection *entry, int64_t deadline_us)
{
    char next;

    if (!atomic_load(&entry->awaits_client) || recv(entry->fd, &next, 1, MSG_PEEK | MSG_DONTWAIT) != 0 ||
        entry->ended_us != deadline_us)
        entry->n_ended = 0;
    entry->ended_us = deadline_us;
    return ++entry->n_ended > TIMES_ENDED;
}

/* Whether it is to be shut down. */
static bool is_over(struct xpl_connection *entry, int64_t now, bool look)
{
    int64_t deadline_us = atomic_load(&entry->deadline_us);

    return deadline_us <= now || (look && entry->holder == SERVER && is_abandoned(entry, deadline_us));
}

size_t xpl_connections_reap(struct xpl_connections *c)
{
    int64_t now = xpl_monotonic_us();
    bool look;
    size_t n_open;

    pthread_mutex_lock(&c->lock);
    look = now - c->looked_us >= LOOK_US;
    c->looked_us = look ? now : c->looked_us;
    for (size_t i = 0; i < c->n_used; i++) {
        struct xpl_connection *entry = &c->entries[i];

        if (entry->holder == NOBODY || !is_over(entry, now, look))
            continue;
        if (entry->holder == ON_THE_WAY) /* never taken: the descriptor may be another file's by now */
            release(c, entry);
        else
            shutdown(entry->fd, SHUT_RDWR);
    }
    n_open = c->n_open;
    pthread_mutex_unlock(&c->lock);
    return n_open;
}
