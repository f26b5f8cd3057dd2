/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for the decoder. A small file can ask for gigabytes, so that no single piece may be larger than what the
 * largest picture needs. A process that may not ask the system for memory gives the decoder a region of its own.
 */
#ifndef XPL_IMAGE_STB_MEMORY_H
#define XPL_IMAGE_STB_MEMORY_H

#include <stddef.h>

/** From now on all pieces of this thread come out of the zeroed bytes at `start`; NULL = from the heap again. */
void xpl_stb_region_use(void *start, size_t size);

/** How many of them pieces take. */
size_t xpl_stb_region_used(void);

/** Gives all pieces back and overwrites them with zeros. */
void xpl_stb_region_clear(void);

/** Zeroed; NULL when too large or when there is no memory. */
void *xpl_stb_malloc(size_t size);
void *xpl_stb_realloc(void *old, size_t old_size, size_t size);
void xpl_stb_free(void *piece);

#endif
