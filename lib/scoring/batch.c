/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/batch.h"

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

uint32_t xpl_batch_size(const struct xpl_batch *batch, uint32_t limit)
{
    return smaller(batch->accepted ? batch->accepted : 1, limit);
}

uint32_t xpl_batch_next(const struct xpl_batch *batch, uint32_t limit)
{
    uint32_t now = batch->accepted ? batch->accepted : 1, next = smaller(2 * smaller(now, XPL_MAX_BATCH), limit);

    return next > now && (!batch->refused || next < batch->refused) ? next : 0;
}

void xpl_batch_accept(struct xpl_batch *batch, uint32_t n)
{
    if (n > batch->accepted)
        batch->accepted = n;
}

void xpl_batch_refuse(struct xpl_batch *batch, uint32_t n)
{
    if (!batch->refused || n < batch->refused)
        batch->refused = n;
    if (n <= batch->accepted)
        batch->accepted = n > 1 ? n / 2 : 1;
}
