/* SPDX-License-Identifier: Apache-2.0 */
/* The queue: order, one explanation a deployment, fencing, recovery. */
#include "tests/unit/db/fixture.h"

#include <string.h>

#include "db/tasks.h"

#define LEASE 60000000

static void add(struct fixture *f, const char *id, const char *deployment)
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

static struct xpl_task claim(struct fixture *f, int64_t now)
{
    struct xpl_task task = {0};

    assert_ok(f, xpl_task_claim(f->db, f->arena, "worker", now, now + LEASE, &task, &f->err));
    return task;
}

static void assert_nothing_to_claim(struct fixture *f, int64_t now)
{
    struct xpl_task task;

    assert_status(f, xpl_task_claim(f->db, f->arena, "worker", now, now + LEASE, &task, &f->err), XPL_NOT_FOUND);
}

static struct xpl_task get(struct fixture *f, const char *id)
{
    struct xpl_task task = {0};

    assert_ok(f, xpl_task_get(f->db, f->arena, "mart", id, &task, &f->err));
    return task;
}

static const struct xpl_explanation_image pictures[] = {{"positive", 0, {"png0", 4}}, {"positive", 1, {"png-1", 5}}};

static struct xpl_task_result result(void)
{
    return (struct xpl_task_result){.answer = "{\"answer\":1}",
                                    .attributions = "{\"attributions\":1}",
                                    .n_segments = 7,
                                    .masks = {"masks", 5},
                                    .classes = {"classes", 7},
                                    .scores = {"scores", 6},
                                    .images = pictures,
                                    .n_images = 2};
}

static void finish(struct fixture *f, const struct xpl_task *task)
{
    struct xpl_task_result r = result();

    assert_ok(f, xpl_task_finish(f->db, task->id, task->attempt, 500, &r, &f->err));
}

/* ---- claiming ---- */

static void tasks_of_a_deployment_run_one_at_a_time_in_order(void **state)
{
    struct fixture *f = *state;
    struct xpl_task first, second;

    add(f, "a", "d1");
    add(f, "b", "d1");
    first = claim(f, 200);
    assert_string_equal(first.id, "a");
    assert_int_equal(first.attempt, 1);
    assert_int_equal(first.state, XPL_TASK_LEASED);
    assert_int_equal(first.started_at, 200);
    assert_nothing_to_claim(f, 201);
    finish(f, &first);
    second = claim(f, 202);
    assert_string_equal(second.id, "b");
}

static void deployments_do_not_wait_for_each_other(void **state)
{
    struct fixture *f = *state;

    add(f, "a", "d1");
    add(f, "b", "d1");
    add(f, "c", "d2");
    assert_string_equal(claim(f, 200).id, "a");
    assert_string_equal(claim(f, 200).id, "c");
    assert_nothing_to_claim(f, 200);
}

static void a_retry_waits_for_its_time_and_keeps_its_place(void **state)
{
    struct fixture *f = *state;
    struct xpl_task task;

    add(f, "a", "d1");
    add(f, "b", "d1");
    task = claim(f, 200);
    assert_ok(f, xpl_task_requeue(f->db, "a", task.attempt, 1000, &f->err));
    assert_nothing_to_claim(f, 999);
    task = claim(f, 1000);
    assert_string_equal(task.id, "a");
    assert_int_equal(task.attempt, 2);
    assert_int_equal(task.retries, 1);
    assert_int_equal(task.started_at, 200);
}

static void the_schema_itself_forbids_two_leases_of_a_deployment(void **state)
{
    struct fixture *f = *state;

    add(f, "a", "d1");
    add(f, "b", "d1");
    assert_status(f, xpl_db_exec(f->db, "UPDATE explanation_tasks SET state = 'leased'", &f->err), XPL_CONFLICT);
}

/* ---- fencing ---- */

