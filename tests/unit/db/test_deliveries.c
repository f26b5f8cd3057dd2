/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox of webhooks. */
#include "db/deliveries.h"

#include <string.h>

#include "tests/unit/db/task_steps.h"

static void add_webhook(struct fixture *f, const char *id, const char *entity)
{
    XPL_AUTO(xpl_stmt)
    insert = xpl_db_query(f->db, "INSERT INTO webhooks (id, data_mart_id, entity, target_type, target_id, created_at,"
                                 " created_by) VALUES (?, 'm', ?, 'subscription', 's-d1', 1, 'u')");

    xpl_bind_text(insert, id);
    xpl_bind_text(insert, entity);
    assert_ok(f, xpl_run(insert, NULL, &f->err));
}

static void end_one(struct fixture *f, const char *task_id, const char *deployment, bool failed)
{
    struct xpl_task task;

    task_add(f, task_id, deployment);
    task = task_claim(f, 200);
    if (failed)
        assert_ok(f, xpl_task_fail(f->db, task.id, task.attempt, 300, "CODE", "why", &f->err));
    else
        task_finish(f, &task);
}

static struct xpl_delivery next(struct fixture *f, const char *const *busy, size_t n_busy)
{
    struct xpl_delivery delivery;

    assert_ok(f, xpl_delivery_next(f->db, f->arena, busy, n_busy, &delivery, &f->err));
    return delivery;
}

static void the_end_of_an_explanation_is_put_into_the_outbox_of_those_who_want_it(void **state)
{
    struct fixture *f = *state;

    add_webhook(f, "both", "{\"enabled\":true,\"events\":[\"finished\",\"error\"]}");
    add_webhook(f, "errors", "{\"enabled\":true,\"events\":[\"error\"]}");
    add_webhook(f, "disabled", "{\"enabled\":false,\"events\":[\"finished\",\"error\"]}");
    end_one(f, "good", "d1", false);
    end_one(f, "bad", "d1", true);
    end_one(f, "of-another", "d2", false);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM webhook_deliveries"), 3);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM webhook_deliveries WHERE webhook_id = 'errors'"
                                    " AND task_id = 'bad' AND event = 'error' AND error_code = 'CODE'"),
                     1);
}

static void what_is_rolled_back_is_told_nobody(void **state)
{
    struct fixture *f = *state;

    add_webhook(f, "w", "{\"enabled\":true,\"events\":[\"finished\"]}");
    assert_ok(f, xpl_db_exec(f->db, "BEGIN", &f->err));
    end_one(f, "a", "d1", false);
    assert_ok(f, xpl_db_exec(f->db, "ROLLBACK", &f->err));
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM webhook_deliveries"), 0);
}

static void webhooks_take_turns_and_busy_ones_are_left_out(void **state)
{
    struct fixture *f = *state;
    const char *busy[] = {"w1", "w2"};
    struct xpl_delivery delivery;

    add_webhook(f, "w1", "{\"enabled\":true,\"events\":[\"finished\"]}");
    add_webhook(f, "w2", "{\"enabled\":true,\"events\":[\"finished\"]}");
    end_one(f, "a", "d1", false);
    end_one(f, "b", "d1", false);
    assert_string_equal(next(f, busy, 0).event.task_id, "a");
    assert_string_equal(next(f, busy, 1).webhook_id, "w2");
    assert_int_equal(xpl_delivery_next(f->db, f->arena, busy, 2, &delivery, &f->err), XPL_NOT_FOUND);
}

static void a_failure_waits_for_its_time_or_is_dead_until_revived(void **state)
{
    struct fixture *f = *state;
    struct xpl_delivery_counts counts;
    struct xpl_delivery delivery;
    int64_t n;

    add_webhook(f, "w", "{\"enabled\":true,\"events\":[\"finished\"]}");
    end_one(f, "a", "d1", false);
    delivery = next(f, NULL, 0);
    assert_ok(f, xpl_delivery_failed(f->db, delivery.seq, 1000, 5000, "why", &f->err));
    delivery = next(f, NULL, 0);
    assert_int_equal(delivery.next_at, 5000);
    assert_int_equal(delivery.attempts, 1);
    assert_string_equal(delivery.reason, "why");
    assert_ok(f, xpl_delivery_failed(f->db, delivery.seq, 5000, 0, "why again", &f->err));
    assert_int_equal(xpl_delivery_next(f->db, f->arena, NULL, 0, &delivery, &f->err), XPL_NOT_FOUND);
    assert_ok(f, xpl_delivery_counts_of(f->db, "w", &counts, &f->err));
    assert_true(counts.dead == 1 && counts.pending == 0 && counts.dropped == 0);
    assert_ok(f, xpl_deliveries_revive(f->db, "w", NULL, 6000, &n, &f->err));
    assert_int_equal(n, 1);
    assert_int_equal(next(f, NULL, 0).attempts, 0);
}

static void the_oldest_are_dropped_and_counted_when_there_are_too_many(void **state)
{
    struct fixture *f = *state;
    struct xpl_delivery_counts counts;

    add_webhook(f, "w", "{\"enabled\":true,\"events\":[\"finished\"]}");
    assert_ok(
        f, xpl_db_exec(f->db,
                       "INSERT INTO webhook_deliveries (id, webhook_id, number, data_mart_id, subscription_id, task_id,"
                       " scoring_id, event, at, next_at) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1"
                       " FROM n WHERE i < 10002) SELECT i, 'w', i, 'm', 's-d1', 't' || i, 't', 'finished', i, i"
                       " FROM n",
                       &f->err));
    assert_ok(f, xpl_delivery_counts_of(f->db, "w", &counts, &f->err));
    assert_true(counts.pending == 10000 && counts.dropped == 2);
    assert_string_equal(next(f, NULL, 0).event.task_id, "t3");
}

static void a_deleted_webhook_takes_its_deliveries_along(void **state)
{
    struct fixture *f = *state;

    add_webhook(f, "w", "{\"enabled\":true,\"events\":[\"finished\"]}");
    end_one(f, "a", "d1", false);
    assert_ok(f, xpl_db_exec(f->db, "DELETE FROM webhooks", &f->err));
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM webhook_deliveries"), 0);
}

static void thousands_that_wait_for_one_webhook_are_not_looked_at(void **state)
{
    struct fixture *f = *state;

    assert_non_null(strstr(fixture_plan(f, "SELECT e.seq FROM webhook_deliveries e WHERE e.webhook_id = 'w'"
                                           " AND e.state = 'pending' ORDER BY e.next_at, e.seq LIMIT 1"),
                           "webhook_deliveries_next (webhook_id=?)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_end_of_an_explanation_is_put_into_the_outbox_of_those_who_want_it),
        TEST(what_is_rolled_back_is_told_nobody),
        TEST(webhooks_take_turns_and_busy_ones_are_left_out),
        TEST(a_failure_waits_for_its_time_or_is_dead_until_revived),
        TEST(the_oldest_are_dropped_and_counted_when_there_are_too_many),
        TEST(a_deleted_webhook_takes_its_deliveries_along),
        TEST(thousands_that_wait_for_one_webhook_are_not_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
