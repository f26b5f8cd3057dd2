/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit: one transaction for all who wait, one answer for each. */
#include "tests/unit/db/fixture.h"

#include <semaphore.h>
#include <string.h>

#include "db/writer.h"

#define N_OPERATIONS 20

/* An operation that the writer reaches while others queue up behind it, so that those make one group. */
struct gate {
    sem_t entered, open;
};

static enum xpl_status wait_at_gate(struct xpl_db *db, void *arg, struct xpl_error *err)
{
    struct gate *gate = arg;

    (void)db, (void)err;
    sem_post(&gate->entered);
    while (sem_wait(&gate->open) != 0)
        ;
    return XPL_OK;
}

struct operation {
    struct xpl_write write;
    int64_t value;
    enum xpl_status fail_with; /* after its row was written */
    int n_runs, n_done;
    enum xpl_status status;
    struct xpl_error err;
    sem_t *done;
};

static enum xpl_status insert_value(struct xpl_db *db, void *arg, struct xpl_error *err)
{
    struct operation *op = arg;
    enum xpl_status st;

    op->n_runs++;
    XPL_AUTO(xpl_stmt) insert = xpl_db_query(db, "INSERT INTO numbers (value) VALUES (?)");
    xpl_bind_int(insert, op->value);
    if ((st = xpl_run(insert, NULL, err)))
        return st;
    return op->fail_with ? xpl_fail(err, op->fail_with, "as told") : XPL_OK;
}

/* What a full disk does: the engine itself rolls the whole transaction back. */
static enum xpl_status lose_transaction(struct xpl_db *db, void *arg, struct xpl_error *err)
{
    struct operation *op = arg;

    op->n_runs++;
    xpl_db_exec(db, "ROLLBACK", NULL);
    return xpl_fail(err, XPL_STORAGE_FULL, "no space");
}

static void note_done(void *arg, enum xpl_status status, const struct xpl_error *err)
{
    struct operation *op = arg;

    op->n_done++;
    op->status = status;
    op->err = *err;
    sem_post(op->done);
}

struct group {
    struct xpl_writer *writer;
    struct gate gate;
    struct operation first, ops[N_OPERATIONS];
    sem_t done;
};

static void start_group(struct fixture *f, struct group *g)
{
    memset(g, 0, sizeof *g);
    assert_ok(f, xpl_db_exec(f->db, "CREATE TABLE numbers (value INTEGER UNIQUE)", &f->err));
    fixture_close(f);
    sem_init(&g->gate.entered, 0, 0);
    sem_init(&g->gate.open, 0, 0);
    sem_init(&g->done, 0, 0);
    assert_ok(f, xpl_writer_start(f->path, &g->writer, &f->err));
    g->first.done = &g->done;
    g->first.write = (struct xpl_write){.run = wait_at_gate, .done = note_done, .arg = &g->gate};
    for (int i = 0; i < N_OPERATIONS; i++) {
        g->ops[i].value = i;
        g->ops[i].done = &g->done;
        g->ops[i].write = (struct xpl_write){.run = insert_value, .done = note_done, .arg = &g->ops[i], .bytes = 100};
    }
}

static void ignore_done(void *arg, enum xpl_status status, const struct xpl_error *err)
{
    (void)arg, (void)status, (void)err;
}

static void run_group(struct fixture *f, struct group *g)
{
    g->first.write.done = ignore_done;
    assert_ok(f, xpl_writer_submit(g->writer, &g->first.write, &f->err));
    while (sem_wait(&g->gate.entered) != 0)
        ;
    for (int i = 0; i < N_OPERATIONS; i++)
        assert_ok(f, xpl_writer_submit(g->writer, &g->ops[i].write, &f->err));
    sem_post(&g->gate.open);
    for (int i = 0; i < N_OPERATIONS; i++)
        while (sem_wait(&g->done) != 0)
            ;
}

static void end_group(struct fixture *f, struct group *g)
{
    xpl_writer_stop(g->writer);
    sem_destroy(&g->gate.entered);
    sem_destroy(&g->gate.open);
    sem_destroy(&g->done);
    fixture_reopen(f);
}

