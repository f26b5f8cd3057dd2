/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/image/stb_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, size)   ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#endif

#define MAX_PIECE ((size_t)256 << 20)
#define ALIGNMENT ((size_t)16)

/* Pieces follow each other and are not given back one by one; between two lies a gap that sanitizers watch. */
static _Thread_local struct {
    uint8_t *start;
    size_t size, used, last; /* `last`: where the newest piece begins */
} region;

void xpl_stb_region_use(void *start, size_t size)
{
    region.start = start;
    region.size = size;
    region.used = region.last = 0;
    if (start)
        ASAN_POISON_MEMORY_REGION(start, size);
}

size_t xpl_stb_region_used(void)
{
    return region.used;
}

void xpl_stb_region_clear(void)
{
    ASAN_UNPOISON_MEMORY_REGION(region.start, region.used);
    memset(region.start, 0, region.used);
    ASAN_POISON_MEMORY_REGION(region.start, region.used);
    region.used = region.last = 0;
}

/* The newest piece is the one at `at`, `size` bytes long. */
static void *take(size_t at, size_t size)
{
    size_t end = at + (size + 2 * ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

    if (size > region.size || end > region.size)
        return NULL;
    region.last = at;
    region.used = end;
    ASAN_UNPOISON_MEMORY_REGION(region.start + at, size);
    return region.start + at;
}

void *xpl_stb_malloc(size_t size)
{
    if (size > MAX_PIECE)
        return NULL;
    return region.start ? take(region.used, size) : calloc(1, size ? size : 1);
}

static void *take_again(uint8_t *old, size_t old_size, size_t size)
{
    void *piece;

    if (old && size >= old_size && old == region.start + region.last)
        return take(region.last, size);
    piece = take(region.used, size);
    if (piece && old)
        memcpy(piece, old, old_size < size ? old_size : size);
    return piece;
}

void *xpl_stb_realloc(void *old, size_t old_size, size_t size)
{
    if (size > MAX_PIECE)
        return NULL;
    return region.start ? take_again(old, old_size, size) : realloc(old, size);
}

void xpl_stb_free(void *piece)
{
    if (!region.start)
        free(piece);
}
