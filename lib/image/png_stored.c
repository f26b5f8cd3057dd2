/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/image/png_stored.h"

#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#define MAGIC_BYTES  8
#define CHUNK_BYTES  12 /* length, type, checksum */
#define HEAD_BYTES   13
#define ZLIB_BYTES   6 /* two bytes before the blocks, the checksum behind them */
#define BLOCK_BYTES  5
#define BLOCK_MAX    65535u
#define LAST_BLOCK   1
#define FILTER_BYTES 1

size_t xpl_png_scanline_bytes(const struct xpl_png_shape *shape)
{
    return shape->height * (FILTER_BYTES + (size_t)shape->width * shape->channels);
}

static size_t data_bytes(size_t scanlines)
{
    return ZLIB_BYTES + scanlines + BLOCK_BYTES * ((scanlines + BLOCK_MAX - 1) / BLOCK_MAX);
}

size_t xpl_png_stored_size(const struct xpl_png_shape *shape)
{
    return MAGIC_BYTES + 3 * CHUNK_BYTES + HEAD_BYTES + data_bytes(xpl_png_scanline_bytes(shape));
}

static uint8_t *put32(uint8_t *at, size_t value)
{
    for (int i = 3; i >= 0; i--)
        *at++ = (uint8_t)(value >> (8 * i));
    return at;
}

static uint8_t *put(uint8_t *at, const void *data, size_t length)
{
    memcpy(at, data, length);
    return at + length;
}

static uint8_t *begin_chunk(uint8_t *at, const char *type, size_t length)
{
    return put(put32(at, length), type, 4);
}

/* `at` is behind the chunk's data. */
static uint8_t *end_chunk(uint8_t *at, size_t length)
{
    return put32(at, crc32(0, at - length - 4, (uInt)length + 4));
}

static uint8_t *put_head(uint8_t *at, const struct xpl_png_shape *shape)
{
    static const uint8_t colour_types[] = {[1] = 0, [3] = 2, [4] = 6};
    const uint8_t rest[] = {8, colour_types[shape->channels], 0, 0, 0};

    at = begin_chunk(at, "IHDR", HEAD_BYTES);
    at = put(put32(put32(at, shape->width), shape->height), rest, sizeof rest);
    return end_chunk(at, HEAD_BYTES);
}

static uint8_t *put_block(uint8_t *at, const uint8_t *data, size_t length, bool last)
{
    const uint8_t head[] = {last ? LAST_BLOCK : 0, (uint8_t)length, (uint8_t)(length >> 8), (uint8_t)~length,
                            (uint8_t)(~length >> 8)};

    return put(put(at, head, sizeof head), data, length);
}

void xpl_png_stored_write(const struct xpl_png_shape *shape, const uint8_t *scanlines, uint8_t *out)
{
    static const uint8_t magic[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}, zlib_head[] = {0x78, 0x01};
    size_t total = xpl_png_scanline_bytes(shape), length = data_bytes(total);
    uint8_t *at = put_head(put(out, magic, sizeof magic), shape);

    at = put(begin_chunk(at, "IDAT", length), zlib_head, sizeof zlib_head);
    for (size_t done = 0, n; done < total; done += n) {
        n = total - done < BLOCK_MAX ? total - done : BLOCK_MAX;
        at = put_block(at, scanlines + done, n, done + n == total);
    }
    at = end_chunk(put32(at, adler32(1, scanlines, (uInt)total)), length);
    end_chunk(begin_chunk(at, "IEND", 0), 0);
}
