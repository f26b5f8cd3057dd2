/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads and records: what was logged comes back, by id, by page and by filter. */
#include "tests/unit/db/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "db/record_query.h"

static int64_t add_payload(struct fixture *f, const char *request, const char *response, uint8_t first_hash_byte)
{
    struct xpl_payload payload = {.data_mart_id = "mart",
                                  .data_set_id = "set",
                                  .hash = {first_hash_byte},
                                  .request_size = strlen(request),
                                  .response_size = strlen(response)};
    struct xpl_record_tally tally = {.data_set_id = "set"};
    int64_t id = 0;

    assert_ok(f, xpl_payload_compress(f->arena, xpl_text_of(request), &payload.request, &f->err));
    assert_ok(f, xpl_payload_compress(f->arena, xpl_text_of(response), &payload.response, &f->err));
    assert_ok(f, xpl_payload_insert(f->db, &payload, &tally, &id, &f->err));
    assert_ok(f, xpl_record_tally_up(f->db, &tally, &f->err));
    return id;
}

/* Record n of data set "set": prediction "even" or "odd", probability n / 100, timestamp 1000 n. */
static struct xpl_record numbered(struct fixture *f, int n)
{
    return (struct xpl_record){.id = xpl_arena_printf(f->arena, "record-%d", n),
                               .data_mart_id = "mart",
                               .data_set_id = "set",
                               .subscription_id = "subscription",
                               .scoring_id = xpl_arena_printf(f->arena, "t%02d-1", n),
                               .transaction_id = xpl_arena_printf(f->arena, "t%02d", n),
                               .row_number = 1,
                               .payload_id = 1,
                               .height = 4,
                               .width = 5,
                               .channels = 3,
                               .predicted = {"[0.5,0.5]", n % 2 ? "odd" : "even", n / 100.0},
                               .scoring_timestamp = 1000 * (int64_t)n,
                               .has_response_time = n % 3 == 0,
                               .response_time = n,
                               .user_id = n % 5 ? NULL : "someone",
                               .created_at = n,
                               .created_by = "user"};
}

static void add_numbered(struct fixture *f, int from, int to)
{
    for (int n = from; n <= to; n++) {
        struct xpl_record record = numbered(f, n);

        assert_ok(f, fixture_insert(f, &record));
    }
}

/* Numbers of the records a query lists, as "3 4 5". */
static const char *listed(struct fixture *f, const struct xpl_record_query *query)
{
    struct xpl_record *rows;
    const char *numbers = "";
    size_t n;

    assert_ok(f, xpl_records_list(f->db, f->arena, query, &rows, &n, &f->err));
    for (size_t i = 0; i < n; i++)
        numbers = xpl_arena_printf(f->arena, "%s%s%d", numbers, i ? " " : "",
                                   (int)strtol(rows[i].id + strlen("record-"), NULL, 10));
    return numbers;
}

static void comes_back(struct fixture *f, const char *request, const char *response)
{
    struct xpl_text got_request, got_response;
    int64_t id = add_payload(f, request, response, 0);

    assert_ok(f, xpl_payload_load(f->db, f->arena, id, &got_request, &got_response, &f->err));
    assert_int_equal(got_request.length, strlen(request));
    assert_memory_equal(got_request.ptr, request, strlen(request));
    assert_true(xpl_text_equal(got_response, response));
    assert_ok(f, xpl_payload_load(f->db, f->arena, id, NULL, &got_response, &f->err));
    assert_status(f, xpl_payload_load(f->db, f->arena, id + 1, &got_request, NULL, &f->err), XPL_NOT_FOUND);
}

static void a_payload_comes_back_byte_for_byte(void **state)
{
    char large[4096];

    memset(large, '7', sizeof large);
    large[sizeof large - 1] = '\0';
    comes_back(*state, "{\"values\":[[1.50, 2.0e0 ,  3]]}", "{}");
    comes_back(*state, large, "{}");
}

static void a_damaged_payload_is_said_to_be_damaged(void **state)
{
    struct fixture *f = *state;
    struct xpl_text text;
    int64_t id = add_payload(f, "[1,2,3,4,5,6,7,8,9]", "{}", 0);

    assert_ok(f, xpl_db_exec(f->db, "UPDATE payloads SET request_size = request_size + 1", &f->err));
    assert_status(f, xpl_payload_load(f->db, f->arena, id, &text, NULL, &f->err), XPL_STORAGE_FAILED);
    assert_ok(f, xpl_db_exec(f->db, "UPDATE payloads SET request = x'28b52ffd00'", &f->err));
    assert_status(f, xpl_payload_load(f->db, f->arena, id, &text, NULL, &f->err), XPL_STORAGE_FAILED);
    assert_ok(f, xpl_db_exec(f->db, "UPDATE payloads SET request_size = -1", &f->err));
    assert_status(f, xpl_payload_load(f->db, f->arena, id, &text, NULL, &f->err), XPL_STORAGE_FAILED);
}

