/* SPDX-License-Identifier: Apache-2.0 */
/* The log of what happened to tasks. */
#include "db/task_events.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/db/task_steps.h"

/* The states of a task's events, with a blank behind each. */
static const char *states_of(struct fixture *f, const char *task_id)
{
    struct xpl_task_event *events;
    char *text = xpl_arena_string(f->arena, "");
    size_t n;

    assert_ok(f, xpl_task_events_of_task(f->db, f->arena, task_id, 0, 100, &events, &n, &f->err));
    for (size_t i = 0; i < n; i++)
        text = xpl_arena_printf(f->arena, "%s%s ", text, events[i].state);
    return text;
}

static void every_change_of_a_task_is_logged(void **state)
{
    struct fixture *f = *state;
    struct xpl_tasks_taken_back taken;
    struct xpl_task task;

    task_add(f, "a", "d1");
    assert_string_equal(states_of(f, "a"), "queued ");
    task = task_claim(f, 200);
    assert_ok(f, xpl_task_requeue(f->db, "a", task.attempt, 300, &f->err));
    task = task_claim(f, 400);
    assert_ok(f, xpl_task_release(f->db, "a", task.attempt, &f->err));
    task = task_claim(f, 500);
    assert_ok(f, xpl_tasks_take_back(f->db, INT64_MAX, 600, "crashed", &taken, &f->err));
    task = task_claim(f, 700);
    assert_ok(f, xpl_task_renew(f->db, "a", task.attempt, 900, &f->err));
    task_finish(f, &task);
    assert_string_equal(states_of(f, "a"),
                        "queued in_progress queued in_progress queued in_progress queued in_progress finished ");
}

static void a_failure_is_logged_with_its_reason(void **state)
{
    struct fixture *f = *state;
    struct xpl_task_event *events;
    struct xpl_task task;
    size_t n;

    task_add(f, "a", "d1");
    task = task_claim(f, 200);
    assert_ok(f, xpl_task_fail(f->db, "a", task.attempt, 300, "CODE", "why", &f->err));
    assert_ok(f, xpl_task_events_of_subscription(f->db, f->arena, "s-d1", 2, 100, &events, &n, &f->err));
    assert_int_equal(n, 1);
    assert_string_equal(events[0].state, "error");
    assert_string_equal(events[0].error_code, "CODE");
    assert_string_equal(events[0].error_message, "why");
    assert_true(events[0].at > (int64_t)1700000000 * 1000000 && events[0].at % 1000 == 0);
}

static void what_is_rolled_back_was_no_event(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, xpl_db_exec(f->db, "BEGIN", &f->err));
    task_add(f, "a", "d1");
    assert_ok(f, xpl_db_exec(f->db, "ROLLBACK", &f->err));
    assert_string_equal(states_of(f, "a"), "");
}

static void of_a_deleted_task_only_its_cancellation_is_left(void **state)
{
    struct fixture *f = *state;
    struct xpl_task task;

    task_add(f, "ended", "d1");
    task = task_claim(f, 200);
    task_finish(f, &task);
    task_add(f, "open", "d1");
    assert_ok(f, xpl_task_delete(f->db, "ended", &f->err));
    assert_ok(f, xpl_task_delete(f->db, "open", &f->err));
    assert_string_equal(states_of(f, "ended"), "");
    assert_string_equal(states_of(f, "open"), "cancelled ");
}

static void numbers_grow_even_when_the_newest_are_gone(void **state)
{
    struct fixture *f = *state;
    int64_t before, after;

    task_add(f, "a", "d1");
    assert_ok(f, xpl_task_delete(f->db, "a", &f->err));
    assert_ok(f, xpl_task_events_newest(f->db, &before, &f->err));
    assert_ok(f, xpl_db_exec(f->db, "DELETE FROM task_events", &f->err));
    assert_ok(f, xpl_task_events_newest(f->db, &after, &f->err));
    assert_int_equal(before, after);
    task_add(f, "b", "d1");
    assert_ok(f, xpl_task_events_newest(f->db, &after, &f->err));
    assert_int_equal(after, before + 1);
}

static void the_oldest_go_when_there_are_too_many(void **state)
{
    struct fixture *f = *state;

    task_add(f, "old", "d1");
    task_add(f, "kept", "d1");
    assert_ok(f, xpl_db_exec(f->db, "UPDATE sqlite_sequence SET seq = 100000 WHERE name = 'task_events'", &f->err));
    task_add(f, "new", "d1");
    assert_int_equal(fixture_int(f, "SELECT MAX(seq) FROM task_events"), XPL_TASK_EVENTS_KEPT + 1);
    assert_string_equal(states_of(f, "old"), "");
    assert_string_equal(states_of(f, "kept"), "queued ");
}

static void lists_are_read_off_an_index(void **state)
{
    struct fixture *f = *state;

    assert_non_null(
        strstr(fixture_plan(f, "SELECT seq FROM task_events WHERE subscription_id = 'a' AND seq > 3 ORDER BY seq"),
               "task_events_by_subscription (subscription_id=? AND seq>?)"));
    assert_non_null(strstr(fixture_plan(f, "SELECT seq FROM task_events WHERE task_id = 'a' AND seq > 3 ORDER BY seq"),
                           "task_events_by_task (task_id=? AND seq>?)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_change_of_a_task_is_logged),
        TEST(a_failure_is_logged_with_its_reason),
        TEST(what_is_rolled_back_was_no_event),
        TEST(of_a_deleted_task_only_its_cancellation_is_left),
        TEST(numbers_grow_even_when_the_newest_are_gone),
        TEST(the_oldest_go_when_there_are_too_many),
        TEST(lists_are_read_off_an_index),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
