/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARENA_BYTES ((size_t)64 << 20)

void fixture_close(struct fixture *f)
{
    xpl_db_close(f->db);
    f->db = NULL;
}

void fixture_reopen(struct fixture *f)
{
    fixture_close(f);
    assert_ok(f, xpl_db_open(f->path, XPL_DB_WRITER, &f->db, &f->err));
    assert_ok(f, xpl_db_migrate(f->db, &f->err));
}

int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    snprintf(f->directory, sizeof f->directory, "/tmp/explaind-db-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof f->path, "%s/explaind.db", f->directory);
    f->arena = xpl_arena_new(ARENA_BYTES);
    assert_non_null(f->arena);
    fixture_reopen(f);
    *state = f;
    return 0;
}

static void remove_directory(const char *directory)
{
    DIR *entries = opendir(directory);

    assert_non_null(entries);
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        char path[512];

        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    closedir(entries);
    rmdir(directory);
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    fixture_close(f);
    xpl_arena_free(f->arena);
    remove_directory(f->directory);
    free(f);
    return 0;
}

int64_t fixture_int(struct fixture *f, const char *sql)
{
    XPL_AUTO(xpl_stmt) query = xpl_db_query_once(f->db, sql);
    int64_t value = 0;

    assert_ok(f, xpl_fetch_int(query, &value, &f->err));
    return value;
}

static void read_detail(struct xpl_row *row, void *out)
{
    *(const char **)out = xpl_row_text(row, "detail");
}

const char *fixture_plan(struct fixture *f, const char *sql)
{
    const char *explain = xpl_arena_printf(f->arena, "EXPLAIN QUERY PLAN %s", sql), *plan = "";
    const char **lines;
    size_t n;

    XPL_AUTO(xpl_stmt) query = xpl_db_query_once(f->db, explain);
    assert_ok(f, xpl_fetch_all(query, f->arena, read_detail, sizeof *lines, 100, &lines, &n, &f->err));
    for (size_t i = 0; i < n; i++)
        plan = xpl_arena_printf(f->arena, "%s%s\n", plan, lines[i]);
    return plan;
}

enum xpl_status fixture_insert(struct fixture *f, const struct xpl_record *record)
{
    struct xpl_record_tally tally = {.data_set_id = record->data_set_id};
    enum xpl_status st = xpl_record_insert(f->db, record, &tally, &f->err);

    return st ? st : xpl_record_tally_up(f->db, &tally, &f->err);
}
