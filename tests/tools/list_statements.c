/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls every list of the storage with all combinations of what it can be asked, and prints the statements that were
 * run for it, one a line: tests/lint/test_query_plans.py has their plans explained. The database is made at the path
 * given.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "db/distributions.h"
#include "db/explanations.h"
#include "db/record_query.h"
#include "db/resources.h"
#include "db/tasks.h"

#define ARENA_BYTES ((size_t)256 << 20)

static int print_statement(unsigned type, void *context, void *statement, void *text)
{
    (void)type, (void)context, (void)text;
    puts(sqlite3_sql(statement));
    return 0;
}

static int trace_connection(sqlite3 *handle, char **message, const struct sqlite3_api_routines *api)
{
    (void)message, (void)api;
    return sqlite3_trace_v2(handle, SQLITE_TRACE_STMT, print_statement, NULL);
}

struct tool {
    struct xpl_db *db;
    struct xpl_arena *arena;
    struct xpl_error err;
};

static void list_records(struct tool *t, struct xpl_record_query *query)
{
    struct xpl_record *rows;
    int64_t total;
    size_t n;

    query->data_mart_id = "mart";
    query->data_set_id = "set";
    query->limit = 100;
    query->after.scoring_id = "id";
    for (int keyed = 0; keyed < 2; keyed++) {
        query->has_after = keyed;
        query->offset = !keyed;
        xpl_records_list(t->db, t->arena, query, &rows, &n, &t->err);
    }
    xpl_records_count(t->db, query, &total, &t->err);
}

static void list_filtered(struct tool *t, struct xpl_record_query *query)
{
    query->n_filters = 0;
    list_records(t, query);
    for (int column = 0; column < XPL_RECORD_N_COLUMNS; column++) {
        for (int operator= 0; operator<XPL_N_OPERATORS; operator++) {
            bool bare = operator== XPL_OPERATOR_NULL || operator== XPL_OPERATOR_NONNULL;

            query->n_filters = 1;
            query->filters[0] = (struct xpl_record_filter){.column = (enum xpl_record_column)column,
                                                           .operator=(enum xpl_record_operator) operator,
                                                           .values = {{.text = "a"}, {.text = "b"}},
                                                           .n_values = bare                       ? 0 :
                                                                       operator== XPL_OPERATOR_IN ? 2
                                                                                                  : 1 };
            list_records(t, query);
        }
    }
}

static void list_in_windows(struct tool *t, struct xpl_record_query query)
{
    for (int window = 0; window < 4; window++) {
        query.start = window & 1 ? 1000 : 0;
        query.end = window & 2 ? 2000 : 0;
        list_filtered(t, &query);
    }
}

static void all_records(struct tool *t)
{
    list_in_windows(t, (struct xpl_record_query){.order = XPL_ORDER_LOGGED});
    list_in_windows(t, (struct xpl_record_query){.order = XPL_ORDER_RANDOM});
    for (int column = 0; column < XPL_RECORD_N_COLUMNS; column++)
        for (int descending = 0; descending < 2; descending++)
            list_in_windows(t, (struct xpl_record_query){.order = XPL_ORDER_COLUMN,
                                                         .order_column = (enum xpl_record_column)column,
                                                         .descending = descending});
}

static void all_distributions(struct tool *t)
{
    struct xpl_distribution_query query = {
        .records = {.data_mart_id = "mart", .data_set_id = "set", .start = 1000, .end = 2000, .limit = 100},
        .axes = {{.column = XPL_RECORD_PREDICTION}, {.column = XPL_RECORD_RESPONSE_TIME, .n_bins = 10, .width = 1}}};
    struct xpl_distribution_row *rows, total;
    size_t n;

    xpl_distribution_total(t->db, t->arena, &query.records, &total, &t->err);
    for (query.n_axes = 1; query.n_axes <= 2; query.n_axes++)
        xpl_distribution_count(t->db, t->arena, &query, &rows, &n, &t->err);
}

static void all_tasks(struct tool *t)
{
    static const char *const subscriptions[] = {NULL, "s", "s,t"}, *const scoring_ids[] = {NULL, "a", "a,b"},
                             *const transactions[] = {NULL, "t"},
                             *const states[] = {NULL, "in_progress", "finished", "error", "finished,error"};
    struct xpl_task *rows;
    int64_t total;
    size_t n;

    for (int i = 0; i < 3 * 3 * 2 * 5; i++) {
        struct xpl_task_query query = {.data_mart_id = "mart",
                                       .subscription_id = subscriptions[i % 3],
                                       .scoring_id = scoring_ids[i / 3 % 3],
                                       .transaction_id = transactions[i / 9 % 2],
                                       .status = states[i / 18],
                                       .limit = 100};

        xpl_tasks_list(t->db, t->arena, &query, &rows, &n, &t->err);
        xpl_tasks_count(t->db, &query, &total, &t->err);
    }
}

static void all_resources(struct tool *t)
{
    static const struct xpl_resource_kind *const kinds[] = {&xpl_kind_service_provider, &xpl_kind_subscription,
                                                            &xpl_kind_data_set, &xpl_kind_monitor_instance};
    struct xpl_resource *rows;
    size_t n;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        for (unsigned filtered = 0; filtered < 1u << XPL_RESOURCE_MAX_COLUMNS; filtered++) {
            struct xpl_resource_filter filter = {0};

            for (size_t c = 0; c < XPL_RESOURCE_MAX_COLUMNS && kinds[i]->columns[c]; c++)
                filter.values[c] = filtered & 1u << c ? "value" : NULL;
            xpl_resource_list(t->db, t->arena, kinds[i], "mart", &filter, &rows, &n, &t->err);
        }
    }
}

int main(int argc, char **argv)
{
    struct tool t = {.arena = xpl_arena_new(ARENA_BYTES)};

    if (argc != 2 || !t.arena || xpl_db_open(argv[1], XPL_DB_WRITER, &t.db, &t.err) || xpl_db_migrate(t.db, &t.err))
        return 1;
    xpl_db_close(t.db);
    t.db = NULL;
    sqlite3_auto_extension((void (*)(void))trace_connection);
    if (xpl_db_open(argv[1], XPL_DB_READER, &t.db, &t.err))
        return 1;
    all_records(&t);
    all_distributions(&t);
    all_tasks(&t);
    all_resources(&t);
    xpl_db_close(t.db);
    xpl_arena_free(t.arena);
    return t.err.status != XPL_OK;
}
