/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which row a mask has, in constant time: open addressing over a fixed number of masks.
 */
#ifndef XPL_EXPLAIN_MASK_SET_H
#define XPL_EXPLAIN_MASK_SET_H

#include "lib/base/arena.h"
#include "lib/explain/designs/mask.h"

#define XPL_NO_ROW UINT32_MAX

struct xpl_mask_slot {
    xpl_mask mask;
    uint32_t row_plus_one; /* 0 = free */
};

struct xpl_mask_set {
    struct xpl_mask_slot *slots;
    size_t size; /* a power of two, at least twice the capacity */
};

/** Makes room for `capacity` masks. */
enum xpl_status xpl_mask_set_init(struct xpl_arena *arena, size_t capacity, struct xpl_mask_set *ret,
                                  struct xpl_error *err);

/** Adds a mask, unless it is there. Returns its row: `row`, or the one it was added with before. */
uint32_t xpl_mask_set_add(struct xpl_mask_set *set, xpl_mask mask, uint32_t row);

/** The row of a mask, XPL_NO_ROW when it is not there. */
uint32_t xpl_mask_set_find(const struct xpl_mask_set *set, xpl_mask mask);

#endif
