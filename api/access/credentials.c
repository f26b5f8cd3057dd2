/* SPDX-License-Identifier: Apache-2.0 */
#include "api/access/credentials.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/password.h"
#include "lib/base/time.h"

#define N_KNOWN        256
#define KNOWN_US       (60 * INT64_C(1000000))
#define FAILURES_US    (60 * INT64_C(1000000)) /* the time over which wrong passwords are counted */
#define N_FAILURES     1024
#define FAILURE_PLACES 4 /* an entry may stand in one of so many */

/* A verified password; its key binds name, password and stored hash together. */
struct known {
    uint8_t key[XPL_HASH_BYTES];
    int64_t until_us;
};

/* A leaky bucket: each try fills it by its share of FAILURES_US, time empties it (monotonic clock). */
struct failures {
    uint8_t key[XPL_HASH_BYTES];
    int64_t empty_at_us;
};

struct xpl_credentials {
    pthread_mutex_t lock;
    uint8_t secret[XPL_KEY_BYTES]; /* makes the keys below unpredictable */
    int64_t try_costs_us;
    char nobodys_hash[XPL_PASSWORD_HASH_SIZE];
    struct known known[N_KNOWN];
    struct failures failures[N_FAILURES];
};

enum xpl_status xpl_credentials_new(int64_t failures, struct xpl_credentials **ret, struct xpl_error *err)
{
    struct xpl_credentials *c = calloc(1, sizeof *c);

    if (!c || !xpl_password_hash("", c->nobodys_hash)) {
        free(c);
        return xpl_no_memory(err);
    }
    pthread_mutex_init(&c->lock, NULL);
    xpl_random(c->secret, sizeof c->secret);
    c->try_costs_us = FAILURES_US / failures;
    *ret = c;
    return XPL_OK;
}

void xpl_credentials_free(struct xpl_credentials *c)
{
    if (!c)
        return;
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static void make_key(const struct xpl_credentials *c, const char *a, const char *b, const char *d,
                     uint8_t ret_key[XPL_HASH_BYTES])
{
    const struct xpl_hash_part parts[] = {
        {c->secret, sizeof c->secret}, {a, strlen(a)}, {b, strlen(b)}, {d, strlen(d)}};

    xpl_hash_parts(parts, sizeof parts / sizeof *parts, ret_key);
}

bool xpl_credentials_known(struct xpl_credentials *c, const struct xpl_user *user, const char *password)
{
    uint8_t key[XPL_HASH_BYTES];
    const struct known *place;
    bool found;

    make_key(c, user->name, password, user->password_hash, key);
    place = &c->known[key[0] % N_KNOWN];
    pthread_mutex_lock(&c->lock);
    found = xpl_same_bytes(place->key, key, sizeof key) && xpl_monotonic_us() < place->until_us;
    pthread_mutex_unlock(&c->lock);
    return found;
}

static void remember(struct xpl_credentials *c, const struct xpl_user *user, const char *password)
{
    uint8_t key[XPL_HASH_BYTES];
    struct known *place;

    make_key(c, user->name, password, user->password_hash, key);
    place = &c->known[key[0] % N_KNOWN];
    pthread_mutex_lock(&c->lock);
    memcpy(place->key, key, sizeof key);
    place->until_us = xpl_monotonic_us() + KNOWN_US;
    pthread_mutex_unlock(&c->lock);
}

/* The entry with this key, else the one of its places that is soonest forgotten, made empty. Under the lock. */
static struct failures *failures_of(struct xpl_credentials *c, const uint8_t key[XPL_HASH_BYTES])
{
    size_t first = (((size_t)key[0] << 8 | key[1]) * FAILURE_PLACES) % N_FAILURES;
    struct failures *oldest = &c->failures[first];

    for (size_t i = first; i < first + FAILURE_PLACES; i++) {
        if (memcmp(c->failures[i].key, key, XPL_HASH_BYTES) == 0)
            return &c->failures[i];
        if (c->failures[i].empty_at_us < oldest->empty_at_us)
            oldest = &c->failures[i];
    }
    memcpy(oldest->key, key, XPL_HASH_BYTES);
    oldest->empty_at_us = 0;
    return oldest;
}

/* Counts a try before its outcome is known. False when there were too many. */
static bool may_try(struct xpl_credentials *c, const uint8_t key[XPL_HASH_BYTES])
{
    int64_t now = xpl_monotonic_us(), full;
    struct failures *entry;
    bool allowed;

    pthread_mutex_lock(&c->lock);
    entry = failures_of(c, key);
    full = (entry->empty_at_us > now ? entry->empty_at_us : now) + c->try_costs_us;
    allowed = full - now <= FAILURES_US;
    if (allowed)
        entry->empty_at_us = full;
    pthread_mutex_unlock(&c->lock);
    return allowed;
}

static void forget_failures(struct xpl_credentials *c, const uint8_t key[XPL_HASH_BYTES])
{
    pthread_mutex_lock(&c->lock);
    failures_of(c, key)->empty_at_us = 0;
    pthread_mutex_unlock(&c->lock);
}

enum xpl_status xpl_credentials_verify(struct xpl_credentials *c, const char *name, const char *client,
                                       const struct xpl_user *user, const char *password, struct xpl_error *err)
{
    uint8_t key[XPL_HASH_BYTES];

    if (user && xpl_credentials_known(c, user, password))
        return XPL_OK;
    make_key(c, name, client, "", key);
    if (!may_try(c, key))
        return xpl_fail(err, XPL_TOO_MANY, "too many wrong passwords for this name; try again in %d seconds",
                        (int)(c->try_costs_us / 1000000) + 1);
    if (!xpl_password_verify(password, user ? user->password_hash : c->nobodys_hash) || !user)
        return xpl_fail(err, XPL_UNAUTHORIZED, "the user name or the password is wrong");
    forget_failures(c, key);
    remember(c, user, password);
    return XPL_OK;
}