static void a_record_comes_back_whole(void **state)
{
    struct fixture *f = *state;
    struct xpl_record made = numbered(f, 15), got;

    assert_ok(f, fixture_insert(f, &made));
    assert_ok(f, xpl_record_get(f->db, f->arena, "mart", NULL, made.id, &got, &f->err));
    assert_string_equal(got.scoring_id, made.scoring_id);
    assert_string_equal(got.predicted.prediction, "odd");
    assert_string_equal(got.user_id, "someone");
    assert_null(got.asset_revision);
    assert_true(got.has_response_time);
    assert_int_equal(got.width, 5);
    assert_status(f, xpl_record_get(f->db, f->arena, "other", NULL, made.id, &got, &f->err), XPL_NOT_FOUND);
    assert_status(f, xpl_record_get(f->db, f->arena, "mart", "other", made.id, &got, &f->err), XPL_NOT_FOUND);
}

static void the_same_scoring_id_in_a_data_set_is_a_conflict(void **state)
{
    struct fixture *f = *state;
    struct xpl_record again = numbered(f, 1);

    add_numbered(f, 1, 1);
    again.id = "record-100";
    assert_status(f, fixture_insert(f, &again), XPL_CONFLICT);
    again.data_set_id = "other";
    assert_ok(f, fixture_insert(f, &again));
}

static void a_broken_rule_of_ours_is_not_called_a_conflict(void **state)
{
    struct fixture *f = *state;
    struct xpl_record record = numbered(f, 1);

    record.predicted.prediction = NULL; /* NOT NULL */
    assert_status(f, fixture_insert(f, &record), XPL_INTERNAL);
}

static void the_hash_of_a_repeat_is_found(void **state)
{
    struct fixture *f = *state;
    struct xpl_record record = numbered(f, 1);
    struct xpl_record_content content;

    record.payload_id = add_payload(f, "{}", "{}", 0x42);
    assert_ok(f, fixture_insert(f, &record));
    assert_ok(f, xpl_record_content_of(f->db, f->arena, "mart", "set", "t01-1", &content, &f->err));
    assert_string_equal(content.id, record.id);
    assert_int_equal(content.hash.length, XPL_HASH_BYTES);
    assert_int_equal(*(const uint8_t *)content.hash.data, 0x42);
    assert_status(f, xpl_record_content_of(f->db, f->arena, "mart", "set", "t02-1", &content, &f->err), XPL_NOT_FOUND);
}

static void a_bare_transaction_id_means_its_first_row(void **state)
{
    struct fixture *f = *state;
    struct xpl_record second = numbered(f, 1), *rows;
    size_t n = 99;

    add_numbered(f, 1, 1);
    second.id = "record-2";
    second.scoring_id = "t01-2";
    second.row_number = 2;
    assert_ok(f, fixture_insert(f, &second));
    assert_ok(f, xpl_records_by_scoring_id(f->db, f->arena, "mart", NULL, "t01-2", &rows, &n, &f->err));
    assert_int_equal(n, 1);
    assert_string_equal(rows[0].id, "record-2");
    assert_ok(f, xpl_records_by_scoring_id(f->db, f->arena, "mart", "subscription", "t01", &rows, &n, &f->err));
    assert_int_equal(n, 1);
    assert_string_equal(rows[0].id, "record-1");
    assert_ok(f, xpl_records_by_scoring_id(f->db, f->arena, "mart", "another", "t01", &rows, &n, &f->err));
    assert_int_equal(n, 0);
    assert_ok(f, xpl_records_by_transaction(f->db, f->arena, "mart", "t01", &rows, &n, &f->err));
    assert_int_equal(n, 2);
    assert_string_equal(rows[1].id, "record-2");
}

/* ---- lists ---- */

static void pages_follow_each_other_in_both_directions(void **state)
{
    struct fixture *f = *state;
    struct xpl_record_query query = {.data_mart_id = "mart", .data_set_id = "set", .limit = 4, .offset = 4};
    int64_t n;

    add_numbered(f, 1, 10);
    assert_string_equal(listed(f, &query), "5 6 7 8");
    query.descending = true;
    assert_string_equal(listed(f, &query), "6 5 4 3");
    query.offset = 8;
    assert_string_equal(listed(f, &query), "2 1");
    assert_ok(f, xpl_records_count(f->db, &query, &n, &f->err));
    assert_int_equal(n, 10);
    query.data_set_id = "other";
    assert_string_equal(listed(f, &query), "");
}

