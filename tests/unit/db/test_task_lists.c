/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks as lists: pages, filters, counts and the indexes they read. */
#include "tests/unit/db/task_steps.h"

#include <stdlib.h>
#include <string.h>

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
        task_add(f, xpl_arena_printf(f->arena, "%d", i), "d1");
    assert_int_equal(count(f, &query), 8);
    for (query.offset = 0; query.offset < 8; query.offset += 3) {
        size_t n = list(f, &query, &rows);

        assert_int_equal(n, query.offset == 6 ? 2 : 3);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(strtoll(rows[i].id, NULL, 10), query.offset + (int64_t)i);
    }
    assert_int_equal(list(f, &query, &rows), 0);
}

static void a_page_begins_behind_the_task_it_is_told(void **state)
{
    struct fixture *f = *state;
    struct xpl_task_query query = {.data_mart_id = "mart", .limit = 3};
    struct xpl_task *rows;
    int seen = 0;

    for (int i = 0; i < 8; i++)
        task_add(f, xpl_arena_printf(f->arena, "%d", i), "d1");
    for (size_t n = list(f, &query, &rows); n > 0; n = list(f, &query, &rows)) {
        for (size_t i = 0; i < n; i++)
            assert_int_equal(strtoll(rows[i].id, NULL, 10), seen++);
        query.part = (struct xpl_part){rows[n - 1].seq, INT64_MAX};
    }
    assert_int_equal(seen, 8);
    assert_int_equal(count(f, &query), 8);
}

static int64_t kept_of(struct fixture *f, const char *status)
{
    return count(f, &(struct xpl_task_query){.data_mart_id = "mart", .status = status});
}

static void counts_follow_every_change_of_state(void **state)
{
    struct fixture *f = *state;
    struct xpl_task task;

    task_add(f, "a", "d1");
    task_add(f, "b", "d2");
    task = task_claim(f, 200);
    assert_int_equal(kept_of(f, "in_progress"), 2);
    task_finish(f, &task);
    assert_int_equal(kept_of(f, "in_progress"), 1);
    assert_int_equal(kept_of(f, "finished,error"), 1);
    assert_ok(f, xpl_task_delete(f->db, "a", &f->err));
    assert_ok(f, xpl_task_delete(f->db, "b", &f->err));
    assert_int_equal(kept_of(f, NULL), 0);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM task_counts WHERE n <> 0"), 0);
}

static void filters_hold_together_and_other_data_marts_stay_out(void **state)
{
    struct fixture *f = *state;
    struct xpl_task_query query = {.data_mart_id = "mart", .status = "in_progress", .limit = 10};
    struct xpl_task_counts counts;
    struct xpl_task *rows, task;
    int64_t all, own;

    task_add(f, "a", "d1");
    task_add(f, "b", "d1");
    task_add(f, "c", "d2");
    task = task_claim(f, 200);
    assert_ok(f, xpl_task_fail(f->db, "a", task.attempt, 300, "code", "message", &f->err));
    task_claim(f, 400);
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
    assert_ok(f, xpl_task_counts_of(f->db, "mart", "s-d1", &counts, &f->err));
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

    task_add(f, "a", "d1");
    assert_ok(f, xpl_task_find_open(f->db, f->arena, "r-a", same, &id, &f->err));
    assert_string_equal(id, "a");
    assert_status(f, xpl_task_find_open(f->db, f->arena, "r-a", other, &id, &f->err), XPL_NOT_FOUND);
    task = task_claim(f, 200);
    assert_ok(f, xpl_task_find_open(f->db, f->arena, "r-a", same, &id, &f->err));
    task_finish(f, &task);
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
        {"SELECT * FROM explanation_tasks WHERE data_mart_id = 'm' AND state = 'error' ORDER BY seq", "tasks_failed"},
        {"SELECT * FROM explanation_tasks WHERE data_mart_id = 'm' AND state IN ('queued', 'leased') ORDER BY seq",
         "tasks_in_progress"},
        {"SELECT 1 FROM explanation_tasks WHERE data_mart_id = 'm' AND deployment_id = 'd' AND state = 'leased'",
         "tasks_leased"},
        {"SELECT seq FROM explanation_tasks WHERE state = 'queued' AND data_mart_id = 'm' AND deployment_id > 'd'"
         " ORDER BY deployment_id, priority, seq LIMIT 1",
         "tasks_queued_by_deployment"},
        {"SELECT SUM(expected_calls) FROM explanation_tasks WHERE state IN ('queued', 'leased')"
         " AND subscription_id = 's' AND (NULL IS NULL OR rule = NULL)",
         "COVERING INDEX tasks_open"},
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
        TEST(pages_cover_a_list_without_gaps),
        TEST(a_page_begins_behind_the_task_it_is_told),
        TEST(counts_follow_every_change_of_state),
        TEST(filters_hold_together_and_other_data_marts_stay_out),
        TEST(only_an_open_task_for_the_same_parameters_is_found_again),
        TEST(task_lists_and_the_claim_read_by_index),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
