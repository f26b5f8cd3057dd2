/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/breaker.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"

#define MAX_CIRCUITS 256

/* One host or URL that failed. Those that work have none. */
struct circuit {
    uint8_t key[XPL_HASH_BYTES];
    uint32_t failures; /* in a row; 0 = this place is free */
    int64_t failed_us; /* the last one */
    bool probing;      /* a task was let in to see whether it works again */
};

struct xpl_breaker {
    pthread_mutex_t lock;
    uint32_t limit;
    int64_t pause_us;
    struct circuit circuits[MAX_CIRCUITS];
};

struct keys {
    uint8_t host[XPL_HASH_BYTES], url[XPL_HASH_BYTES];
};

enum xpl_status xpl_breaker_new(uint32_t failures, int64_t pause_us, struct xpl_breaker **ret, struct xpl_error *err)
{
    struct xpl_breaker *breaker = calloc(1, sizeof *breaker);

    if (!breaker)
        return xpl_no_memory(err);
    pthread_mutex_init(&breaker->lock, NULL);
    breaker->limit = failures;
    breaker->pause_us = pause_us;
    *ret = breaker;
    return XPL_OK;
}

void xpl_breaker_free(struct xpl_breaker *breaker)
{
    if (!breaker)
        return;
    pthread_mutex_destroy(&breaker->lock);
    free(breaker);
}

static struct keys keys_of(const char *host, const char *url)
{
    struct keys keys;

    xpl_hash_parts((struct xpl_hash_part[]){{"host", 4}, {host, strlen(host)}}, 2, keys.host);
    xpl_hash_parts((struct xpl_hash_part[]){{"url", 3}, {url, strlen(url)}}, 2, keys.url);
    return keys;
}

static struct circuit *find(struct xpl_breaker *b, const uint8_t *key)
{
    for (size_t i = 0; i < MAX_CIRCUITS; i++)
        if (b->circuits[i].failures && memcmp(b->circuits[i].key, key, XPL_HASH_BYTES) == 0)
            return &b->circuits[i];
    return NULL;
}

/* A free place, or that of the circuit whose last failure is longest ago. */
static struct circuit *make(struct xpl_breaker *b, const uint8_t *key)
{
    struct circuit *place = &b->circuits[0];

    for (size_t i = 0; i < MAX_CIRCUITS && place->failures; i++)
        if (!b->circuits[i].failures || b->circuits[i].failed_us < place->failed_us)
            place = &b->circuits[i];
    *place = (struct circuit){0};
    memcpy(place->key, key, XPL_HASH_BYTES);
    return place;
}

/* ---- before the calls ---- */

static enum xpl_status check(const struct xpl_breaker *b, const struct circuit *circuit, const char *what,
                             int64_t now_us, struct xpl_error *err)
{
    int64_t left_us;

    if (!circuit || circuit->failures < b->limit)
        return XPL_OK;
    left_us = circuit->failed_us + b->pause_us - now_us;
    if (left_us <= 0 && !circuit->probing)
        return XPL_OK;
    left_us = left_us > 0 ? left_us : 0;
    return xpl_fail(err, XPL_MODEL_PAUSED, "no call was made: %s failed %u times in a row; it is tried again in %lld s",
                    what, circuit->failures, (long long)(left_us + 999999) / 1000000);
}

static void mark(const struct xpl_breaker *b, struct circuit *circuit)
{
    if (circuit)
        circuit->probing = circuit->failures >= b->limit;
}

enum xpl_status xpl_breaker_enter(struct xpl_breaker *breaker, const char *host, const char *url, int64_t now_us,
                                  struct xpl_error *err)
{
    struct keys keys = keys_of(host, url);
    struct circuit *of_host, *of_url;
    enum xpl_status st;

    if (breaker->limit == 0)
        return XPL_OK;
    pthread_mutex_lock(&breaker->lock);
    of_host = find(breaker, keys.host);
    of_url = find(breaker, keys.url);
    st = check(breaker, of_host, "connecting to the model's host", now_us, err);
    if (!st)
        st = check(breaker, of_url, "the model", now_us, err);
    if (!st) {
        mark(breaker, of_host);
        mark(breaker, of_url);
    }
    pthread_mutex_unlock(&breaker->lock);
    return st;
}

/* ---- after them ---- */

static void note_failure(struct xpl_breaker *b, const uint8_t *key, int64_t now_us)
{
    struct circuit *circuit = find(b, key);

    if (!circuit)
        circuit = make(b, key);
    circuit->failures++;
    circuit->failed_us = now_us;
    circuit->probing = false;
}

static void note_success(struct xpl_breaker *b, const uint8_t *key)
{
    struct circuit *circuit = find(b, key);

    if (circuit)
        *circuit = (struct circuit){0};
}

static void note_nothing(struct xpl_breaker *b, const uint8_t *key)
{
    struct circuit *circuit = find(b, key);

    if (circuit)
        circuit->probing = false;
}

void xpl_breaker_report(struct xpl_breaker *breaker, const char *host, const char *url, enum xpl_breaker_news news,
                        int64_t now_us)
{
    struct keys keys = keys_of(host, url);

    if (breaker->limit == 0)
        return;
    pthread_mutex_lock(&breaker->lock);
    switch (news) {
    case XPL_NEWS_NONE:
        note_nothing(breaker, keys.host);
        note_nothing(breaker, keys.url);
        break;
    case XPL_NEWS_ANSWERED:
        note_success(breaker, keys.host);
        note_success(breaker, keys.url);
        break;
    case XPL_NEWS_MODEL_FAILED:
        note_success(breaker, keys.host);
        note_failure(breaker, keys.url, now_us);
        break;
    case XPL_NEWS_HOST_FAILED:
        note_failure(breaker, keys.host, now_us);
        note_nothing(breaker, keys.url);
        break;
    }
    pthread_mutex_unlock(&breaker->lock);
}
