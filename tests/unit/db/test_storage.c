/* SPDX-License-Identifier: Apache-2.0 */
/* Connections, statements and migrations. */
#include "tests/unit/db/fixture.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/resources.h"
#include "db/upkeep.h"

static void a_new_file_has_the_whole_schema(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(fixture_int(f, "SELECT MAX(version) - COUNT(*) FROM schema_versions"), 0);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name IN"
                                    " ('data_marts', 'service_providers', 'subscriptions', 'data_sets',"
                                    " 'monitor_instances', 'record_requests', 'payloads', 'records',"
                                    " 'explanation_tasks', 'explanations', 'explanation_samples', 'users',"
                                    " 'api_keys', 'revoked_tokens')"),
                     14);
}

static void migrating_twice_changes_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t n = fixture_int(f, "SELECT COUNT(*) FROM schema_versions");
    int64_t applied_at = fixture_int(f, "SELECT SUM(applied_at) FROM schema_versions");

    assert_ok(f, xpl_db_migrate(f->db, &f->err));
    fixture_reopen(f);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM schema_versions"), n);
    assert_int_equal(fixture_int(f, "SELECT SUM(applied_at) FROM schema_versions"), applied_at);
}

static void a_newer_schema_is_refused(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, xpl_db_exec(f->db, "INSERT INTO schema_versions VALUES (9999, 0)", &f->err));
    assert_int_equal(xpl_db_migrate(f->db, &f->err), XPL_STORAGE_FAILED);
    assert_non_null(strstr(f->err.message, "9999"));
}

static void the_writer_is_durable(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(fixture_int(f, "PRAGMA synchronous"), 2);
    assert_int_equal(fixture_int(f, "PRAGMA foreign_keys"), 1);
    assert_int_equal(fixture_int(f, "PRAGMA mmap_size"), 0);
    assert_int_equal(fixture_int(f, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
}

static void storage_that_became_read_only_is_out_of_room(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, xpl_db_exec(f->db, "PRAGMA query_only=ON", &f->err));
    assert_int_equal(xpl_db_exec(f->db, "DELETE FROM data_marts", &f->err), XPL_STORAGE_FULL);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM data_marts"), 0);
}

static void a_reader_can_neither_write_nor_checkpoint(void **state)
{
    struct fixture *f = *state;
    struct xpl_db *reader, *writer = f->db;

    assert_ok(f, xpl_db_open(f->path, XPL_DB_READER, &reader, &f->err));
    assert_int_not_equal(xpl_db_exec(reader, "INSERT INTO schema_versions VALUES (9999, 0)", &f->err), XPL_OK);
    f->db = reader;
    assert_int_equal(fixture_int(f, "PRAGMA wal_autocheckpoint"), 0);
    f->db = writer;
    xpl_db_close(reader);
}

static void a_reader_does_not_make_a_missing_file(void **state)
{
    struct fixture *f = *state;
    const char *path = xpl_arena_printf(f->arena, "%s/missing.db", f->directory);
    struct xpl_db *reader = NULL;

    assert_status(f, xpl_db_open(path, XPL_DB_READER, &reader, &f->err), XPL_STORAGE_FAILED);
    assert_null(reader);
}

/* Whether this process has a temporary file of SQLite open, and only in this directory. */
static bool has_temporary_file_in(const char *directory)
{
    DIR *open_files = opendir("/proc/self/fd");
    bool found = false, elsewhere = false;
    char target[256];

    assert_non_null(open_files);
    for (struct dirent *entry; (entry = readdir(open_files));) {
        ssize_t length = readlinkat(dirfd(open_files), entry->d_name, target, sizeof target - 1);

        target[length < 0 ? 0 : length] = '\0';
        if (!strstr(target, "etilqs_"))
            continue;
        found = true;
        elsewhere = elsewhere || strncmp(target, directory, strlen(directory)) != 0;
    }
    closedir(open_files);
    return found && !elsewhere;
}

static void much_can_be_undone_with_files_beside_the_database(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, xpl_db_exec(f->db,
                             "CREATE TABLE many (x); INSERT INTO many WITH RECURSIVE n(i) AS"
                             " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT zeroblob(1000) FROM n;"
                             "BEGIN; SAVEPOINT one; UPDATE many SET x = 1",
                             &f->err));
    assert_true(has_temporary_file_in(f->directory));
    assert_ok(f, xpl_db_exec(f->db, "ROLLBACK TO one; RELEASE one; COMMIT", &f->err));
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM many WHERE LENGTH(x) = 1000"), 20000);
}

