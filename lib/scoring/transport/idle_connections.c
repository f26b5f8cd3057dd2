/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/transport/idle_connections.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MAX_IDLE 64

struct idle {
    struct xpl_transport *transport; /* NULL = free */
    uint8_t key[XPL_HASH_BYTES];
    uint64_t used; /* the smallest goes first */
};

struct xpl_forwarder {
    pthread_mutex_t lock;
    uint64_t clock;
    struct idle idle[MAX_IDLE];
};

enum xpl_status xpl_forwarder_new(struct xpl_forwarder **ret, struct xpl_error *err)
{
    struct xpl_forwarder *f = calloc(1, sizeof *f);

    if (!f)
        return xpl_no_memory(err);
    pthread_mutex_init(&f->lock, NULL);
    *ret = f;
    return XPL_OK;
}

void xpl_forwarder_free(struct xpl_forwarder *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < MAX_IDLE; i++)
        xpl_transport_free(f->idle[i].transport);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

static struct xpl_hash_part part_of(const char *text)
{
    return (struct xpl_hash_part){text ? text : "", text ? strlen(text) : 0};
}

void xpl_idle_key(const struct xpl_endpoint *e, uint8_t ret[XPL_HASH_BYTES])
{
    const struct xpl_hash_part parts[] = {
        part_of(e->url),        part_of(e->username), part_of(e->password),        part_of(e->bearer),
        part_of(e->aws_region), part_of(e->ca_pem),   part_of(e->certificate_pem), part_of(e->key_pem)};

    xpl_hash_parts(parts, sizeof parts / sizeof *parts, ret);
}

struct xpl_transport *xpl_idle_take(struct xpl_forwarder *f, const uint8_t key[XPL_HASH_BYTES])
{
    struct xpl_transport *found = NULL;
    struct idle *latest = NULL;

    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < MAX_IDLE; i++) {
        struct idle *idle = &f->idle[i];

        if (idle->transport && memcmp(idle->key, key, XPL_HASH_BYTES) == 0 && (!latest || idle->used > latest->used))
            latest = idle;
    }
    if (latest) {
        found = latest->transport;
        latest->transport = NULL;
    }
    pthread_mutex_unlock(&f->lock);
    return found;
}

void xpl_idle_give_back(struct xpl_forwarder *f, struct xpl_transport *transport, const uint8_t key[XPL_HASH_BYTES])
{
    struct idle *place = &f->idle[0];
    struct xpl_transport *gone;

    pthread_mutex_lock(&f->lock);
    for (size_t i = 1; i < MAX_IDLE && place->transport; i++)
        if (!f->idle[i].transport || f->idle[i].used < place->used)
            place = &f->idle[i];
    gone = place->transport;
    place->transport = transport;
    place->used = ++f->clock;
    memcpy(place->key, key, XPL_HASH_BYTES);
    pthread_mutex_unlock(&f->lock);
    xpl_transport_free(gone);
}
