/* SPDX-License-Identifier: Apache-2.0 */
/* stb_image_write as we use it: memory only, no files. */
#ifndef XPL_IMAGE_STB_WRITE_H
#define XPL_IMAGE_STB_WRITE_H

#define STBI_WRITE_NO_STDIO
#include <stb_image_write.h>

#endif