static void what_is_bounded_can_be_undone_in_memory(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, xpl_db_undo_in_memory(f->db, true, &f->err));
    assert_ok(f, xpl_db_exec(f->db,
                             "CREATE TABLE some (x); INSERT INTO some WITH RECURSIVE n(i) AS"
                             " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT zeroblob(1000) FROM n;"
                             "BEGIN; SAVEPOINT one; UPDATE some SET x = 1",
                             &f->err));
    assert_false(has_temporary_file_in(f->directory));
    assert_ok(f, xpl_db_exec(f->db, "ROLLBACK TO one; RELEASE one; COMMIT", &f->err));
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM some WHERE LENGTH(x) = 1000"), 2000);
}

static void a_cached_statement_can_be_used_while_it_is_in_use(void **state)
{
    struct fixture *f = *state;
    static const char sql[] = "SELECT ?";
    int64_t outer = 0, inner = 0;

    XPL_AUTO(xpl_stmt) first = xpl_db_query(f->db, sql);
    XPL_AUTO(xpl_stmt) second = xpl_db_query(f->db, sql);
    assert_ptr_not_equal(first, second);
    xpl_bind_int(first, 1);
    xpl_bind_int(second, 2);
    assert_ok(f, xpl_fetch_int(first, &outer, &f->err));
    assert_ok(f, xpl_fetch_int(second, &inner, &f->err));
    assert_int_equal(outer, 1);
    assert_int_equal(inner, 2);
}

static void a_reused_statement_forgets_its_values(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 2; i++) {
        XPL_AUTO(xpl_stmt) query = xpl_db_query(f->db, "SELECT ? IS NULL");
        int64_t is_null = -1;

        if (i == 0)
            xpl_bind_text(query, "value");
        assert_ok(f, xpl_fetch_int(query, &is_null, &f->err));
        assert_int_equal(is_null, i);
    }
}

static void a_statement_that_does_not_compile_fails_when_it_is_run(void **state)
{
    struct fixture *f = *state;

    XPL_AUTO(xpl_stmt) query = xpl_db_query(f->db, "SELECT 1 FROM nowhere");
    xpl_bind_int(query, 1);
    assert_int_equal(xpl_run(query, NULL, &f->err), XPL_STORAGE_FAILED);
    assert_non_null(strstr(f->err.message, "nowhere"));
}

static void read_missing(struct xpl_row *row, void *out)
{
    *(int64_t *)out = xpl_row_int(row, "absent");
}

static void asking_for_a_column_the_query_lacks_is_an_error(void **state)
{
    struct fixture *f = *state;
    int64_t value;

    XPL_AUTO(xpl_stmt) query = xpl_db_query(f->db, "SELECT 1 AS present");
    assert_status(f, xpl_fetch_one(query, f->arena, read_missing, &value, &f->err), XPL_INTERNAL);
}

static void a_list_stops_at_its_maximum(void **state)
{
    struct fixture *f = *state;
    static const char sql[] = "WITH RECURSIVE n(absent) AS (SELECT 1 UNION ALL SELECT absent + 1 FROM n LIMIT 500)"
                              " SELECT absent FROM n";
    int64_t *rows;
    size_t count;

    XPL_AUTO(xpl_stmt) all = xpl_db_query(f->db, sql);
    assert_ok(f, xpl_fetch_all(all, f->arena, read_missing, sizeof *rows, 1000, &rows, &count, &f->err));
    assert_int_equal(count, 500);
    assert_int_equal(rows[499], 500);
    XPL_AUTO(xpl_stmt) some = xpl_db_query(f->db, sql);
    assert_ok(f, xpl_fetch_all(some, f->arena, read_missing, sizeof *rows, 17, &rows, &count, &f->err));
    assert_int_equal(count, 17);
    assert_int_equal(rows[16], 17);
}

