/* SPDX-License-Identifier: Apache-2.0 */
/* A database in a temporary directory, and rows to put into it. */
#ifndef XPL_TESTS_DB_FIXTURE_H
#define XPL_TESTS_DB_FIXTURE_H

/* cmocka wants these four, in this order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/db.h"
#include "db/records.h"

struct fixture {
    char directory[64];
    char path[96];
    struct xpl_db *db; /* the writing connection, migrated; NULL after fixture_close */
    struct xpl_arena *arena;
    struct xpl_error err;
};

/** cmocka's per-test setup and teardown: *state is a struct fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/** Closes the writing connection, for tests that open their own or start a writer. */
void fixture_close(struct fixture *f);
void fixture_reopen(struct fixture *f);

/** The number a statement gives. */
int64_t fixture_int(struct fixture *f, const char *sql);

/** One record, counted as by an operation of its own. */
enum xpl_status fixture_insert(struct fixture *f, const struct xpl_record *record);

/** The plan of a statement as SQLite explains it, one line a step. */
const char *fixture_plan(struct fixture *f, const char *sql);

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#define assert_ok(f, call)                                                                                             \
    do {                                                                                                               \
        enum xpl_status assert_ok_status = (call);                                                                     \
        if (assert_ok_status)                                                                                          \
            fail_msg("%s: status %d: %s", #call, (int)assert_ok_status, (f)->err.message);                             \
    } while (0)

#define assert_status(f, call, expected)                                                                               \
    do {                                                                                                               \
        assert_int_equal((call), (expected));                                                                          \
        xpl_error_clear(&(f)->err);                                                                                    \
    } while (0)

#endif
