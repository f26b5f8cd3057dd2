/* SPDX-License-Identifier: Apache-2.0 */
/* Comma-separated values as rows. The first byte chooses the delimiter, the second the longest row. */
#include "lib/base/csv.h"
#include "tests/fuzz/fuzz.h"

#define MAX_CELLS 8

static void check(const struct xpl_csv *csv, const struct xpl_csv_row *row, size_t *bytes)
{
    FUZZ_REQUIRE(row->n_cells >= 1 && row->n_cells <= MAX_CELLS);
    FUZZ_REQUIRE(row->line >= 1 && row->line <= csv->line);
    for (size_t i = 0; i < row->n_cells; i++) {
        *bytes += row->cells[i].length;
        FUZZ_REQUIRE(row->cells[i].length == 0 || memchr(row->cells[i].ptr, row->cells[i].ptr[0], 1));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xpl_arena *arena = xpl_arena_new(FUZZ_ARENA_BYTES);
    struct xpl_text cells[MAX_CELLS];
    struct xpl_csv_row row = {.cells = cells, .max_cells = MAX_CELLS};
    size_t bytes = 0, rows = 0;
    struct xpl_csv csv;
    bool more = size >= 2;

    FUZZ_REQUIRE(arena);
    if (more)
        xpl_csv_start(&csv, arena, (struct xpl_text){(const char *)data + 2, size - 2}, ",;\t|"[data[0] & 3],
                      (size_t)data[1] + 1);
    for (; more; rows++) {
        struct xpl_error err = {0};
        const char *before = csv.at;
        enum xpl_status st = xpl_csv_next(&csv, &row, &more, &err);

        FUZZ_REQUIRE(csv.at <= csv.end && (!more || csv.at > before));
        FUZZ_REQUIRE(!st == !*err.message);
        if (more && !st)
            check(&csv, &row, &bytes);
    }
    FUZZ_REQUIRE(bytes <= size && rows <= size);
    xpl_arena_free(arena);
    return 0;
}
