/* SPDX-License-Identifier: Apache-2.0 */
/* What explanations of a subscription remember of its deployment: how many images it takes in one request, and how many
 * requests at a time it makes use of. */
#ifndef XPL_SERVER_BATCH_MEMORY_H
#define XPL_SERVER_BATCH_MEMORY_H

#include "api/app.h"
#include "db/tasks.h"
#include "lib/scoring/batch.h"

struct xpl_batch_memory {
    struct xpl_batch batch;
    uint32_t depth; /* requests in flight; 0 = not known */
};

/** All zero when nothing is known of this scoring URL. What it refused more than a day ago is worth a new trial. */
struct xpl_batch_memory xpl_batch_recall(struct xpl_db *db, struct xpl_arena *arena, const struct xpl_task *task,
                                         const char *url);

/** Stores what was learned; when it cannot be stored, the next explanation finds it out again. */
void xpl_batch_remember(struct xpl_app *app, const struct xpl_task *task, const char *url,
                        const struct xpl_batch_memory *memory);

#endif