static void everything_acknowledged_is_in_the_file(void **state)
{
    struct fixture *f = *state;
    struct group g;

    start_group(f, &g);
    run_group(f, &g);
    for (int i = 0; i < N_OPERATIONS; i++) {
        assert_int_equal(g.ops[i].n_done, 1);
        assert_int_equal(g.ops[i].n_runs, 1);
        assert_int_equal(g.ops[i].status, XPL_OK);
    }
    end_group(f, &g);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM numbers"), N_OPERATIONS);
}

static void those_who_wait_are_committed_together(void **state)
{
    struct fixture *f = *state;
    struct group g;
    int64_t before, after;

    start_group(f, &g);
    fixture_reopen(f); /* a second connection sees data_version change once for each commit of others */
    before = fixture_int(f, "PRAGMA data_version");
    run_group(f, &g);
    after = fixture_int(f, "PRAGMA data_version");
    fixture_close(f);
    end_group(f, &g);
    assert_int_equal(after - before, 1);
}

static void an_operation_that_fails_rolls_back_alone(void **state)
{
    struct fixture *f = *state;
    struct group g;

    start_group(f, &g);
    g.ops[3].fail_with = XPL_NOT_FOUND;
    g.ops[7].value = 6; /* not unique */
    run_group(f, &g);
    assert_int_equal(g.ops[3].status, XPL_NOT_FOUND);
    assert_string_equal(g.ops[3].err.message, "as told");
    assert_int_equal(g.ops[7].status, XPL_CONFLICT);
    for (int i = 0; i < N_OPERATIONS; i++)
        if (i != 3 && i != 7)
            assert_int_equal(g.ops[i].status, XPL_OK);
    end_group(f, &g);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM numbers"), N_OPERATIONS - 2);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM numbers WHERE value IN (3, 7)"), 0);
}

static void a_lost_transaction_is_run_again_one_by_one(void **state)
{
    struct fixture *f = *state;
    struct group g;

    start_group(f, &g);
    g.ops[5].write.run = lose_transaction;
    run_group(f, &g);
    for (int i = 0; i < N_OPERATIONS; i++) {
        assert_int_equal(g.ops[i].n_done, 1);
        assert_int_equal(g.ops[i].status, i == 5 ? XPL_STORAGE_FULL : XPL_OK);
    }
    assert_int_equal(g.ops[0].n_runs, 2);
    end_group(f, &g);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM numbers"), N_OPERATIONS - 1);
}

static void waiting_callers_get_the_status_and_the_words(void **state)
{
    struct fixture *f = *state;
    struct operation op = {.value = 1, .fail_with = XPL_TOO_MANY};
    struct group g;

    start_group(f, &g);
    assert_int_equal(xpl_writer_run(g.writer, insert_value, &op, 100, &f->err), XPL_TOO_MANY);
    assert_string_equal(f->err.message, "as told");
    xpl_error_clear(&f->err);
    op.fail_with = XPL_OK;
    assert_ok(f, xpl_writer_run(g.writer, insert_value, &op, 100, &f->err));
    end_group(f, &g);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM numbers"), 1);
}

static void stopping_completes_what_is_queued(void **state)
{
    struct fixture *f = *state;
    struct group g;

    start_group(f, &g);
    for (int i = 0; i < N_OPERATIONS; i++)
        assert_ok(f, xpl_writer_submit(g.writer, &g.ops[i].write, &f->err));
    end_group(f, &g);
    for (int i = 0; i < N_OPERATIONS; i++)
        assert_int_equal(g.ops[i].n_done, 1);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM numbers"), N_OPERATIONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_acknowledged_is_in_the_file),       TEST(those_who_wait_are_committed_together),
        TEST(an_operation_that_fails_rolls_back_alone),     TEST(a_lost_transaction_is_run_again_one_by_one),
        TEST(waiting_callers_get_the_status_and_the_words), TEST(stopping_completes_what_is_queued),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
