/* SPDX-License-Identifier: Apache-2.0 */
/* The library's own code is compiled here and nowhere else; its warnings are not ours to mend. */
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wnull-dereference"
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include "lib/image/stb_write.h"
