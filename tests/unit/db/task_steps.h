/* SPDX-License-Identifier: Apache-2.0 */
/* What a task goes through, one call a step, for the tests of the queue and of its lists. */
#ifndef XPL_TESTS_DB_TASK_STEPS_H
#define XPL_TESTS_DB_TASK_STEPS_H

#include "db/tasks.h"
#include "tests/unit/db/fixture.h"

/** The length of a lease, in microseconds. */
#define LEASE 60000000

/** Queues the task `id` of subscription `s-{deployment}`, created at 100. */
void task_add(struct fixture *f, const char *id, const char *deployment);

/** Claims a task at `now`; fails the test when there is none. */
struct xpl_task task_claim(struct fixture *f, int64_t now);

void assert_nothing_to_claim(struct fixture *f, int64_t now);

struct xpl_task task_get(struct fixture *f, const char *id);

/** A small finished explanation with two pictures. */
struct xpl_task_result task_result(void);

/** Stores task_result() for a claimed task at 500. */
void task_finish(struct fixture *f, const struct xpl_task *task);

#endif
