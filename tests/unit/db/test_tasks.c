/* SPDX-License-Identifier: Apache-2.0 */
/* The queue: order, one explanation a deployment, fencing, recovery. */
#include "tests/unit/db/task_steps.h"

#include <stdio.h>

/* ---- claiming ---- */

static void tasks_of_a_deployment_run_one_at_a_time_in_order(void **state)
{
    struct fixture *f = *state;
    struct xpl_task first, second;

    task_add(f, "a", "d1");
    task_add(f, "b", "d1");
    first = task_claim(f, 200);
    assert_string_equal(first.id, "a");
    assert_int_equal(first.attempt, 1);
    assert_int_equal(first.state, XPL_TASK_LEASED);
    assert_int_equal(first.started_at, 200);
    assert_nothing_to_claim(f, 201);
    task_finish(f, &first);
    second = task_claim(f, 202);
    assert_string_equal(second.id, "b");
}

static void deployments_do_not_wait_for_each_other(void **state)
{
    struct fixture *f = *state;

    task_add(f, "a", "d1");
    task_add(f, "b", "d1");
    task_add(f, "c", "d2");
    assert_string_equal(task_claim(f, 200).id, "a");
    assert_string_equal(task_claim(f, 200).id, "c");
    assert_nothing_to_claim(f, 200);
}

static void thousands_behind_one_deployment_do_not_hide_the_others(void **state)
{
    struct fixture *f = *state;
    char id[16];

    for (int i = 0; i < 2000; i++) {
        snprintf(id, sizeof id, "a%d", i);
        task_add(f, id, "d1");
    }
    task_add(f, "b", "d0");
    task_add(f, "c", "d2");
    assert_string_equal(task_claim(f, 200).id, "a0");
    assert_string_equal(task_claim(f, 200).id, "b");
    assert_string_equal(task_claim(f, 200).id, "c");
    assert_nothing_to_claim(f, 200);
}

static void a_retry_waits_for_its_time_and_keeps_its_place(void **state)
{
    struct fixture *f = *state;
    struct xpl_task task;

    task_add(f, "a", "d1");
    task_add(f, "b", "d1");
    task = task_claim(f, 200);
    assert_ok(f, xpl_task_requeue(f->db, "a", task.attempt, 1000, &f->err));
    assert_nothing_to_claim(f, 999);
    task = task_claim(f, 1000);
    assert_string_equal(task.id, "a");
    assert_int_equal(task.attempt, 2);
    assert_int_equal(task.retries, 1);
    assert_int_equal(task.started_at, 200);
}

static void the_schema_itself_forbids_two_leases_of_a_deployment(void **state)
{
    struct fixture *f = *state;

    task_add(f, "a", "d1");
    task_add(f, "b", "d1");
    assert_status(f, xpl_db_exec(f->db, "UPDATE explanation_tasks SET state = 'leased'", &f->err), XPL_CONFLICT);
}

/* ---- fencing ---- */

static void a_stale_worker_stores_nothing(void **state)
{
    struct fixture *f = *state;
    struct xpl_task_result r = task_result();
    struct xpl_task stale, current;
    const char *text;

    task_add(f, "a", "d1");
    stale = task_claim(f, 200);
    assert_ok(f, xpl_tasks_take_back(f->db, INT64_MAX, 300, "crashed", &(struct xpl_tasks_taken_back){0}, &f->err));
    current = task_claim(f, 400);
    assert_status(f, xpl_task_finish(f->db, "a", stale.attempt, 500, &r, &f->err), XPL_CONFLICT);
    assert_status(f, xpl_task_fail(f->db, "a", stale.attempt, 500, "code", "message", &f->err), XPL_CONFLICT);
    assert_status(f, xpl_task_requeue(f->db, "a", stale.attempt, 500, &f->err), XPL_CONFLICT);
    assert_status(f, xpl_task_renew(f->db, "a", stale.attempt, 500, &f->err), XPL_CONFLICT);
    assert_status(f, xpl_task_release(f->db, "a", stale.attempt, &f->err), XPL_CONFLICT);
    assert_int_equal(task_get(f, "a").state, XPL_TASK_LEASED);
    assert_status(f, xpl_explanation_answer(f->db, f->arena, "a", &text, &f->err), XPL_NOT_FOUND);
    task_finish(f, &current);
}

