/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define N_BUCKETS      1024u
#define OVERHEAD_BYTES ((size_t)8 << 10) /* of an arena and an entry */

/* Of the cache and everybody it was lent to. */
struct held {
    atomic_size_t n_holders;
    struct xpl_arena *home;
    const void *value;
};

struct entry {
    struct entry *next;          /* of the bucket */
    struct entry *newer, *older; /* by when it was asked for */
    struct held *held;
    uint64_t version;
    size_t bytes;
    char key[];
};

struct xpl_cache {
    pthread_mutex_t lock;
    size_t bytes, max_bytes;
    struct entry *newest, *oldest;
    struct entry *buckets[N_BUCKETS];
};

static void release(void *object)
{
    struct held *held = object;

    if (atomic_fetch_sub(&held->n_holders, 1) > 1)
        return;
    xpl_arena_free(held->home);
    free(held);
}

/* FNV-1a */
static struct entry **bucket_of(struct xpl_cache *cache, const char *key)
{
    uint32_t hash = 2166136261u;

    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 16777619u;
    return &cache->buckets[hash % N_BUCKETS];
}

/* The link that leads to the entry, or to NULL. */
static struct entry **find(struct xpl_cache *cache, const char *key)
{
    struct entry **link = bucket_of(cache, key);

    while (*link && strcmp((*link)->key, key) != 0)
        link = &(*link)->next;
    return link;
}

static void leave_order(struct xpl_cache *cache, struct entry *entry)
{
    *(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void enter_order(struct xpl_cache *cache, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

static void drop(struct xpl_cache *cache, struct entry **link)
{
    struct entry *entry = *link;

    *link = entry->next;
    leave_order(cache, entry);
    cache->bytes -= entry->bytes;
    release(entry->held);
    free(entry);
}

struct xpl_cache *xpl_cache_new(size_t max_bytes)
{
    struct xpl_cache *cache = calloc(1, sizeof *cache);

    if (!cache)
        return NULL;
    cache->max_bytes = max_bytes;
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

void xpl_cache_free(struct xpl_cache *cache)
{
    if (!cache)
        return;
    while (cache->oldest)
        drop(cache, find(cache, cache->oldest->key));
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

const void *xpl_cache_get(struct xpl_cache *cache, struct xpl_arena *borrower, const char *key, uint64_t version)
{
    struct held *held = NULL;
    struct entry *entry;

    pthread_mutex_lock(&cache->lock);
    entry = *find(cache, key);
    if (entry && entry->version == version) {
        leave_order(cache, entry);
        enter_order(cache, entry);
        held = entry->held;
        atomic_fetch_add(&held->n_holders, 1);
    }
    pthread_mutex_unlock(&cache->lock);
    if (!held || xpl_arena_own(borrower, held, release))
        return held ? held->value : NULL;
    release(held);
    return NULL;
}

/* Of a value that fits; one of another version gives way. Without memory it is not kept. */
static void keep(struct xpl_cache *cache, const char *key, uint64_t version, struct held *held)
{
    size_t size = strlen(key) + 1, bytes = xpl_arena_used(held->home) + OVERHEAD_BYTES;
    struct entry *entry, **link;

    if (bytes > cache->max_bytes || !(entry = malloc(sizeof *entry + size)))
        return;
    *entry = (struct entry){.held = held, .version = version, .bytes = bytes};
    memcpy(entry->key, key, size);
    atomic_fetch_add(&held->n_holders, 1);
    pthread_mutex_lock(&cache->lock);
    link = find(cache, key);
    if (*link)
        drop(cache, link);
    while (cache->bytes + bytes > cache->max_bytes)
        drop(cache, find(cache, cache->oldest->key));
    link = bucket_of(cache, key);
    entry->next = *link;
    *link = entry;
    enter_order(cache, entry);
    cache->bytes += bytes;
    pthread_mutex_unlock(&cache->lock);
}

bool xpl_cache_put(struct xpl_cache *cache, struct xpl_arena *borrower, const char *key, uint64_t version,
                   struct xpl_arena *home, const void *value)
{
    struct held *held = malloc(sizeof *held);

    if (!held) {
        xpl_arena_free(home);
        return false;
    }
    *held = (struct held){.n_holders = 1, .home = home, .value = value};
    if (!xpl_arena_own(borrower, held, release)) {
        release(held);
        return false;
    }
    keep(cache, key, version, held);
    return true;
}
