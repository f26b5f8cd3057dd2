/* SPDX-License-Identifier: Apache-2.0 */
#include "server/background/batch_memory.h"

#include <stdlib.h>
#include <string.h>

#include "api/json_spec.h"
#include "db/deployment_batches.h"
#include "lib/base/log.h"
#include "lib/base/time.h"

#define DAY_US ((int64_t)86400 * 1000000)

static struct xpl_deployment_batch row_of(const struct xpl_task *task, const json_t *subscription)
{
    static const char *const places[] = {"deployment.scoring_endpoint", "asset_properties.explaind"};
    struct xpl_deployment_batch row = {.data_mart_id = task->data_mart_id, .subscription_id = task->subscription_id};
    struct xpl_hash_part parts[XPL_COUNT(places)];
    char *texts[XPL_COUNT(places)];

    for (size_t i = 0; i < XPL_COUNT(places); i++) {
        texts[i] = json_dumps(xpl_json_at(subscription, places[i]), JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
        parts[i] = (struct xpl_hash_part){texts[i] ? texts[i] : "", texts[i] ? strlen(texts[i]) : 0};
    }
    xpl_hash_parts(parts, XPL_COUNT(parts), row.endpoint);
    for (size_t i = 0; i < XPL_COUNT(places); i++)
        free(texts[i]);
    return row;
}

struct xpl_batch_memory xpl_batch_recall(struct xpl_db *db, struct xpl_arena *arena, const struct xpl_task *task,
                                         const json_t *subscription)
{
    struct xpl_deployment_batch row = row_of(task, subscription);
    bool recent;

    if (xpl_deployment_batch_get(db, arena, &row, NULL))
        return (struct xpl_batch_memory){0};
    recent = xpl_now_us() - row.found_at < DAY_US;
    return (struct xpl_batch_memory){.batch = {row.accepted, recent ? row.refused : 0},
                                     .depth = recent ? row.depth : 0,
                                     .raw_refused = recent && row.raw_refused};
}

static enum xpl_status run_put(struct xpl_db *db, void *arg, struct xpl_error *err)
{
    return xpl_deployment_batch_put(db, arg, err);
}

void xpl_batch_remember(struct xpl_app *app, const struct xpl_task *task, const json_t *subscription,
                        const struct xpl_batch_memory *memory)
{
    struct xpl_deployment_batch row = row_of(task, subscription);
    struct xpl_error err = {0};

    row.accepted = memory->batch.accepted;
    row.refused = memory->batch.refused;
    row.depth = memory->depth;
    row.raw_refused = memory->raw_refused;
    row.found_at = xpl_now_us();
    if (xpl_writer_run(app->writer, run_put, &row, 256, &err))
        xpl_log(XPL_LOG_WARN, "batch size not stored", "task", task->id, "message", err.message, NULL);
}