static void a_window_takes_its_start_and_leaves_its_end(void **state)
{
    struct fixture *f = *state;
    struct xpl_record_query query = {
        .data_mart_id = "mart", .data_set_id = "set", .limit = 10, .start = 3000, .end = 6000};
    int64_t n;

    add_numbered(f, 1, 10);
    assert_string_equal(listed(f, &query), "3 4 5");
    assert_ok(f, xpl_records_count(f->db, &query, &n, &f->err));
    assert_int_equal(n, 3);
}

static struct xpl_record_filter by_text(enum xpl_record_column column, enum xpl_record_operator operator,
                                        const char * text)
{
    return (struct xpl_record_filter){
        .column = column, .operator= operator, .values = {{.type = XPL_FILTER_TEXT, .text = text}}, .n_values = 1};
}

static void filters_hold_together(void **state)
{
    struct fixture *f = *state;
    struct xpl_record_query query = {.data_mart_id = "mart", .data_set_id = "set", .limit = 20};

    add_numbered(f, 1, 10);
    query.filters[0] = by_text(XPL_RECORD_PREDICTION, XPL_OPERATOR_EQ, "odd");
    query.n_filters = 1;
    assert_string_equal(listed(f, &query), "1 3 5 7 9");
    query.filters[1] = (struct xpl_record_filter){.column = XPL_RECORD_PREDICTION_PROBABILITY,
                                                  .operator= XPL_OPERATOR_GTE,
                                                  .values = {{.type = XPL_FILTER_DOUBLE, .number = 0.05}},
                                                  .n_values = 1};
    query.n_filters = 2;
    assert_string_equal(listed(f, &query), "5 7 9");
    query.filters[1] = (struct xpl_record_filter){.column = XPL_RECORD_RESPONSE_TIME, .operator= XPL_OPERATOR_NONNULL };
    assert_string_equal(listed(f, &query), "3 9");
    query.filters[1].operator= XPL_OPERATOR_NULL;
    assert_string_equal(listed(f, &query), "1 5 7");
    query.filters[0] = by_text(XPL_RECORD_SCORING_ID, XPL_OPERATOR_LIKE, "t0%");
    query.n_filters = 1;
    assert_string_equal(listed(f, &query), "1 2 3 4 5 6 7 8 9");
}

static void a_value_is_never_read_as_sql(void **state)
{
    struct fixture *f = *state;
    struct xpl_record_query query = {.data_mart_id = "mart", .data_set_id = "set", .limit = 20, .n_filters = 1};

    add_numbered(f, 1, 3);
    query.filters[0] = by_text(XPL_RECORD_USER_ID, XPL_OPERATOR_EQ, "' OR 1 = 1 --");
    assert_string_equal(listed(f, &query), "");
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM records"), 3);
}

static void in_takes_several_values(void **state)
{
    struct fixture *f = *state;
    struct xpl_record_query query = {.data_mart_id = "mart", .data_set_id = "set", .limit = 20, .n_filters = 1};

    add_numbered(f, 1, 5);
    query.filters[0] = by_text(XPL_RECORD_SCORING_ID, XPL_OPERATOR_IN, "t02-1");
    query.filters[0].values[1] = (struct xpl_filter_value){.type = XPL_FILTER_TEXT, .text = "t05-1"};
    query.filters[0].n_values = 2;
    assert_string_equal(listed(f, &query), "2 5");
}

static void a_column_orders_and_the_log_breaks_ties(void **state)
{
    struct fixture *f = *state;
    struct xpl_record_query query = {.data_mart_id = "mart",
                                     .data_set_id = "set",
                                     .limit = 20,
                                     .order = XPL_ORDER_COLUMN,
                                     .order_column = XPL_RECORD_PREDICTION};

    add_numbered(f, 1, 5);
    assert_string_equal(listed(f, &query), "2 4 1 3 5");
    query.descending = true;
    assert_string_equal(listed(f, &query), "5 3 1 4 2");
}

static void a_seed_repeats_its_order_and_another_differs(void **state)
{
    struct fixture *f = *state;
    struct xpl_record_query query = {
        .data_mart_id = "mart", .data_set_id = "set", .limit = 20, .order = XPL_ORDER_RANDOM, .seed = INT64_MAX};
    const char *first;

    add_numbered(f, 1, 20);
    first = listed(f, &query);
    assert_string_equal(listed(f, &query), first);
    query.order = XPL_ORDER_LOGGED;
    assert_string_not_equal(listed(f, &query), first);
    query.order = XPL_ORDER_RANDOM;
    query.seed = INT64_MIN;
    assert_string_not_equal(listed(f, &query), first);
}

