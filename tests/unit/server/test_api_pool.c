/* SPDX-License-Identifier: Apache-2.0 */
/* How many calls may wait for an API thread. */
#include "tests/unit/db/fixture.h"

#include <semaphore.h>

#include "server/http/api_pool.h"

#define MAX_WAITING 2
#define MANY        50

/* A job that holds the only thread until its gate opens. */
struct gated {
    struct xpl_pool_job job;
    sem_t entered, open;
};

static void wait_at_gate(struct xpl_pool_job *job, struct xpl_db *db)
{
    struct gated *gated = (struct gated *)(void *)job;

    (void)db;
    sem_post(&gated->entered);
    while (sem_wait(&gated->open) != 0)
        ;
}

static void do_nothing(struct xpl_pool_job *job, struct xpl_db *db)
{
    (void)job, (void)db;
}

/* How many of MANY jobs are taken while the thread is busy. */
static size_t n_taken(struct fixture *f, int64_t patience_ms)
{
    struct gated gated = {.job.run = wait_at_gate};
    struct xpl_pool_job jobs[MANY] = {0};
    struct xpl_api_pool *pool;
    size_t n = 0;

    sem_init(&gated.entered, 0, 0);
    sem_init(&gated.open, 0, 0);
    assert_ok(f, xpl_api_pool_start(f->path, 1, MAX_WAITING, patience_ms, &pool, &f->err));
    assert_ok(f, xpl_api_pool_submit(pool, &gated.job, &f->err));
    sem_wait(&gated.entered);
    for (size_t i = 0; i < MANY; i++) {
        enum xpl_status st;

        jobs[i].run = do_nothing;
        st = xpl_api_pool_submit(pool, &jobs[i], &f->err);
        assert_true(st == XPL_OK || st == XPL_OVERLOADED);
        n += st == XPL_OK;
    }
    sem_post(&gated.open);
    xpl_api_pool_stop(pool);
    sem_destroy(&gated.entered);
    sem_destroy(&gated.open);
    return n;
}

static void many_may_wait_while_none_waits_long(void **state)
{
    assert_int_equal(n_taken(*state, 3600 * 1000), MANY);
}

static void few_may_wait_when_it_takes_long(void **state)
{
    assert_int_equal(n_taken(*state, 0), MAX_WAITING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(many_may_wait_while_none_waits_long),
        TEST(few_may_wait_when_it_takes_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
