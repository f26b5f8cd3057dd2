/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT   16u
#define BLOCK_BYTES ((size_t)8 * 1024)

struct block {
    struct block *next;
    size_t size;
    size_t used;
    _Alignas(16) unsigned char bytes[];
};

struct owned {
    struct owned *next;
    void *object;
    void (*release)(void *object);
};

struct xpl_arena {
    struct owned *owned;
    struct block *blocks; /* the current one first */
    size_t used;
    size_t max;
};

struct xpl_arena *xpl_arena_new(size_t max_bytes)
{
    struct xpl_arena *arena = calloc(1, sizeof *arena);

    if (arena)
        arena->max = max_bytes;
    return arena;
}

void xpl_arena_free(struct xpl_arena *arena)
{
    struct block *next;

    if (!arena)
        return;
    for (struct owned *owned = arena->owned; owned; owned = owned->next)
        owned->release(owned->object);
    for (struct block *block = arena->blocks; block; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

static struct block *add_block(struct xpl_arena *arena, size_t size)
{
    size_t capacity = size > BLOCK_BYTES ? size : BLOCK_BYTES;
    struct block *block = malloc(sizeof *block + capacity);

    if (!block)
        return NULL;
    *block = (struct block){.size = capacity};
    /* A block for one large piece goes behind the current one, whose rest stays in use. */
    if (size > BLOCK_BYTES && arena->blocks) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

/* For callers that write all of it themselves. */
static void *take(struct xpl_arena *arena, size_t size)
{
    struct block *block = arena->blocks;
    size_t rounded;
    void *memory;

    if (size > SIZE_MAX / 2)
        return NULL;
    rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (rounded > arena->max - arena->used)
        return NULL;
    if (!block || block->size - block->used < rounded)
        block = add_block(arena, rounded);
    if (!block)
        return NULL;
    memory = block->bytes + block->used;
    block->used += rounded;
    arena->used += rounded;
    return memory;
}

void *xpl_arena_alloc(struct xpl_arena *arena, size_t size)
{
    void *memory = take(arena, size);

    if (memory)
        memset(memory, 0, size);
    return memory;
}

void *xpl_arena_array(struct xpl_arena *arena, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    return xpl_arena_alloc(arena, total);
}

void *xpl_arena_copy(struct xpl_arena *arena, const void *data, size_t size)
{
    void *memory = take(arena, size);

    if (memory && size)
        memcpy(memory, data, size);
    return memory;
}

char *xpl_arena_string(struct xpl_arena *arena, const char *string)
{
    return string ? xpl_arena_copy(arena, string, strlen(string) + 1) : NULL;
}

char *xpl_arena_string_n(struct xpl_arena *arena, const char *text, size_t length)
{
    char *copy = take(arena, length + 1);

    if (!copy)
        return NULL;
    if (length)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *xpl_arena_printf(struct xpl_arena *arena, const char *format, ...)
{
    va_list args;
    int length;
    char *text;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        return NULL;
    text = take(arena, (size_t)length + 1);
    if (!text)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}

bool xpl_arena_own(struct xpl_arena *arena, void *object, void (*release)(void *object))
{
    struct owned *owned = XPL_NEW(arena, struct owned);

    if (!owned)
        return false;
    *owned = (struct owned){arena->owned, object, release};
    arena->owned = owned;
    return true;
}

size_t xpl_arena_used(const struct xpl_arena *arena)
{
    return arena->used;
}