static void every_record_is_drawn_first_by_some_seed(void **state)
{
    struct fixture *f = *state;
    struct xpl_record_query query = {
        .data_mart_id = "mart", .data_set_id = "set", .limit = 1, .order = XPL_ORDER_RANDOM};
    int drawn[11] = {0};

    add_numbered(f, 1, 10);
    for (query.seed = 0; query.seed < 1000; query.seed++)
        drawn[strtol(listed(f, &query), NULL, 10)]++;
    for (int n = 1; n <= 10; n++) /* 100 expected, deviation 9.5 */
        assert_in_range(drawn[n], 50, 150);
}

static void annotations_are_set_and_removed(void **state)
{
    struct fixture *f = *state;
    struct xpl_record record;

    add_numbered(f, 1, 1);
    assert_ok(f, xpl_record_update(f->db, "record-1", &(struct xpl_record_notes){.annotations = "{\"a\":1}"}, &f->err));
    assert_ok(f, xpl_record_get(f->db, f->arena, "mart", "set", "record-1", &record, &f->err));
    assert_string_equal(record.annotations, "{\"a\":1}");
    assert_ok(f, xpl_record_update(f->db, "record-1", &(struct xpl_record_notes){0}, &f->err));
    assert_ok(f, xpl_record_get(f->db, f->arena, "mart", "set", "record-1", &record, &f->err));
    assert_null(record.annotations);
}

static void a_purged_data_set_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    struct xpl_record_request request = {"request", "mart", "set", "active", 3, 1}, got;

    add_payload(f, "{}", "{}", 0);
    add_numbered(f, 1, 3);
    assert_ok(f, xpl_record_request_insert(f->db, &request, &f->err));
    assert_ok(f, xpl_record_request_get(f->db, f->arena, "set", "request", &got, &f->err));
    assert_int_equal(got.n_records, 3);
    assert_ok(f, xpl_data_set_purge(f->db, "set", &f->err));
    assert_int_equal(fixture_int(f, "SELECT (SELECT COUNT(*) FROM records) + (SELECT COUNT(*) FROM payloads)"
                                    " + (SELECT COUNT(*) FROM record_requests)"),
                     0);
}

static void record_lists_read_by_index(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *sql, *index;
    } queries[] = {
        {"SELECT * FROM records WHERE data_set_id = 's' ORDER BY seq", "records_by_data_set"},
        {"SELECT * FROM records WHERE data_set_id = 's' AND scoring_timestamp >= 1 AND scoring_timestamp < 2"
         " ORDER BY scoring_timestamp, seq",
         "records_by_time"},
        {"SELECT * FROM records WHERE data_mart_id = 'm' AND scoring_id = 's'", "records_by_scoring_id"},
        {"SELECT * FROM records WHERE data_mart_id = 'm' AND scoring_id = 's' AND data_set_id = 'd'",
         "records_by_scoring_id"},
        {"SELECT * FROM records WHERE data_mart_id = 'm' AND " XPL_OF_TRANSACTION("'t'"), "records_by_scoring_id"},
    };

    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        const char *plan = fixture_plan(f, queries[i].sql);

        if (!strstr(plan, queries[i].index) || strstr(plan, "TEMP B-TREE"))
            fail_msg("%s\n%s", queries[i].sql, plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_payload_comes_back_byte_for_byte),
        TEST(a_damaged_payload_is_said_to_be_damaged),
        TEST(a_record_comes_back_whole),
        TEST(the_same_scoring_id_in_a_data_set_is_a_conflict),
        TEST(a_broken_rule_of_ours_is_not_called_a_conflict),
        TEST(the_hash_of_a_repeat_is_found),
        TEST(a_bare_transaction_id_means_its_first_row),
        TEST(pages_follow_each_other_in_both_directions),
        TEST(a_window_takes_its_start_and_leaves_its_end),
        TEST(filters_hold_together),
        TEST(a_value_is_never_read_as_sql),
        TEST(in_takes_several_values),
        TEST(a_column_orders_and_the_log_breaks_ties),
        TEST(a_seed_repeats_its_order_and_another_differs),
        TEST(every_record_is_drawn_first_by_some_seed),
        TEST(annotations_are_set_and_removed),
        TEST(a_purged_data_set_leaves_nothing_behind),
        TEST(record_lists_read_by_index),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
