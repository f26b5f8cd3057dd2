/* SPDX-License-Identifier: Apache-2.0 */
/* Which writes end what readers remember. */
#include "db/versions.h"

#include "tests/unit/db/task_steps.h"

/* What grows by `sql`: 'c' configuration, 'e' explanations; "" = nothing. */
static const char *grown_by(struct fixture *f, struct xpl_version_clock *clock, const char *sql)
{
    struct xpl_versions before = xpl_versions_read(clock), after;

    assert_ok(f, xpl_db_exec(f->db, sql, &f->err));
    xpl_versions_publish(clock);
    after = xpl_versions_read(clock);
    return xpl_arena_printf(f->arena, "%s%s", after.configuration > before.configuration ? "c" : "",
                            after.explanations > before.explanations ? "e" : "");
}

static void configuration_changes_by_its_tables_alone(void **state)
{
    struct fixture *f = *state;
    struct xpl_version_clock clock = {0};

    xpl_versions_watch(&clock, f->db);
    assert_string_equal(grown_by(f, &clock,
                                 "INSERT INTO subscriptions (id, data_mart_id, entity, created_at, created_by)"
                                 " VALUES ('s', 'm', '{}', 1, 'u')"),
                        "c");
    assert_string_equal(grown_by(f, &clock, "UPDATE subscriptions SET entity = '{ }' WHERE id = 's'"), "c");
    assert_string_equal(grown_by(f, &clock, "UPDATE subscriptions SET entity = '{}' WHERE id = 'another'"), "");
    assert_string_equal(grown_by(f, &clock, "DELETE FROM subscriptions WHERE id = 's'"), "c");
    assert_string_equal(grown_by(f, &clock,
                                 "INSERT INTO data_sets (id, data_mart_id, entity, created_at, created_by)"
                                 " VALUES ('d', 'm', '{}', 1, 'u')"),
                        "c");
    assert_string_equal(grown_by(f, &clock,
                                 "INSERT INTO monitor_instances (id, data_mart_id, entity, created_at,"
                                 " created_by) VALUES ('i', 'm', '{}', 1, 'u')"),
                        "c");
    assert_string_equal(grown_by(f, &clock, "INSERT INTO write_probe VALUES (1, 1)"), "");
}

static void explanations_change_when_one_goes_however_it_goes(void **state)
{
    struct fixture *f = *state;
    struct xpl_version_clock clock = {0};
    struct xpl_task task;

    xpl_versions_watch(&clock, f->db);
    task_add(f, "a", "d1");
    task = task_claim(f, 200);
    task_finish(f, &task);
    assert_string_equal(grown_by(f, &clock, ""), "");
    assert_string_equal(grown_by(f, &clock, "UPDATE explanations SET answer = '{}'"), "e");
    assert_string_equal(grown_by(f, &clock, "DELETE FROM explanation_tasks WHERE subscription_id = 's-d1'"), "e");
}

static void what_is_rolled_back_counts_as_a_change(void **state)
{
    struct fixture *f = *state;
    struct xpl_version_clock clock = {0};

    xpl_versions_watch(&clock, f->db);
    assert_string_equal(grown_by(f, &clock,
                                 "BEGIN; INSERT INTO data_sets (id, data_mart_id, entity, created_at,"
                                 " created_by) VALUES ('d', 'm', '{}', 1, 'u'); ROLLBACK"),
                        "c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(configuration_changes_by_its_tables_alone),
        TEST(explanations_change_when_one_goes_however_it_goes),
        TEST(what_is_rolled_back_counts_as_a_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
