/* SPDX-License-Identifier: Apache-2.0 */
/* What explanations of a subscription remember of its deployment: how many images it takes in one request, how many
 * requests at a time it makes use of, and that it takes no raw tensors. */
#ifndef XPL_SERVER_BATCH_MEMORY_H
#define XPL_SERVER_BATCH_MEMORY_H

#include <jansson.h>

#include "api/app.h"
#include "db/tasks.h"
#include "lib/scoring/batch.h"

struct xpl_batch_memory {
    struct xpl_batch batch;
    uint32_t depth;   /* requests in flight; 0 = not known */
    bool raw_refused; /* raw tensors were tried in vain */
};

/**
 * All zero when nothing is known of the model as `subscription` says it is reached: with other settings of its endpoint
 * it may be another one. What it refused more than a day ago is worth a new trial.
 */
struct xpl_batch_memory xpl_batch_recall(struct xpl_db *db, struct xpl_arena *arena, const struct xpl_task *task,
                                         const json_t *subscription);

/** Stores what was learned; when it cannot be stored, the next explanation finds it out again. */
void xpl_batch_remember(struct xpl_app *app, const struct xpl_task *task, const json_t *subscription,
                        const struct xpl_batch_memory *memory);

#endif
