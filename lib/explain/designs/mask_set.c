/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/designs/mask_set.h"

#define SPREAD 0x9E3779B97F4A7C15u /* 2^64 / golden ratio: Knuth's multiplicative hash */

enum xpl_status xpl_mask_set_init(struct xpl_arena *arena, size_t capacity, struct xpl_mask_set *ret,
                                  struct xpl_error *err)
{
    ret->size = 16;
    while (ret->size < 2 * capacity)
        ret->size *= 2;
    ret->slots = XPL_NEW_ARRAY(arena, struct xpl_mask_slot, ret->size);
    return ret->slots ? XPL_OK : xpl_no_memory(err);
}

/* Where the mask is, or the free slot it would go to. */
static struct xpl_mask_slot *slot_of(const struct xpl_mask_set *set, xpl_mask mask)
{
    size_t at = (size_t)((mask * SPREAD) >> 20) & (set->size - 1);

    while (set->slots[at].row_plus_one != 0 && set->slots[at].mask != mask)
        at = (at + 1) & (set->size - 1);
    return &set->slots[at];
}

uint32_t xpl_mask_set_add(struct xpl_mask_set *set, xpl_mask mask, uint32_t row)
{
    struct xpl_mask_slot *slot = slot_of(set, mask);

    if (slot->row_plus_one == 0)
        *slot = (struct xpl_mask_slot){mask, row + 1};
    return slot->row_plus_one - 1;
}

uint32_t xpl_mask_set_find(const struct xpl_mask_set *set, xpl_mask mask)
{
    return slot_of(set, mask)->row_plus_one - 1; /* 0 - 1 = XPL_NO_ROW */
}