static void a_stale_worker_stores_nothing(void **state)
{
    struct fixture *f = *state;
    struct xpl_task_result r = result();
    struct xpl_task stale, current;
    const char *text;

    add(f, "a", "d1");
    stale = claim(f, 200);
    assert_ok(f, xpl_tasks_recover(f->db, 300, "crashed", &(int64_t){0}, &f->err));
    current = claim(f, 400);
    assert_status(f, xpl_task_finish(f->db, "a", stale.attempt, 500, &r, &f->err), XPL_CONFLICT);
    assert_status(f, xpl_task_fail(f->db, "a", stale.attempt, 500, "code", "message", &f->err), XPL_CONFLICT);
    assert_status(f, xpl_task_requeue(f->db, "a", stale.attempt, 500, &f->err), XPL_CONFLICT);
    assert_status(f, xpl_task_renew(f->db, "a", stale.attempt, 500, &f->err), XPL_CONFLICT);
    assert_status(f, xpl_task_release(f->db, "a", stale.attempt, &f->err), XPL_CONFLICT);
    assert_int_equal(get(f, "a").state, XPL_TASK_LEASED);
    assert_status(f, xpl_explanation_answer(f->db, f->arena, "a", &text, &f->err), XPL_NOT_FOUND);
    finish(f, &current);
}

static void a_released_task_comes_back_with_another_attempt(void **state)
{
    struct fixture *f = *state;
    struct xpl_task_result r = result();
    struct xpl_task first, second;

    add(f, "a", "d1");
    first = claim(f, 200);
    assert_ok(f, xpl_task_release(f->db, "a", first.attempt, &f->err));
    second = claim(f, 300);
    assert_int_equal(second.retries, 0);
    assert_int_not_equal(second.attempt, first.attempt);
    assert_status(f, xpl_task_finish(f->db, "a", first.attempt, 500, &r, &f->err), XPL_CONFLICT);
}

static void a_task_is_finished_once(void **state)
{
    struct fixture *f = *state;
    struct xpl_task_result r = result();
    struct xpl_task task;

    add(f, "a", "d1");
    task = claim(f, 200);
    finish(f, &task);
    assert_status(f, xpl_task_finish(f->db, "a", task.attempt, 600, &r, &f->err), XPL_CONFLICT);
    assert_int_equal(get(f, "a").updated_at, 500);
}

/* ---- after the process died ---- */

static void a_leased_task_is_queued_again_after_a_restart(void **state)
{
    struct fixture *f = *state;
    int64_t requeued = 0;
    struct xpl_task task;

    add(f, "a", "d1");
    add(f, "b", "d2");
    claim(f, 200);
    fixture_reopen(f);
    assert_int_equal(get(f, "a").state, XPL_TASK_LEASED);
    assert_ok(f, xpl_tasks_recover(f->db, 300, "crashed", &requeued, &f->err));
    assert_int_equal(requeued, 1);
    task = claim(f, 400);
    assert_string_equal(task.id, "a");
    assert_int_equal(task.crashes, 1);
}

static void the_third_crash_ends_a_task(void **state)
{
    struct fixture *f = *state;
    struct xpl_task task;

    add(f, "a", "d1");
    for (int crash = 1; crash <= XPL_TASK_MAX_CRASHES; crash++) {
        assert_int_equal(get(f, "a").state, XPL_TASK_QUEUED);
        claim(f, 200 + crash);
        assert_ok(f, xpl_tasks_recover(f->db, 300 + crash, "crashed", &(int64_t){0}, &f->err));
    }
    task = get(f, "a");
    assert_int_equal(task.state, XPL_TASK_ERROR);
    assert_int_equal(task.crashes, XPL_TASK_MAX_CRASHES);
    assert_string_equal(task.error_code, "crashed");
    assert_nothing_to_claim(f, 1000);
}

/* ---- results ---- */

