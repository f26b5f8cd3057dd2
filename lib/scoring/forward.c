/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/forward.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/time.h"
#include "lib/scoring/transport.h"

#define MAX_IDLE 64
#define POLL_MS  1000

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

/* ---- idle connections ---- */

static struct xpl_hash_part part_of(const char *text)
{
    return (struct xpl_hash_part){text ? text : "", text ? strlen(text) : 0};
}

/* A connection serves one address with one set of credentials. */
static void make_key(const struct xpl_forward_call *call, uint8_t ret[XPL_HASH_BYTES])
{
    const struct xpl_endpoint *e = call->endpoint;
    const struct xpl_hash_part parts[] = {
        part_of(e->url),        part_of(e->username), part_of(e->password),        part_of(e->bearer),
        part_of(e->aws_region), part_of(e->ca_pem),   part_of(e->certificate_pem), part_of(e->key_pem)};

    xpl_hash_parts(parts, sizeof parts / sizeof *parts, ret);
}

static struct xpl_transport *take_idle(struct xpl_forwarder *f, const uint8_t key[XPL_HASH_BYTES])
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

static void give_back(struct xpl_forwarder *f, struct xpl_transport *transport, const uint8_t key[XPL_HASH_BYTES])
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

/* ---- a call ---- */

static void take_answer(struct xpl_slot *slot, struct xpl_forward_answer *ret)
{
    const char *type = NULL;

    curl_easy_getinfo(slot->handle, CURLINFO_CONTENT_TYPE, &type);
    snprintf(ret->content_type, sizeof ret->content_type, "%s", type ? type : "");
    ret->status = slot->status;
    ret->body = slot->answer;
    xpl_buf_init(&slot->answer, ret->body.max);
}

/* One try over one connection; XPL_OK when an answer came. */
static enum xpl_status try(struct xpl_transport *transport, const struct xpl_forward_call *call,
                           struct xpl_forward_answer *ret, struct xpl_error *err)
{
    const struct xpl_media media = {call->content_type, call->accept, false};
    struct xpl_slot *slot = xpl_transport_slot(transport, 0), *done = NULL;
    enum xpl_outcome outcome = XPL_OUTCOME_FAILED;
    struct xpl_error why = {0};
    enum xpl_status st;

    slot->borrowed = call->body.ptr;
    if ((st = xpl_transport_redress(slot, call->endpoint, call->options, &media, err)) ||
        (st = xpl_transport_start(transport, slot, call->body.length, 0, err)))
        return st;
    while (!st && !done && !(call->cancel && atomic_load(call->cancel)))
        st = xpl_transport_poll(transport, POLL_MS, &done, &outcome, &ret->retry_after_ms, &why);
    if (!st && !done)
        return xpl_fail(err, XPL_CANCELLED, "the call was given up");
    slot->borrowed = NULL;
    if (st || (outcome != XPL_OUTCOME_ANSWER && (slot->status == 0 || slot->answer.failed)))
        return xpl_fail(err, why.status ? why.status : st, "%s", why.message);
    take_answer(slot, ret);
    return XPL_OK;
}

enum xpl_status xpl_forward(struct xpl_forwarder *f, const struct xpl_forward_call *call,
                            struct xpl_forward_answer *ret, struct xpl_error *err)
{
    int64_t started = xpl_monotonic_us();
    uint8_t key[XPL_HASH_BYTES];
    struct xpl_transport *transport;
    enum xpl_status st;

    *ret = (struct xpl_forward_answer){0};
    make_key(call, key);
    transport = take_idle(f, key);
    if (!transport && (st = xpl_transport_new(call->endpoint, call->options, 1, &transport, err)))
        return st;
    if ((st = try(transport, call, ret, err))) {
        xpl_transport_free(transport);
        return st;
    }
    give_back(f, transport, key);
    ret->ms = (double)(xpl_monotonic_us() - started) / 1000;
    return XPL_OK;
}
