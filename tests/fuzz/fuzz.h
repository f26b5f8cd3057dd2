/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets share. A target is one function; libFuzzer drives it (scripts/fuzz), and in the normal build
 * replay.c runs it over the corpus.
 */
#ifndef XPL_TESTS_FUZZ_FUZZ_H
#define XPL_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/json_scan.h"
#include "lib/base/text.h"

#define FUZZ_ARENA_BYTES ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for every input. */
#define FUZZ_REQUIRE(condition)                                                                                        \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                             \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* A copy without a terminating zero, so that the sanitizer sees a read beyond the end. */
static inline struct xpl_text fuzz_exact(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);

    FUZZ_REQUIRE(copy);
    if (size)
        memcpy(copy, data, size);
    return (struct xpl_text){copy, size};
}

static inline void fuzz_free(struct xpl_text text)
{
    free((char *)(uintptr_t)text.ptr);
}

static inline bool fuzz_is_json(struct xpl_text text)
{
    return xpl_json_check(text.ptr, text.length, NULL, NULL) == XPL_OK;
}

#endif