static void a_finished_task_gives_back_what_was_stored(void **state)
{
    struct fixture *f = *state;
    struct xpl_explanation_samples samples;
    struct xpl_explanation_image *images;
    struct xpl_blob png;
    struct xpl_task task;
    const char *text;
    size_t n;

    add(f, "a", "d1");
    task = claim(f, 200);
    finish(f, &task);
    assert_int_equal(get(f, "a").state, XPL_TASK_FINISHED);
    assert_ok(f, xpl_explanation_answer(f->db, f->arena, "a", &text, &f->err));
    assert_string_equal(text, "{\"answer\":1}");
    assert_ok(f, xpl_explanation_attributions(f->db, f->arena, "a", &text, &f->err));
    assert_string_equal(text, "{\"attributions\":1}");
    assert_ok(f, xpl_explanation_samples_get(f->db, f->arena, "a", &samples, &f->err));
    assert_int_equal(samples.n_segments, 7);
    assert_int_equal(samples.scores.length, 6);
    assert_memory_equal(samples.scores.data, "scores", 6);
    assert_ok(f, xpl_explanation_images(f->db, f->arena, "a", &images, &n, &f->err));
    assert_int_equal(n, 2);
    assert_ok(f, xpl_explanation_image_get(f->db, f->arena, "a", "positive", 1, &png, &f->err));
    assert_int_equal(png.length, 5);
    assert_memory_equal(png.data, "png-1", 5);
    assert_status(f, xpl_explanation_image_get(f->db, f->arena, "a", "heat", 1, &png, &f->err), XPL_NOT_FOUND);
}

static void deleting_a_task_takes_its_explanation_along(void **state)
{
    struct fixture *f = *state;
    struct xpl_task task;

    add(f, "a", "d1");
    task = claim(f, 200);
    finish(f, &task);
    assert_ok(f, xpl_task_delete(f->db, "a", &f->err));
    assert_int_equal(fixture_int(f, "SELECT (SELECT COUNT(*) FROM explanation_tasks) + (SELECT COUNT(*) FROM"
                                    " explanations) + (SELECT COUNT(*) FROM explanation_samples)"
                                    " + (SELECT COUNT(*) FROM explanation_images)"),
                     0);
}

/* ---- lists ---- */

static size_t list(struct fixture *f, const struct xpl_task_query *query, struct xpl_task **rows)
{
    size_t n = 0;

    assert_ok(f, xpl_tasks_list(f->db, f->arena, query, rows, &n, &f->err));
    return n;
}

static int64_t count(struct fixture *f, const struct xpl_task_query *query)
{
    int64_t n = 0;

    assert_ok(f, xpl_tasks_count(f->db, query, &n, &f->err));
    return n;
}

static void pages_cover_a_list_without_gaps(void **state)
{
    struct fixture *f = *state;
    struct xpl_task_query query = {.data_mart_id = "mart", .limit = 3};
    struct xpl_task *rows;

    for (int i = 0; i < 8; i++)
        add(f, xpl_arena_printf(f->arena, "%d", i), "d1");
    assert_int_equal(count(f, &query), 8);
    for (query.offset = 0; query.offset < 8; query.offset += 3) {
        size_t n = list(f, &query, &rows);

        assert_int_equal(n, query.offset == 6 ? 2 : 3);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(atoll(rows[i].id), query.offset + (int64_t)i);
    }
    assert_int_equal(list(f, &query, &rows), 0);
}

static void filters_hold_together_and_other_data_marts_stay_out(void **state)
{
    struct fixture *f = *state;
    struct xpl_task_query query = {.data_mart_id = "mart", .status = "in_progress", .limit = 10};
    struct xpl_task_counts counts;
    struct xpl_task *rows, task;
    int64_t all, own;

    add(f, "a", "d1");
    add(f, "b", "d1");
    add(f, "c", "d2");
    task = claim(f, 200);
    assert_ok(f, xpl_task_fail(f->db, "a", task.attempt, 300, "code", "message", &f->err));
    claim(f, 400);
    assert_int_equal(list(f, &query, &rows), 2);
    query.subscription_id = "s-d1";
    assert_int_equal(list(f, &query, &rows), 1);
    assert_string_equal(rows[0].id, "b");
    query.status = "error";
    assert_int_equal(count(f, &query), 1);
    query.scoring_id = "t-b-1";
    assert_int_equal(count(f, &query), 0);
    assert_int_equal(count(f, &(struct xpl_task_query){.data_mart_id = "mart", .transaction_id = "t-c"}), 1);
    assert_int_equal(count(f, &(struct xpl_task_query){.data_mart_id = "other"}), 0);
    assert_ok(f, xpl_task_counts_of(f->db, "s-d1", &counts, &f->err));
    assert_int_equal(counts.total, 2);
    assert_int_equal(counts.failed, 1);
    assert_ok(f, xpl_tasks_queued(f->db, "s-d1", &all, &own, &f->err));
    assert_int_equal(all, 2);
    assert_int_equal(own, 1);
}

