/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of records: behind a key or an offset, they are the same rows. */
#include "tests/unit/db/fixture.h"

#include <stdio.h>

#include "db/record_query.h"

#define N 9000 /* records of "set": three blocks of 4096; as many of "other" lie between them */

static void add(struct fixture *f, const char *data_set_id, int n)
{
    struct xpl_record record = {.id = xpl_arena_printf(f->arena, "%s-%d", data_set_id, n),
                                .data_mart_id = "mart",
                                .data_set_id = data_set_id,
                                .subscription_id = "subscription",
                                .transaction_id = xpl_arena_printf(f->arena, "t%04d", n * 7919 % N),
                                .scoring_id = xpl_arena_printf(f->arena, "t%04d-1", n * 7919 % N),
                                .row_number = 1,
                                .payload_id = 1,
                                .predicted = {"[1]", "0", n % 10 / 10.0},
                                .scoring_timestamp = n / 3, /* several at a time */
                                .created_by = "user"};

    assert_ok(f, fixture_insert(f, &record));
}

static void add_all(struct fixture *f)
{
    assert_ok(f, xpl_db_exec(f->db, "BEGIN", &f->err));
    for (int n = 0; n < N; n++) {
        add(f, "set", n);
        add(f, "other", n);
    }
    assert_ok(f, xpl_db_exec(f->db, "COMMIT", &f->err));
}

static struct xpl_record *page(struct fixture *f, const struct xpl_record_query *query, size_t *ret_n)
{
    struct xpl_record *rows;

    assert_ok(f, xpl_records_list(f->db, f->arena, query, &rows, ret_n, &f->err));
    return rows;
}

/* The arena is for one page. */
static void next_page(struct fixture *f)
{
    xpl_arena_free(f->arena);
    f->arena = xpl_arena_new((size_t)64 << 20);
    assert_non_null(f->arena);
}

/* Every record once, and each page by its key is the page by its offset. */
static void walk(struct fixture *f, struct xpl_record_query query, int64_t expected)
{
    char scoring_id[16];
    int64_t seen = 0;
    size_t n, n_by_offset;

    query.data_mart_id = "mart";
    query.data_set_id = "set";
    query.limit = 997;
    for (struct xpl_record *rows = page(f, &query, &n); n > 0; rows = page(f, &query, &n)) {
        struct xpl_record_query by_offset = query;
        const struct xpl_record *same;

        by_offset.has_after = false;
        by_offset.offset = seen;
        same = page(f, &by_offset, &n_by_offset);
        assert_int_equal(n_by_offset, n);
        for (size_t i = 0; i < n; i++)
            assert_string_equal(rows[i].id, same[i].id);
        seen += (int64_t)n;
        query.has_after = true;
        snprintf(scoring_id, sizeof scoring_id, "%s", rows[n - 1].scoring_id);
        query.after = (struct xpl_record_key){rows[n - 1].seq, rows[n - 1].scoring_timestamp, scoring_id};
        next_page(f);
    }
    assert_int_equal(seen, expected);
}

static void keys_and_offsets_lead_to_the_same_pages(void **state)
{
    struct fixture *f = *state;
    const struct xpl_record_query low = {.filters = {{.column = XPL_RECORD_PREDICTION_PROBABILITY,
                                                      .operator= XPL_OPERATOR_LT,
                                                      .values = {{.type = XPL_FILTER_DOUBLE, .number = 0.25}},
                                                      .n_values = 1}},
                                         .n_filters = 1};

    add_all(f);
    walk(f, (struct xpl_record_query){.order = XPL_ORDER_LOGGED}, N);
    walk(f, low, N * 3 / 10);
    walk(f, (struct xpl_record_query){.start = 1000, .end = 2000}, 3000);
    for (int descending = 0; descending < 2; descending++) {
        struct xpl_record_query query = {.order = XPL_ORDER_COLUMN, .descending = descending};

        query.order_column = XPL_RECORD_SCORING_ID;
        walk(f, query, N);
        query.order_column = XPL_RECORD_SCORING_TIMESTAMP;
        walk(f, query, N);
        query.start = 1000;
        query.end = 2000;
        walk(f, query, 3000);
    }
}

static void an_offset_counts_what_is_left_after_deletions(void **state)
{
    struct fixture *f = *state;
    struct xpl_record_query query = {.data_mart_id = "mart", .data_set_id = "set", .limit = 1, .offset = 4000};
    int64_t total;
    size_t n;

    add_all(f);
    assert_ok(f, xpl_db_exec(f->db, "DELETE FROM records WHERE data_set_id = 'set' AND seq <= 12000", &f->err));
    assert_ok(f, xpl_records_count(f->db, &query, &total, &f->err));
    assert_int_equal(total, 3000);
    page(f, &query, &n);
    assert_int_equal(n, 0);
    query.offset = 2999;
    assert_string_equal(page(f, &query, &n)[0].id, "set-8999");
    assert_ok(f, xpl_db_exec(f->db, "DELETE FROM records WHERE data_set_id = 'set'", &f->err));
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM record_blocks WHERE data_set_id = 'set'"), 0);
}

static void an_offset_skips_no_more_than_a_block(void **state)
{
    struct fixture *f = *state;
    struct xpl_record_place place;

    add_all(f);
    for (int64_t row = 0; row < N; row += 100) {
        assert_ok(f, xpl_record_place_of(f->db, "set", row, &place, &f->err));
        assert_in_range(place.skip, 0, 4095);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_and_offsets_lead_to_the_same_pages),
        TEST(an_offset_counts_what_is_left_after_deletions),
        TEST(an_offset_skips_no_more_than_a_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