static void a_released_task_comes_back_with_another_attempt(void **state)
{
    struct fixture *f = *state;
    struct xpl_task_result r = task_result();
    struct xpl_task first, second;

    task_add(f, "a", "d1");
    first = task_claim(f, 200);
    assert_ok(f, xpl_task_release(f->db, "a", first.attempt, &f->err));
    second = task_claim(f, 300);
    assert_int_equal(second.retries, 0);
    assert_int_not_equal(second.attempt, first.attempt);
    assert_status(f, xpl_task_finish(f->db, "a", first.attempt, 500, &r, &f->err), XPL_CONFLICT);
}

static void a_task_is_finished_once(void **state)
{
    struct fixture *f = *state;
    struct xpl_task_result r = task_result();
    struct xpl_task task;

    task_add(f, "a", "d1");
    task = task_claim(f, 200);
    task_finish(f, &task);
    assert_status(f, xpl_task_finish(f->db, "a", task.attempt, 600, &r, &f->err), XPL_CONFLICT);
    assert_int_equal(task_get(f, "a").updated_at, 500);
}

/* ---- after the process died ---- */

static void a_leased_task_is_queued_again_after_a_restart(void **state)
{
    struct fixture *f = *state;
    struct xpl_tasks_taken_back taken;
    struct xpl_task task;

    task_add(f, "a", "d1");
    task_add(f, "b", "d2");
    task_claim(f, 200);
    fixture_reopen(f);
    assert_int_equal(task_get(f, "a").state, XPL_TASK_LEASED);
    assert_ok(f, xpl_tasks_take_back(f->db, INT64_MAX, 300, "crashed", &taken, &f->err));
    assert_int_equal(taken.requeued, 1);
    assert_int_equal(taken.ended, 0);
    task = task_claim(f, 400);
    assert_string_equal(task.id, "a");
    assert_int_equal(task.crashes, 1);
}

static void the_third_crash_ends_a_task(void **state)
{
    struct fixture *f = *state;
    struct xpl_task task;

    task_add(f, "a", "d1");
    for (int crash = 1; crash <= XPL_TASK_MAX_CRASHES; crash++) {
        assert_int_equal(task_get(f, "a").state, XPL_TASK_QUEUED);
        task_claim(f, 200 + crash);
        assert_ok(f, xpl_tasks_take_back(f->db, INT64_MAX, 300 + crash, "crashed", &(struct xpl_tasks_taken_back){0},
                                         &f->err));
    }
    task = task_get(f, "a");
    assert_int_equal(task.state, XPL_TASK_ERROR);
    assert_int_equal(task.crashes, XPL_TASK_MAX_CRASHES);
    assert_string_equal(task.error_code, "crashed");
    assert_nothing_to_claim(f, 1000);
}

static void only_leases_that_ran_out_are_taken_back(void **state)
{
    struct fixture *f = *state;
    struct xpl_tasks_taken_back taken;
    struct xpl_task late, kept;

    task_add(f, "a", "d1");
    task_add(f, "b", "d2");
    late = task_claim(f, 200);
    kept = task_claim(f, 201);
    assert_ok(f, xpl_task_renew(f->db, "b", kept.attempt, 200 + 3 * LEASE, &f->err));
    assert_ok(f, xpl_tasks_take_back(f->db, 199 + LEASE, 300, "crashed", &taken, &f->err));
    assert_int_equal(taken.requeued, 0);
    assert_ok(f, xpl_tasks_take_back(f->db, 200 + LEASE, 300, "crashed", &taken, &f->err));
    assert_int_equal(taken.requeued, 1);
    assert_int_equal(task_get(f, "a").state, XPL_TASK_QUEUED);
    assert_int_equal(task_get(f, "b").state, XPL_TASK_LEASED);
    assert_status(f, xpl_task_renew(f->db, "a", late.attempt, 900, &f->err), XPL_CONFLICT);
    task_finish(f, &kept);
}

