/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that lives as long as one request or one job: allocate, never free one by one, drop everything at once.
 *
 * An arena belongs to one thread at a time. All memory is zeroed. NULL means that the maximum given when the arena
 * was made is reached, or that the system has no memory.
 */
#ifndef XPL_BASE_ARENA_H
#define XPL_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/cleanup.h"

struct xpl_arena;

/** A new arena that hands out at most `max_bytes`. */
struct xpl_arena *xpl_arena_new(size_t max_bytes);

/** Frees the arena and all that was allocated from it. NULL is fine. */
void xpl_arena_free(struct xpl_arena *arena);
XPL_DEFINE_AUTO(xpl_arena, xpl_arena_free)

/** `size` zeroed bytes, aligned for any type (16). */
void *xpl_arena_alloc(struct xpl_arena *arena, size_t size);

/** `count` zeroed elements of `size` bytes; NULL on overflow too. */
void *xpl_arena_array(struct xpl_arena *arena, size_t count, size_t size);

/** A copy of `size` bytes. */
void *xpl_arena_copy(struct xpl_arena *arena, const void *data, size_t size);

/** A copy of a string; NULL gives NULL. */
char *xpl_arena_string(struct xpl_arena *arena, const char *string);

/** A zero-terminated copy of `length` bytes. */
char *xpl_arena_string_n(struct xpl_arena *arena, const char *text, size_t length);

/** A formatted string. */
char *xpl_arena_printf(struct xpl_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Calls `release(object)` when the arena is freed. False without memory; then nothing is kept. */
bool xpl_arena_own(struct xpl_arena *arena, void *object, void (*release)(void *object));

/** Bytes handed out so far. */
size_t xpl_arena_used(const struct xpl_arena *arena);

#define XPL_NEW(arena, type)              ((type *)xpl_arena_alloc((arena), sizeof(type)))
#define XPL_NEW_ARRAY(arena, type, count) ((type *)xpl_arena_array((arena), (count), sizeof(type)))

#endif
