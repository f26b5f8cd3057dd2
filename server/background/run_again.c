/* SPDX-License-Identifier: Apache-2.0 */
#include "server/background/run_again.h"

#include "api/explanations/explain_params.h"
#include "lib/base/hash.h"

#define FIRST_RETRY_US ((int64_t)1000000)
#define ARENA_BYTES    ((size_t)64 << 20) /* parameters may hold a label map */

static bool may_recover(enum xpl_status why)
{
    return why == XPL_MODEL_UNREACHABLE || why == XPL_MODEL_TIMEOUT || why == XPL_MODEL_FAILED ||
           why == XPL_MODEL_PAUSED || why == XPL_NO_MEMORY;
}

/* Half of this, and up to as much again at random. A model that is left alone for a while is left alone until then. */
static int64_t half_wait_us(const struct xpl_settings *settings, const struct xpl_task *task, enum xpl_status why)
{
    int64_t half_us = FIRST_RETRY_US / 2 << task->retries, pause_us = settings->scoring_breaker_pause_ms * 1000;

    return why == XPL_MODEL_PAUSED && half_us < pause_us / 2 ? pause_us / 2 : half_us;
}

int64_t xpl_explain_run_again_at(const struct xpl_settings *settings, const struct xpl_task *task, enum xpl_status why,
                                 int64_t now)
{
    XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);
    struct xpl_explain_params params;
    struct xpl_error ignored = {0};
    int64_t half_us, at;
    uint32_t random;

    if (!arena || !may_recover(why) || task->retries >= settings->explain_retries ||
        xpl_explain_params_stored(arena, task->parameters, &params, &ignored))
        return 0;
    half_us = half_wait_us(settings, task, why);
    xpl_random(&random, sizeof random);
    at = now + half_us + (int64_t)((double)half_us * random / UINT32_MAX);
    return at < task->started_at + (int64_t)params.deadline_ms * 1000 ? at : 0;
}
