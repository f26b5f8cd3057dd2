/* SPDX-License-Identifier: Apache-2.0 */
#include "api/remember.h"

static enum xpl_status read_to_keep(struct xpl_call *call, const struct xpl_remembered *what, const char *key,
                                    const char *id, uint64_t version, const void **ret, struct xpl_error *err)
{
    struct xpl_arena *home = xpl_arena_new(what->max_bytes);
    void *value = home ? xpl_arena_alloc(home, what->size) : NULL;
    enum xpl_status st = value ? what->read(call, home, id, value, err) : xpl_no_memory(err);

    if (st) {
        xpl_arena_free(home);
        return st;
    }
    *ret = value;
    return xpl_cache_put(call->app->cache, call->arena, key, version, home, value) ? XPL_OK : xpl_no_memory(err);
}

enum xpl_status xpl_remember(struct xpl_call *call, const struct xpl_remembered *what, const char *id, uint64_t version,
                             const void **ret, struct xpl_error *err)
{
    const char *key = xpl_arena_printf(call->arena, "%s/%s/%s", what->kind, call->data_mart_id, id);

    if (!key)
        return xpl_no_memory(err);
    *ret = xpl_cache_get(call->app->cache, call->arena, key, version);
    return *ret ? XPL_OK : read_to_keep(call, what, key, id, version, ret, err);
}
