/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/task_steps.h"

void task_add(struct fixture *f, const char *id, const char *deployment)
{
    struct xpl_task task = {.id = id,
                            .data_mart_id = "mart",
                            .subscription_id = xpl_arena_printf(f->arena, "s-%s", deployment),
                            .deployment_id = deployment,
                            .record_id = xpl_arena_printf(f->arena, "r-%s", id),
                            .scoring_id = xpl_arena_printf(f->arena, "t-%s-1", id),
                            .transaction_id = xpl_arena_printf(f->arena, "t-%s", id),
                            .parameters = "{}",
                            .trace_id = "trace",
                            .created_at = 100,
                            .created_by = "user"};

    assert_ok(f, xpl_task_insert(f->db, &task, &f->err));
}

struct xpl_task task_claim(struct fixture *f, int64_t now)
{
    struct xpl_task task = {0};

    assert_ok(f, xpl_task_claim(f->db, f->arena, "worker", now, now + LEASE, &task, &f->err));
    return task;
}

void assert_nothing_to_claim(struct fixture *f, int64_t now)
{
    struct xpl_task task;

    assert_status(f, xpl_task_claim(f->db, f->arena, "worker", now, now + LEASE, &task, &f->err), XPL_NOT_FOUND);
}

struct xpl_task task_get(struct fixture *f, const char *id)
{
    struct xpl_task task = {0};

    assert_ok(f, xpl_task_get(f->db, f->arena, "mart", id, &task, &f->err));
    return task;
}

struct xpl_task_result task_result(void)
{
    return (struct xpl_task_result){.answer = "{\"answer\":1}",
                                    .attributions = "{\"attributions\":1}",
                                    .n_segments = 7,
                                    .masks = {"masks", 5},
                                    .classes = {"classes", 7},
                                    .scores = {"scores", 6}};
}

void task_finish(struct fixture *f, const struct xpl_task *task)
{
    struct xpl_task_result r = task_result();

    assert_ok(f, xpl_task_finish(f->db, task->id, task->attempt, 500, &r, &f->err));
}