static void the_deadline_goes_on_over_retries_and_begins_anew_after_a_crash(void **state)
{
    struct fixture *f = *state;
    struct xpl_task task;

    task_add(f, "a", "d1");
    task = task_claim(f, 200);
    assert_ok(f, xpl_task_requeue(f->db, "a", task.attempt, 300, &f->err));
    task = task_claim(f, 300);
    assert_int_equal(task.started_at, 200);
    assert_ok(f, xpl_tasks_take_back(f->db, INT64_MAX, 400, "crashed", &(struct xpl_tasks_taken_back){0}, &f->err));
    task = task_claim(f, 500);
    assert_int_equal(task.started_at, 500);
    assert_ok(f, xpl_task_release(f->db, "a", task.attempt, &f->err));
    assert_int_equal(task_claim(f, 600).started_at, 600);
}

static void the_next_retry_says_when_it_is_due(void **state)
{
    struct fixture *f = *state;
    struct xpl_task task;
    int64_t at;

    task_add(f, "a", "d1");
    assert_ok(f, xpl_tasks_next_run(f->db, 200, &at, &f->err));
    assert_int_equal(at, 0);
    task = task_claim(f, 200);
    assert_ok(f, xpl_task_requeue(f->db, "a", task.attempt, 1000, &f->err));
    assert_ok(f, xpl_tasks_next_run(f->db, 200, &at, &f->err));
    assert_int_equal(at, 1000);
    assert_ok(f, xpl_tasks_next_run(f->db, 1000, &at, &f->err));
    assert_int_equal(at, 0);
}

/* ---- results ---- */

static void a_finished_task_gives_back_what_was_stored(void **state)
{
    struct fixture *f = *state;
    struct xpl_explanation_samples samples;
    struct xpl_task task;
    const char *text;

    task_add(f, "a", "d1");
    task = task_claim(f, 200);
    task_finish(f, &task);
    assert_int_equal(task_get(f, "a").state, XPL_TASK_FINISHED);
    assert_ok(f, xpl_explanation_answer(f->db, f->arena, "a", &text, &f->err));
    assert_string_equal(text, "{\"answer\":1}");
    assert_ok(f, xpl_explanation_attributions(f->db, f->arena, "a", &text, &f->err));
    assert_string_equal(text, "{\"attributions\":1}");
    assert_ok(f, xpl_explanation_samples_get(f->db, f->arena, "a", &samples, &f->err));
    assert_int_equal(samples.n_segments, 7);
    assert_int_equal(samples.scores.length, 6);
    assert_memory_equal(samples.scores.data, "scores", 6);
}

static void deleting_a_task_takes_its_explanation_along(void **state)
{
    struct fixture *f = *state;
    struct xpl_task task;

    task_add(f, "a", "d1");
    task = task_claim(f, 200);
    task_finish(f, &task);
    assert_ok(f, xpl_task_delete(f->db, "a", &f->err));
    assert_int_equal(fixture_int(f, "SELECT (SELECT COUNT(*) FROM explanation_tasks) + (SELECT COUNT(*) FROM"
                                    " explanations) + (SELECT COUNT(*) FROM explanation_samples)"),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tasks_of_a_deployment_run_one_at_a_time_in_order),
        TEST(deployments_do_not_wait_for_each_other),
        TEST(thousands_behind_one_deployment_do_not_hide_the_others),
        TEST(a_retry_waits_for_its_time_and_keeps_its_place),
        TEST(the_schema_itself_forbids_two_leases_of_a_deployment),
        TEST(a_stale_worker_stores_nothing),
        TEST(a_released_task_comes_back_with_another_attempt),
        TEST(a_task_is_finished_once),
        TEST(a_leased_task_is_queued_again_after_a_restart),
        TEST(the_third_crash_ends_a_task),
        TEST(only_leases_that_ran_out_are_taken_back),
        TEST(the_deadline_goes_on_over_retries_and_begins_anew_after_a_crash),
        TEST(the_next_retry_says_when_it_is_due),
        TEST(a_finished_task_gives_back_what_was_stored),
        TEST(deleting_a_task_takes_its_explanation_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
