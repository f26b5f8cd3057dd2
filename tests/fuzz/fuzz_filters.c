/* SPDX-License-Identifier: Apache-2.0 */
/* The query of a list of records: lines are the values of its parameters, percent-encoded. */
#include "api/handlers.h"
#include "api/records/record_filters.h"
#include "tests/fuzz/fuzz_call.h"

static const char *const names[] = {
    "filter", "order",         "includes",           "exclude", "seed", "start", "end", "limit",
    "offset", "binary_format", "exclude_annotations"};
#define N_NAMES (sizeof names / sizeof *names)

static void read_lines(struct xpl_call *call, char *text)
{
    call->query = XPL_NEW_ARRAY(call->arena, struct xpl_pair, N_NAMES);
    FUZZ_REQUIRE(call->query);
    while (text && call->n_query < N_NAMES) {
        char *next = strchr(text, '\n');

        if (next)
            *next++ = '\0';
        if (xpl_percent_decode(text, true) && xpl_is_utf8(text, strlen(text))) {
            call->query[call->n_query] = (struct xpl_pair){names[call->n_query], text};
            call->n_query++;
        } else {
            return;
        }
        text = next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xpl_app app = {0};
    struct xpl_record_query query;
    struct xpl_record_view view;
    struct xpl_call call;
    struct xpl_error err = {0};

    fuzz_call_start(&call, &app);
    read_lines(&call, xpl_arena_string_n(call.arena, size ? (const char *)data : "", size));
    if (xpl_record_query_read(&call, &query, &view, &err) == XPL_OK) {
        FUZZ_REQUIRE(query.limit >= 0 && query.limit <= XPL_RECORDS_PAGE_MAX && query.offset >= 0);
        FUZZ_REQUIRE(query.n_filters <= XPL_RECORD_MAX_FILTERS);
        for (size_t i = 0; i < query.n_filters; i++)
            FUZZ_REQUIRE(query.filters[i].n_values <= XPL_RECORD_MAX_FILTER_VALUES);
    } else {
        FUZZ_REQUIRE(err.status == XPL_BAD_FIELD && *err.field && *err.message);
    }
    fuzz_call_end(&call);
    return 0;
}
