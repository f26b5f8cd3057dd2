/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that were made once and are good until something changes: by a key, for one version of what they were made of.
 * A version is a number that somebody else counts up; a value of another version is as good as none.
 *
 * A value and all it points at lie in an arena of its own and are never written again, so that any number of threads
 * may read it. Bounded in bytes: what was not asked for longest goes first. Safe from any thread.
 */
#ifndef XPL_BASE_CACHE_H
#define XPL_BASE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"

struct xpl_cache;

/** Keeps values of at most `max_bytes` together (0 = none). NULL without memory. */
struct xpl_cache *xpl_cache_new(size_t max_bytes);

/** Values that were lent out stay with their borrowers. NULL is fine. */
void xpl_cache_free(struct xpl_cache *cache);

/** The value, lent to `borrower` until that is freed; NULL when there is none of this version. */
const void *xpl_cache_get(struct xpl_cache *cache, struct xpl_arena *borrower, const char *key, uint64_t version);

/**
 * Keeps `value`, which lies in `home`, instead of what the key had, and lends it to `borrower`. Takes `home` over in
 * any case: it goes with the last of cache and borrowers. False without memory; then it is gone.
 */
bool xpl_cache_put(struct xpl_cache *cache, struct xpl_arena *borrower, const char *key, uint64_t version,
                   struct xpl_arena *home, const void *value);

#endif
