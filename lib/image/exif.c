/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/image/exif.h"

#include <stdbool.h>
#include <string.h>

#define ORIENTATION 0x0112u
#define SHORT       3u  /* the type of the entry's value */
#define ENTRY_BYTES 12u /* tag, type, count, value */
#define MARKER_EXIF 0xe1u
#define MARKER_SCAN 0xdau

/* The TIFF structure within the file, in its own order of bytes. */
struct tiff {
    const uint8_t *data;
    size_t length;
    bool big;
};

/* 0 beyond the end. */
static uint32_t number_at(const struct tiff *t, size_t at, size_t bytes)
{
    uint32_t number = 0;

    if (at > t->length || bytes > t->length - at)
        return 0;
    for (size_t i = 0; i < bytes; i++)
        number = number << 8 | t->data[at + (t->big ? i : bytes - 1 - i)];
    return number;
}

static uint32_t orientation_of(const struct tiff *t)
{
    size_t directory = number_at(t, 4, 4), n = number_at(t, directory, 2);

    for (size_t i = 0; i < n; i++) {
        size_t entry = directory + 2 + i * ENTRY_BYTES;
        uint32_t value = number_at(t, entry + 8, 2);

        if (number_at(t, entry, 2) == ORIENTATION && number_at(t, entry + 2, 2) == SHORT && value >= 1 && value <= 8)
            return value;
    }
    return 1;
}

/* Segments of a marker and a length follow each other until the pixels begin. */
uint32_t xpl_jpeg_orientation(const uint8_t *data, size_t length)
{
    static const uint8_t exif[] = {'E', 'x', 'i', 'f', 0, 0};
    struct tiff file = {data, length, true};
    size_t size;

    if (number_at(&file, 0, 2) != 0xffd8)
        return 1;
    for (size_t at = 2; at + 4 <= length && data[at] == 0xff && data[at + 1] != MARKER_SCAN; at += 2 + size) {
        const uint8_t *body = data + at + 4;

        size = number_at(&file, at + 2, 2);
        if (size < 2 || size > length - at - 2)
            return 1;
        if (data[at + 1] == MARKER_EXIF && size >= 2 + sizeof exif + 8 && memcmp(body, exif, sizeof exif) == 0) {
            struct tiff t = {body + sizeof exif, size - 2 - sizeof exif, body[sizeof exif] == 'M'};

            return orientation_of(&t);
        }
    }
    return 1;
}
