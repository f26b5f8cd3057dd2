/* SPDX-License-Identifier: Apache-2.0 */
#include "server/background/batch_memory.h"

#include <string.h>

#include "db/deployment_batches.h"
#include "lib/base/log.h"
#include "lib/base/time.h"

#define DAY_US ((int64_t)86400 * 1000000)

static struct xpl_deployment_batch row_of(const struct xpl_task *task, const char *url)
{
    struct xpl_deployment_batch row = {.data_mart_id = task->data_mart_id, .subscription_id = task->subscription_id};
    const struct xpl_hash_part part = {url, strlen(url)};

    xpl_hash_parts(&part, 1, row.endpoint);
    return row;
}

struct xpl_batch_memory xpl_batch_recall(struct xpl_db *db, struct xpl_arena *arena, const struct xpl_task *task,
                                         const char *url)
{
    struct xpl_deployment_batch row = row_of(task, url);

    bool recent;

    if (xpl_deployment_batch_get(db, arena, &row, NULL))
        return (struct xpl_batch_memory){0};
    recent = xpl_now_us() - row.found_at < DAY_US;
    return (struct xpl_batch_memory){.batch = {row.accepted, recent ? row.refused : 0},
                                     .depth = recent ? row.depth : 0};
}

static enum xpl_status run_put(struct xpl_db *db, void *arg, struct xpl_error *err)
{
    return xpl_deployment_batch_put(db, arg, err);
}

void xpl_batch_remember(struct xpl_app *app, const struct xpl_task *task, const char *url,
                        const struct xpl_batch_memory *memory)
{
    struct xpl_deployment_batch row = row_of(task, url);
    struct xpl_error err = {0};

    row.accepted = memory->batch.accepted;
    row.refused = memory->batch.refused;
    row.depth = memory->depth;
    row.found_at = xpl_now_us();
    if (xpl_writer_run(app->writer, run_put, &row, 256, &err))
        xpl_log(XPL_LOG_WARN, "batch size not stored", "task", task->id, "message", err.message, NULL);
}
