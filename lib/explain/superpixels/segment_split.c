/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/superpixels/segment.h"

#define NOBODY UINT32_MAX

struct splitting {
    const uint32_t *before;
    uint32_t *after, *waiting; /* pixels whose neighbours were not looked at yet */
    size_t n_waiting;
};

static void reach(struct splitting *s, size_t from, size_t to)
{
    if (s->before[to] != s->before[from] || s->after[to] != NOBODY)
        return;
    s->after[to] = s->after[from];
    s->waiting[s->n_waiting++] = (uint32_t)to;
}

static void follow(struct splitting *s, uint32_t height, uint32_t width)
{
    while (s->n_waiting > 0) {
        size_t at = s->waiting[--s->n_waiting], y = at / width, x = at % width;

        if (x + 1 < width)
            reach(s, at, at + 1);
        if (x > 0)
            reach(s, at, at - 1);
        if (y + 1 < height)
            reach(s, at, at + width);
        if (y > 0)
            reach(s, at, at - width);
    }
}

enum xpl_status xpl_split_segments(struct xpl_arena *arena, uint32_t height, uint32_t width, struct xpl_label_map *map,
                                   struct xpl_error *err)
{
    size_t n = (size_t)height * width;
    struct splitting s = {.before = map->labels,
                          .after = XPL_NEW_ARRAY(arena, uint32_t, n),
                          .waiting = XPL_NEW_ARRAY(arena, uint32_t, n)};

    if (!s.after || !s.waiting)
        return xpl_no_memory(err);
    for (size_t i = 0; i < n; i++)
        s.after[i] = NOBODY;
    map->count = 0;
    for (size_t i = 0; i < n; i++) {
        if (s.after[i] != NOBODY)
            continue;
        s.after[i] = map->count++;
        s.waiting[s.n_waiting++] = (uint32_t)i;
        follow(&s, height, width);
    }
    for (size_t i = 0; i < n; i++)
        map->labels[i] = s.after[i];
    return XPL_OK;
}
