/* SPDX-License-Identifier: Apache-2.0 */
/* How the library is configured; stb_read.c has its code. */
#ifndef XPL_IMAGE_STB_READ_H
#define XPL_IMAGE_STB_READ_H

#include "lib/image/stb_memory.h"

#define STBI_MALLOC        xpl_stb_malloc
#define STBI_REALLOC_SIZED xpl_stb_realloc
#define STBI_FREE          xpl_stb_free
#define STBI_NO_STDIO
#define STBI_NO_HDR
#define STBI_NO_LINEAR
#define STBI_MAX_DIMENSIONS 16384 /* of a user's own file; pictures of clients have XPL_IMAGE_MAX_SIDE */
#include <stb_image.h>
#include <stb_image_resize.h>

#endif