/* ---- resources ---- */

static struct xpl_resource subscription(const char *data_mart_id, const char *id, const char *provider)
{
    return (struct xpl_resource){.id = id,
                                 .data_mart_id = data_mart_id,
                                 .entity = "{}",
                                 .columns = {provider, "asset", "model", "deployment", "online"},
                                 .created_at = 1,
                                 .created_by = "user"};
}

static void another_data_mart_sees_nothing(void **state)
{
    struct fixture *f = *state;
    struct xpl_resource made = subscription("mart", "s1", "p1"), found;

    assert_ok(f, xpl_resource_insert(f->db, &xpl_kind_subscription, &made, &f->err));
    assert_ok(f, xpl_resource_get(f->db, f->arena, &xpl_kind_subscription, "mart", "s1", &found, &f->err));
    assert_string_equal(found.columns[0], "p1");
    assert_status(f, xpl_resource_get(f->db, f->arena, &xpl_kind_subscription, "other", "s1", &found, &f->err),
                  XPL_NOT_FOUND);
    assert_status(f, xpl_resource_delete(f->db, &xpl_kind_subscription, "other", "s1", &f->err), XPL_NOT_FOUND);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM subscriptions"), 1);
}

static void a_resource_filter_takes_several_values(void **state)
{
    struct fixture *f = *state;
    struct xpl_resource_filter filter = {.values = {"p1,p3"}};
    struct xpl_resource *rows;
    size_t n;

    for (int i = 1; i <= 3; i++) {
        struct xpl_resource made =
            subscription("mart", xpl_arena_printf(f->arena, "s%d", i), xpl_arena_printf(f->arena, "p%d", i));

        assert_ok(f, xpl_resource_insert(f->db, &xpl_kind_subscription, &made, &f->err));
    }
    assert_ok(f, xpl_resource_list(f->db, f->arena, &xpl_kind_subscription, "mart", &filter, &rows, &n, &f->err));
    assert_int_equal(n, 2);
    assert_string_equal(rows[0].id, "s1");
    assert_string_equal(rows[1].id, "s3");
}

static void a_second_resource_of_the_same_id_is_a_conflict(void **state)
{
    struct fixture *f = *state;
    struct xpl_resource made = subscription("mart", "s1", "p1");

    assert_ok(f, xpl_resource_insert(f->db, &xpl_kind_subscription, &made, &f->err));
    assert_status(f, xpl_resource_insert(f->db, &xpl_kind_subscription, &made, &f->err), XPL_CONFLICT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_file_has_the_whole_schema),
        TEST(migrating_twice_changes_nothing),
        TEST(a_newer_schema_is_refused),
        TEST(the_writer_is_durable),
        TEST(storage_that_became_read_only_is_out_of_room),
        TEST(a_reader_can_neither_write_nor_checkpoint),
        TEST(a_reader_does_not_make_a_missing_file),
        TEST(much_can_be_undone_with_files_beside_the_database),
        TEST(what_is_bounded_can_be_undone_in_memory),
        TEST(a_cached_statement_can_be_used_while_it_is_in_use),
        TEST(a_reused_statement_forgets_its_values),
        TEST(a_statement_that_does_not_compile_fails_when_it_is_run),
        TEST(asking_for_a_column_the_query_lacks_is_an_error),
        TEST(a_list_stops_at_its_maximum),
        TEST(another_data_mart_sees_nothing),
        TEST(a_resource_filter_takes_several_values),
        TEST(a_second_resource_of_the_same_id_is_a_conflict),
    };

    xpl_db_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