static void only_an_open_task_for_the_same_parameters_is_found_again(void **state)
{
    struct fixture *f = *state;
    uint8_t same[XPL_HASH_BYTES] = {0}, other[XPL_HASH_BYTES] = {1};
    struct xpl_task task;
    const char *id;

    add(f, "a", "d1");
    assert_ok(f, xpl_task_find_open(f->db, f->arena, "r-a", same, &id, &f->err));
    assert_string_equal(id, "a");
    assert_status(f, xpl_task_find_open(f->db, f->arena, "r-a", other, &id, &f->err), XPL_NOT_FOUND);
    task = claim(f, 200);
    assert_ok(f, xpl_task_find_open(f->db, f->arena, "r-a", same, &id, &f->err));
    finish(f, &task);
    assert_status(f, xpl_task_find_open(f->db, f->arena, "r-a", same, &id, &f->err), XPL_NOT_FOUND);
}

static void task_lists_and_the_claim_read_by_index(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *sql, *index;
    } queries[] = {
        {"SELECT * FROM explanation_tasks WHERE data_mart_id = 'm' ORDER BY seq", "tasks_by_data_mart"},
        {"SELECT * FROM explanation_tasks WHERE data_mart_id = 'm' AND subscription_id = 's' ORDER BY seq",
         "tasks_by_subscription"},
        {"SELECT * FROM explanation_tasks WHERE data_mart_id = 'm' AND scoring_id = 's' ORDER BY seq",
         "tasks_by_scoring_id"},
        {"SELECT * FROM explanation_tasks WHERE data_mart_id = 'm' AND transaction_id = 's' ORDER BY seq",
         "tasks_by_transaction"},
        {"SELECT COUNT(*) FROM explanation_tasks WHERE data_mart_id = 'm' AND state = 'error'",
         "COVERING INDEX tasks_by_data_mart"},
        {"SELECT 1 FROM explanation_tasks WHERE data_mart_id = 'm' AND deployment_id = 'd' AND state = 'leased'",
         "tasks_leased"},
        {"SELECT seq FROM explanation_tasks WHERE state = 'queued' AND run_at <= 1 ORDER BY seq LIMIT 1",
         "tasks_queued"},
    };

    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        const char *plan = fixture_plan(f, queries[i].sql);

        if (!strstr(plan, queries[i].index) || strstr(plan, "TEMP B-TREE"))
            fail_msg("%s\n%s", queries[i].sql, plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tasks_of_a_deployment_run_one_at_a_time_in_order),
        TEST(deployments_do_not_wait_for_each_other),
        TEST(a_retry_waits_for_its_time_and_keeps_its_place),
        TEST(the_schema_itself_forbids_two_leases_of_a_deployment),
        TEST(a_stale_worker_stores_nothing),
        TEST(a_released_task_comes_back_with_another_attempt),
        TEST(a_task_is_finished_once),
        TEST(a_leased_task_is_queued_again_after_a_restart),
        TEST(the_third_crash_ends_a_task),
        TEST(a_finished_task_gives_back_what_was_stored),
        TEST(deleting_a_task_takes_its_explanation_along),
        TEST(pages_cover_a_list_without_gaps),
        TEST(filters_hold_together_and_other_data_marts_stay_out),
        TEST(only_an_open_task_for_the_same_parameters_is_found_again),
        TEST(task_lists_and_the_claim_read_by_index),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
