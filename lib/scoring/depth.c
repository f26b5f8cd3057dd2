/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/depth.h"

#define WINDOW 2u          /* answers for each request in flight */
#define GAIN   (7.0 / 6.0) /* what makes twice as many worth it */

void xpl_depth_start(struct xpl_depth *depth, uint32_t known, uint32_t max)
{
    uint32_t first = known ? known : XPL_DEPTH_FIRST;

    *depth = (struct xpl_depth){.now = first < max ? first : max, .max = max};
    depth->best = depth->now;
}

void xpl_depth_restart(struct xpl_depth *depth)
{
    depth->started_us = 0;
    depth->answers = 0;
    depth->images = 0;
}

/* A quarter more than it works on wait at the model, so that it need not wait for the way there and back. */
static void settle(struct xpl_depth *depth)
{
    uint32_t with_waiting = depth->best + depth->best / 4;

    depth->now = with_waiting < depth->max ? with_waiting : depth->max;
    depth->settled = true;
}

static void judge(struct xpl_depth *depth, double rate)
{
    bool better = depth->best_rate == 0 || rate > depth->best_rate * GAIN;

    if (!better) {
        settle(depth);
        return;
    }
    depth->best = depth->now;
    depth->best_rate = rate;
    if (depth->now == depth->max)
        depth->settled = true;
    else
        depth->now = depth->now > depth->max / 2 ? depth->max : 2 * depth->now;
}

void xpl_depth_answered(struct xpl_depth *depth, uint32_t images, int64_t now_us)
{
    if (depth->settled)
        return;
    if (depth->started_us == 0) {
        depth->started_us = now_us;
        return;
    }
    depth->images += images;
    if (++depth->answers < WINDOW * depth->now)
        return;
    if (now_us > depth->started_us)
        judge(depth, (double)depth->images / (double)(now_us - depth->started_us));
    xpl_depth_restart(depth);
}

void xpl_depth_refused(struct xpl_depth *depth)
{
    depth->best = depth->now > 1 ? depth->now / 2 : 1;
    depth->best_rate = 0;
    depth->now = depth->best;
    depth->settled = true;
}

uint32_t xpl_depth_found(const struct xpl_depth *depth)
{
    return depth->settled || depth->best_rate > 0 ? depth->best : 0;
}
