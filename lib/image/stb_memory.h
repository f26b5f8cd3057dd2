/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for the decoder: a small file can ask for gigabytes, so that no single piece may be larger than what the
 * largest picture needs. */
#ifndef XPL_IMAGE_STB_MEMORY_H
#define XPL_IMAGE_STB_MEMORY_H

#include <stdlib.h>

#define XPL_STB_MAX_PIECE ((size_t)256 << 20)

static inline void *xpl_stb_malloc(size_t size)
{
    return size <= XPL_STB_MAX_PIECE ? calloc(1, size ? size : 1) : NULL;
}

static inline void *xpl_stb_realloc(void *old, size_t size)
{
    return size <= XPL_STB_MAX_PIECE ? realloc(old, size) : NULL;
}

#endif
